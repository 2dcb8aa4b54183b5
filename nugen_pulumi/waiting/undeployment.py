"""Wait for the undeployment of one model, with the client and the waiter. Independent of threads and Pulumi."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.models import UndeployStatus
from nugen_pulumi.api.statuses import Phase
from nugen_pulumi.errors import (
    ModelNotFoundError,
    NugenError,
    OutageError,
    OverloadedError,
    UnavailableError,
    WaitInterruptedError,
    WaitTimeoutError,
)
from nugen_pulumi.http.outage import LONGEST_OUTAGE, LONGEST_OUTAGE_OF_POLL
from nugen_pulumi.http.request import RequestOptions, SentRequest
from nugen_pulumi.waiting.progress import SILENT, Facts, LiveLine, Reporter
from nugen_pulumi.waiting.waiter import PollAgain, Stop, Wait, WaitPolicy

_MOST_REPEATS = 3


class Undeployment:
    """
    The known status of one model, and the requests to update it.

    Time is the running event loop's: tests bring a loop whose time is simulated.

    Args:
        client: Sends the requests.
        model_id: The model.
        policy: When to poll and when to stop.
        reporter: Is shown a progress line when it changes, but not if the first poll is also the last; and, for
            ``--debug``, each HTTP request with what was decided after it, in one line.
        remember: Makes what is remembered of a status; by default all of it.

    Attributes:
        last: The last status that counts, or None if nothing is known.
        error: What went wrong since *last* was seen, or None.
    """

    def __init__(
        self,
        client: NugenClient,
        model_id: str,
        policy: WaitPolicy,
        *,
        reporter: Reporter = SILENT,
        remember: Callable[[UndeployStatus], UndeployStatus] | None = None,
    ) -> None:
        self.model_id = model_id
        self.last: UndeployStatus | None = None
        self.error: UnavailableError | None = None
        self._client = client
        self._line = LiveLine(reporter.report)
        self._debug = reporter.debug
        self._sent: SentRequest | None = None
        self._requests = 0
        self._options = RequestOptions(LONGEST_OUTAGE_OF_POLL, on_sent=self._note, on_refusal=self._refused)
        self._remember = remember
        self._clock = asyncio.get_running_loop().time
        self._wait = Wait(policy, now=self._clock())
        self._following = False
        self._undeploy = False
        self._fate_unknown = False
        self._repeats = 0
        self._early: str | None = None

    async def follow(self, *, undeploy: bool) -> UndeployStatus:
        """
        Wait until the undeployment is finished.

        Args:
            undeploy: Send the DELETE first. It is sent again if the API certainly did not carry it out, because it was
                not sent or was refused for overload. After any other error, the status shows whether it was carried
                out. If the model is still DEPLOYED after the grace period, the DELETE is sent again, at most three
                times.

        Returns:
            A status that is COMPLETED or FAILED.

        Raises:
            WaitTimeoutError: The timeout ran out first.
            WaitInterruptedError: The task was cancelled.
            UnavailableError: No usable response for longer than the policy's longest outage.
            RejectedError: Asking again will not help.
        """
        with self._with_last():
            self._following, self._undeploy = True, undeploy
            self._options = replace(self._options, longest_outage=LONGEST_OUTAGE)
            while True:
                try:
                    if self._undeploy:
                        await self._send_delete()
                        self._undeploy = False
                    status = await self._poll()
                except UnavailableError as exc:
                    self.error = exc
                    decision = self._after_error(exc)
                else:
                    if status is not None and status.terminal:
                        self._line.end(self._facts.line)
                        self._log(f"{status.status}, finished")
                        return status
                    decision = self._wait.answered(self._clock())
                facts = self._facts
                self._log(f"{facts.line}; {decision}")
                if decision is Stop.TIMEOUT:
                    raise WaitTimeoutError(facts.timed_out)
                if decision is Stop.OUTAGE:
                    raise UnavailableError(facts.unfinished)
                self._show(facts)
                await asyncio.sleep(decision.pause)

    def _after_error(self, error: UnavailableError) -> PollAgain | Stop:
        now = self._clock()
        if isinstance(error, OutageError):
            return Stop.OUTAGE
        if isinstance(error, OverloadedError):
            return self._wait.refused(now, error.retry_after)
        return self._wait.failed(now, error.retry_after, answered_ever=self._client.answered_ever)

    async def poll_once(self, *, undeploy: bool) -> UndeployStatus:
        """
        Poll once, whatever it says.

        Args:
            undeploy: Request the undeployment first. Once accepted that is known, even if the poll fails.

        Raises:
            WaitInterruptedError: The task was cancelled.
            UnavailableError: There was no usable response.
            RejectedError: Asking again will not help.
        """
        with self._with_last():
            try:
                if undeploy:
                    await self._send_delete()
                await self._poll()
            except UnavailableError as exc:
                self.error = exc
            self._log(f"{self._facts.line}; single poll finished")
            if self.last is None:
                raise UnavailableError(f"Model {self.model_id}: no usable response to a single poll: {self.error}.")
            return self.last

    @contextmanager
    def _with_last(self) -> Iterator[None]:
        """Give every error what was known before it."""
        try:
            yield
        except NugenError as exc:
            self._log(str(exc))
            exc.last_known = self.last
            raise
        except Exception as exc:
            # A mistake of ours: it keeps its traceback, but must not cost what is known.
            exc.last_known = self.last  # type: ignore[attr-defined]
            raise
        except asyncio.CancelledError:
            interrupted = WaitInterruptedError(self._facts.interrupted)
            interrupted.last_known = self.last
            raise interrupted from None

    async def _send_delete(self) -> None:
        """Send the DELETE."""
        try:
            # Ends at the deadline, because the last poll starts there.
            accepted = await self._client.undeploy(
                self.model_id,
                within=self._wait.left(self._clock()),
                options=self._options,
            )
        except UnavailableError as exc:
            if not exc.sent:
                raise
            self.error = exc
            self._fate_unknown = True
            self._wait.undeploy_requested(self._clock())
            self._log(f"{exc}; the API may have carried out the DELETE: polling")
        else:
            self._fate_unknown = False
            self.error = None
            if accepted:
                self.last = UndeployStatus(model_id=self.model_id, status=Phase.PENDING)
                self._wait.undeploy_requested(self._clock())
            self._log("accepted: polling" if accepted else "nothing to undeploy: polling")

    async def _poll(self) -> UndeployStatus | None:
        """Send the GET; return the status, or None if it may be from before our DELETE."""
        try:
            status = await self._client.status(
                self.model_id,
                within=self._wait.left(self._clock()) + self._wait.policy.last_poll,
                options=self._options,
            )
        except ModelNotFoundError:
            if self._wait.in_grace(self._clock()):
                self._early = "Model not found"
                return None
            raise
        if status.model_status == "DEPLOYED":
            if self._wait.in_grace(self._clock()):
                self._early = _early(status)
                return None
            if self._following and self._fate_unknown and self._repeats < _MOST_REPEATS:
                self._repeats += 1
                self._undeploy = True
                self._early = _early(status)
                return None
        if self._remember is not None:
            status = self._remember(status)
        self.last, self.error, self._early = status, None, None
        return status

    def _refused(self, refusal: OverloadedError) -> None:
        """Show that the API is overloaded; the request is sent again later."""
        self.error = refusal
        self._log(f"{refusal}; will send it again")
        self._show(self._facts)

    def _note(self, sent: SentRequest) -> None:
        self._sent = sent
        self._requests += 1

    def _log(self, decision: str) -> None:
        """Log the last request, if there was one since the last line, and what was decided after it."""
        if self._sent is not None:
            self._debug(f"{self.model_id}, request {self._requests}: {self._sent}: {decision}")
            self._sent = None

    def _show(self, facts: Facts) -> None:
        self._line.show(facts.line, news=facts.news, now=self._clock())

    @property
    def _facts(self) -> Facts:
        now = self._clock()
        waited, unanswered_for = now - self._wait.started, self._wait.unanswered_for(now)
        return Facts(self.model_id, self.last, self.error, waited, unanswered_for, self._early, self._fate_unknown)


def _early(status: UndeployStatus) -> str:
    return f"{status.status}, {(status.error or '').rstrip('.')}"
