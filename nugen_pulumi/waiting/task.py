"""Wait for the deployment or undeployment of one model: send its request, poll, and decide. Knows no Pulumi."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.directions import DEPLOY
from nugen_pulumi.api.paths import DOCUMENTED
from nugen_pulumi.api.responses import STATUS_OF, TaskStatus
from nugen_pulumi.api.start_answers import Answer
from nugen_pulumi.api.statuses import Phase
from nugen_pulumi.errors import (
    ModelNotFoundError,
    NugenError,
    OutageError,
    OverloadedError,
    RejectedError,
    UnavailableError,
    WaitInterruptedError,
    WaitTimeoutError,
)
from nugen_pulumi.http.request import LONGEST_OUTAGE, LONGEST_OUTAGE_OF_POLL, RequestOptions, SentRequest
from nugen_pulumi.waiting.beginning import ONLY_POLL, Beginning
from nugen_pulumi.waiting.polling import PollAgain, Stop, Wait, WaitPolicy
from nugen_pulumi.waiting.request_fate import RequestFate
from nugen_pulumi.waiting.request_log import RequestLog
from nugen_pulumi.waiting.wait_messages import SILENT, Facts, LiveLine, Reporter

# Polls before a request, if they fail: what one of them would tell is worth a second.
_MOST_FIRST_POLLS = 3


class Task:
    """
    One wait for one model: it sends the request, if there is one, and polls.

    Time is the running event loop's: tests bring a loop whose time is simulated.

    Args:
        client: Sends the requests.
        model_id: The model.
        policy: When to poll and when to stop.
        beginning: How it begins.
        reporter: Is shown a progress line when it changes, but not if the first poll is also the last; and, for
            ``--debug``, each HTTP request with what was decided after it, in one line.
        remember: Shortens a status before it is kept; by default nothing is left out.

    Attributes:
        last: The last status that is not from before the request, or None if nothing is known.
        error: What went wrong since *last* was seen, or None.
    """

    def __init__(
        self,
        client: NugenClient,
        model_id: str,
        policy: WaitPolicy,
        beginning: Beginning = ONLY_POLL,
        *,
        reporter: Reporter = SILENT,
        remember: Callable[[TaskStatus], TaskStatus] | None = None,
    ) -> None:
        self.model_id = model_id
        self.last: TaskStatus | None = None
        self.error: UnavailableError | None = None
        self._client = client
        self._direction = beginning.direction
        self._look_first = beginning.look_first
        self._again = beginning.again
        self._line = LiveLine(reporter.report)
        self._log = RequestLog(reporter.debug, model_id)
        self._sent: SentRequest | None = None
        self._options = RequestOptions(LONGEST_OUTAGE_OF_POLL, on_sent=self._note, on_refusal=self._refused)
        self._remember = remember
        self._clock = asyncio.get_running_loop().time
        self._wait = Wait(policy, now=self._clock())
        self._request = beginning.request
        self._fate = RequestFate(beginning.direction, beginning.before)
        self._outdated: str | None = None
        if beginning.unconfirmed:
            # Of a short timeout, half is left for sending it again.
            self._wait.policy = replace(policy, grace=min(policy.grace, policy.timeout / 2))
            self._fate.unconfirmed()
            self._wait.requested(self._clock())

    async def follow(self) -> TaskStatus:
        """
        Wait until the task is finished.

        Returns:
            A status that is COMPLETED or FAILED.

        Raises:
            WaitTimeoutError: The timeout ran out first.
            WaitInterruptedError: The task was cancelled.
            UnavailableError: No usable response for longer than the policy's longest outage.
            RejectedError: Asking again will not help.
        """
        with self._with_last():
            self._options = replace(self._options, longest_outage=LONGEST_OUTAGE)
            while True:
                try:
                    status = await self._step()
                except UnavailableError as exc:
                    self.error = exc
                    decision = self._after_error(exc)
                else:
                    if status is not None and status.terminal:
                        self._line.end(self._facts.line)
                        self._log.write(f"{status.status}, finished")
                        return status
                    decision = self._wait.answered(self._clock())
                await self._pause(decision)

    async def _pause(self, decision: PollAgain | Stop) -> None:
        facts = self._facts
        self._log.write(f"{facts.line}; {decision}")
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

    async def poll_once(self) -> TaskStatus:
        """
        Poll once. Poll again only while it is unknown whether a request was carried out.

        Raises:
            WaitTimeoutError: The opposite task did not end in time for the request.
            WaitInterruptedError: The task was cancelled.
            UnavailableError: There was no usable response.
            RejectedError: Asking again will not help.
        """
        with self._with_last():
            self._wait.policy = replace(self._wait.policy, longest_outage=LONGEST_OUTAGE_OF_POLL)
            while True:
                try:
                    status = await self._step()
                    decision = self._wait.answered(self._clock())
                except UnavailableError as exc:
                    self.error = exc
                    if not self._fate.fate_unknown:
                        break
                    status, decision = None, self._after_error(exc)
                if status is not None or not (self._request or self._fate.fate_unknown):
                    break
                await self._pause(decision)
            self._log.write(f"{self._facts.line}; single poll finished")
            if self.last is None:
                raise UnavailableError(self._facts.unpolled)
            return self.last

    async def _step(self) -> TaskStatus | None:
        """Send the request if it is due, then poll. Return None if the request is still due, or nothing counts yet."""
        if self._request:
            self._request = not await self._start()
        return None if self._request else await self._poll()

    @contextmanager
    def _with_last(self) -> Iterator[None]:
        """Give every error the last status."""
        try:
            yield
        except NugenError as exc:
            self._log.write(str(exc))
            exc.last_known = self._to_keep
            raise
        except Exception as exc:
            # A bug of this package: it keeps its traceback, and the last status.
            exc.last_known = self._to_keep  # type: ignore[attr-defined]
            raise
        except asyncio.CancelledError:
            interrupted = WaitInterruptedError(self._facts.interrupted)
            interrupted.last_known = self._to_keep
            raise interrupted from None

    async def _start(self) -> bool:
        """Send the request that starts the task. Return False if it has to be sent again, later."""
        method = self._direction.method
        if self._look_first:
            await self._poll_first()
        self._sent = None
        try:
            # Until the deadline, when the last poll starts.
            started = await self._client.start(
                self.model_id,
                direction=self._direction,
                within=self._wait.left(self._clock()),
                options=self._options,
            )
        except UnavailableError as exc:
            if not exc.sent:
                raise
            self.error = exc
            self._fate.lost()
            self._wait.requested(self._clock())
            self._log.write(f"{exc}; the API may have carried out the {method}: polling")
            return True
        except asyncio.CancelledError:
            if self._sent is not None and (self._sent.status is None or self._sent.status < 300):
                self._fate.lost()
            raise
        self._fate.answered(started)
        self.error = None
        if started.answer is Answer.BLOCKED:
            self._outdated = started.said
            self._log.write(f"{started.said}; will send it again")
            return False
        if started.answer is not Answer.UNCLEAR:
            # This begins the grace period: the status may lag behind the response.
            self._wait.requested(self._clock())
        if started.answer in (Answer.ACCEPTED, Answer.RUNNING):
            self._remember_status(self._pending())
            self._log.write("accepted: polling" if started.answer is Answer.ACCEPTED else f"{started.said}: polling")
        else:
            self._log.write(f"nothing to {self._direction.will}: polling")
        return True

    async def _poll_first(self) -> None:
        """Poll before the request, so that an outdated status after it can be told from a new one."""
        self._look_first = False
        polls = 0
        while True:
            polls += 1
            try:
                status = await self._client.status(
                    self.model_id,
                    direction=self._direction,
                    within=self._wait.left(self._clock()),
                    options=self._options,
                )
            except OutageError:
                raise
            except (RejectedError, UnavailableError) as exc:
                if polls < _MOST_FIRST_POLLS and isinstance(exc, UnavailableError):
                    self._log.write(f"{exc}; polling again before the {self._direction.method}")
                    await asyncio.sleep(self._wait.policy.shortest_pause)
                    continue
                # If this lasts, the request fails with it, too.
                self._fate.follows_the_unknown()
                self._log.write(f"{exc}; sending the {self._direction.method}")
            else:
                self._fate.will_follow(status)
                self._log.write(f"{status.status}; sending the {self._direction.method}")
            return

    def _pending(self) -> TaskStatus:
        return STATUS_OF[self._direction](model_id=self.model_id, status=Phase.PENDING)

    @property
    def _to_keep(self) -> TaskStatus | None:
        """The last status; or PENDING for a deployment that may have begun, because it may cost."""
        if self.last is None and self._direction is DEPLOY and self._fate.fate_unknown:
            return self._fate.marked(self._pending())
        return self.last

    async def _poll(self) -> TaskStatus | None:
        """Send the GET; return the status, or None if it may be from before our request."""
        try:
            status = await self._client.status(
                self.model_id,
                direction=self._direction,
                within=self._wait.left(self._clock()) + self._wait.policy.last_poll,
                options=replace(self._options, leave_within=self._wait.left(self._clock())),
            )
        except ModelNotFoundError:
            if self._wait.in_grace(self._clock()):
                self._outdated = "Model not found"
                return None
            raise
        if status.status == Phase.PENDING:
            self._fate.seen_running()
        if self._wait.in_grace(self._clock()) and self._fate.is_from_before(status):
            self._outdated = _text(status)
            return None
        if self._fate.has_to_be_repeated(status):
            self._request = True
            self._outdated = _text(status)
            return None
        self._remember_status(status if self._remember is None else self._remember(status))
        self.error, self._outdated = None, None
        return self.last

    def _remember_status(self, status: TaskStatus) -> None:
        self.last = self._fate.marked(status)

    def _refused(self, refusal: OverloadedError) -> None:
        """Show that the API is overloaded; the request is sent again later."""
        self.error = refusal
        self._log.write(f"{refusal}; will send it again")
        self._show(self._facts)

    def _note(self, request: SentRequest) -> None:
        self._sent = request
        self._log.sent(request, "" if self._client.paths is DOCUMENTED else f" ({self._client.paths.name} paths)")

    def _show(self, facts: Facts) -> None:
        self._line.show(facts.line, news=facts.news, now=self._clock())

    @property
    def _facts(self) -> Facts:
        now = self._clock()
        waited, unanswered_for = now - self._wait.started, self._wait.unanswered_for(now)
        return Facts(
            self.model_id,
            self.last,
            self.error,
            waited,
            unanswered_for,
            self._outdated,
            self._fate.fate_unknown,
            self._direction,
            self._again,
        )


def _text(status: TaskStatus) -> str:
    return f"{status.status}, {status.error.rstrip('.')}" if status.error else str(status.status)
