"""Wait for the deployment or undeployment of one model: send its request, poll, and decide. Knows no Pulumi."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass, replace

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.directions import DEPLOY
from nugen_pulumi.api.paths import DOCUMENTED
from nugen_pulumi.api.start_answers import Started
from nugen_pulumi.api.statuses import Phase, Record
from nugen_pulumi.errors import (
    GatewayError,
    ModelNotFoundError,
    NugenError,
    OutageError,
    OverloadedError,
    RejectedError,
    UnavailableError,
    UnforeseenError,
    WaitInterruptedError,
    WaitTimeoutError,
)
from nugen_pulumi.http.outage import LONGEST_FIRST_OUTAGE, LONGEST_OUTAGE
from nugen_pulumi.http.pool import SentRequest
from nugen_pulumi.http.sender import RequestOptions
from nugen_pulumi.text import printable
from nugen_pulumi.waiting.polling import PollAgain, Schedule, Stop, WaitPolicy
from nugen_pulumi.waiting.reporting import SILENT, LiveLine, Reporter
from nugen_pulumi.waiting.state_size import capped
from nugen_pulumi.waiting.task_state import ONLY_POLL, At, Goal, TaskState, Verdict
from nugen_pulumi.waiting.wait_messages import NEXT_UP, Facts

# Polls before a request, if they fail: what one of them would tell is worth a second.
_MOST_LOOKS = 3
_LONGEST_TRACEBACK = 8000


@dataclass(frozen=True)
class Outcome:
    """
    What became of a wait for one model, or of a single poll.

    Attributes:
        known: What is known of the model, and to be recorded; None: nothing.
        error: Why it ended without a terminal status, or without any; None: it did not. A FAILED is no error here.
        found: What is known was not begun by a request of this wait, as far as can be told.
        at_rest: The API said that the model was there already, and calls that by another name than the usual.
    """

    known: Record | None
    error: NugenError | None = None
    found: bool = False
    at_rest: bool = False

    def status(self) -> Record:
        """Return what is known, or raise why nothing is."""
        if self.known is None:
            raise self.error or AssertionError("without a status there is an error")
        return self.known


class ModelWait:
    """
    One wait for one model: it sends the request, if there is one, and polls.

    Time is the running event loop's: tests bring a loop whose time is simulated.

    Args:
        client: Sends the requests.
        model_id: The model.
        policy: When to poll and when to stop.
        goal: What it is for.
        reporter: Is shown the live line when it changes, but not if the first poll is also the last; and, for
            ``--debug``, each HTTP request with what was decided after it, in one line.
        again: What goes on after an error, as the beginning of a sentence.
        largest: Bytes of each value of the API's that are kept; None: all.

    Attributes:
        error: Why there was no usable response to the last request, or None.
    """

    def __init__(
        self,
        client: NugenClient,
        model_id: str,
        policy: WaitPolicy,
        goal: Goal = ONLY_POLL,
        *,
        reporter: Reporter = SILENT,
        again: str = NEXT_UP,
        largest: int | None = None,
    ) -> None:
        self.error: UnavailableError | None = None
        self._client = client
        self._model_id = model_id
        self._direction = goal.direction
        self._reporter = reporter
        self._again = again
        self._largest = largest
        self._line = LiveLine(reporter.report)
        self._clock = asyncio.get_running_loop().time
        if goal.unconfirmed:
            # Of a short timeout, half is left for sending the request again.
            policy = replace(policy, grace=min(policy.grace, policy.timeout / 2))
        self._schedule = Schedule(policy, now=self._clock())
        self._task = TaskState.begin(goal)
        if goal.unconfirmed:
            self._schedule.requested(self._clock())
        self._last: Record | None = None  # the last status that counts
        self._outdated: str | None = None  # what the last poll said, if it may be from before the request
        self._looks = 0
        self._sent: SentRequest | None = None
        self._requests = 0
        self._unlogged = ""

    async def follow(self, *, once: bool = False) -> Outcome:
        """
        Wait until the task is finished, and return what became of it. It ends likewise if it is cancelled.

        Args:
            once: Poll once instead. Poll again only while the request is due, or while it is not known what became of
                it.
        """
        try:
            error = await self._follow(once=once)
        except NugenError as exc:
            error = exc
            self._log(str(exc))
        except asyncio.CancelledError:
            error = WaitInterruptedError(self._facts.interrupted)
        except Exception as exc:  # noqa: BLE001 - a mistake of ours must cost neither what is known nor the other models
            error = _unforeseen(self._model_id, exc)
        if self._last is None and self._direction is DEPLOY and self._task.may_have_begun:
            self._last = _UNCONFIRMED  # it may cost
        known = self._last
        return Outcome(
            known,
            error,
            found=not self._task.ours,
            at_rest=known is not None and self._task.at_rest(known),
        )

    async def _follow(self, *, once: bool) -> NugenError | None:
        options = RequestOptions(
            LONGEST_FIRST_OUTAGE if once else LONGEST_OUTAGE, on_sent=self._note, on_refusal=self._refused
        )
        while True:
            counts = False
            try:
                counts = await self._step(options)
                decision = self._schedule.answered(self._clock())
            except UnavailableError as exc:
                self.error = exc
                decision = self._after_error(exc, once=once)
            if once and (counts or not self._has_to_poll_again):
                self._log(f"{self._facts.line}; single poll finished")
                return UnavailableError(self._facts.unpolled) if self._last is None else None
            if counts and self._last is not None and self._last.terminal:
                self._line.end(self._facts.line)
                self._log(f"{self._last.status}, finished")
                return None
            facts = self._facts
            self._log(f"{facts.line}; {decision}")
            if decision is Stop.TIMEOUT:
                return WaitTimeoutError(facts.timed_out)
            if decision is Stop.OUTAGE:
                return UnavailableError(facts.given_up)
            self._show(facts)
            await asyncio.sleep(decision.pause)

    def _after_error(self, error: UnavailableError, *, once: bool) -> PollAgain | Stop:
        now = self._clock()
        if isinstance(error, OutageError):
            return Stop.OUTAGE
        if isinstance(error, OverloadedError):
            return self._schedule.refused(now, error.retry_after)
        longest_outage = LONGEST_FIRST_OUTAGE if once else self._client.longest_outage
        return self._schedule.failed(now, error.retry_after, longest_outage=longest_outage)

    @property
    def _has_to_poll_again(self) -> bool:
        """A single poll that did not count is not enough."""
        if self._task.at in (At.LOOK, At.LOST):
            return True
        return self.error is None and (self._task.at is At.ASK or self._last is None)

    async def _step(self, options: RequestOptions) -> bool:
        """Send what is due, and poll after it. Tell whether there is a status that counts."""
        if self._task.at is At.LOOK:
            await self._look(options)
        if self._task.at is At.ASK:
            await self._ask(options)
        return self._task.at is not At.ASK and await self._poll(options)

    async def _look(self, options: RequestOptions) -> None:
        """Poll before the request, so that an outdated status after it can be told from a new one."""
        self._looks += 1
        seen = None
        try:
            seen = await self._client.status(
                self._model_id, direction=self._direction, within=self._schedule.left(self._clock()), options=options
            )
        except (RejectedError, UnavailableError) as exc:
            again = isinstance(exc, UnavailableError) and self._looks < _MOST_LOOKS
            if again or isinstance(exc, (OutageError, GatewayError)):
                raise
            # If this lasts, the request fails with it, too.
            self._log(f"{str(exc).rstrip('.')}; sending the {self._direction.method}")
        else:
            self._log(f"{seen.status}; sending the {self._direction.method}")
        self._task = self._task.looked(seen)

    async def _ask(self, options: RequestOptions) -> None:
        """Send the request that starts the task."""
        self._sent = None
        try:
            # Until the deadline, when the last poll starts.
            answer, said = await self._client.start(
                self._model_id, direction=self._direction, within=self._schedule.left(self._clock()), options=options
            )
        except UnavailableError as exc:
            if not exc.sent:
                raise
            self.error = exc
            self._task = self._task.lost()
            self._schedule.requested(self._clock())
            self._log(f"{exc}; the API may have carried out the {self._direction.method}: polling")
            return
        except RejectedError:
            raise
        except BaseException:
            # Cancelled, or a mistake of ours.
            if self._sent is not None and (self._sent.status is None or self._sent.status < 300):
                self._task = self._task.lost()
            raise
        self._task = self._task.answered(answer)
        self.error = None
        if answer is Started.BLOCKED:
            self._outdated = said
            self._log(f"{said}; will send it again")
            return
        if answer is not Started.UNCLEAR:
            # This begins the grace period: the status may lag behind the response.
            self._schedule.requested(self._clock())
        if answer in (Started.ACCEPTED, Started.RUNNING):
            self._last = _UNCONFIRMED
            self._log("accepted: polling" if answer is Started.ACCEPTED else f"{said}: polling")
        else:
            self._log(f"nothing to {self._direction.will}: polling")

    async def _poll(self, options: RequestOptions) -> bool:
        """Send the GET; tell whether its status counts."""
        left = self._schedule.left(self._clock())
        try:
            seen = await self._client.status(
                self._model_id,
                direction=self._direction,
                within=left + self._schedule.policy.last_poll,
                options=replace(options, leave_within=left),
            )
        except ModelNotFoundError:
            if self._schedule.in_grace(self._clock()):
                self.error, self._outdated = None, "Model not found"
                return False
            raise
        self.error = None
        self._task, verdict = self._task.polled(seen, in_grace=self._schedule.in_grace(self._clock()))
        if verdict is not Verdict.COUNTS:
            self._outdated = f"{seen.status}, {seen.error.rstrip('.')}" if seen.error else seen.status
            return False
        self._last = seen if self._largest is None else capped(seen, self._largest)
        self._outdated = None
        return True

    def _refused(self, refusal: OverloadedError) -> None:
        """Show that the API is overloaded; the request is sent again later."""
        self.error = refusal
        self._log(f"{refusal}; will send it again")
        self._show(self._facts)

    def _note(self, request: SentRequest) -> None:
        self._sent = request
        self._requests += 1
        paths = "" if self._client.paths is DOCUMENTED else f" ({self._client.paths.name} paths)"
        self._unlogged = f"{self._model_id}, request {self._requests}{paths}: {request}"

    def _log(self, decision: str) -> None:
        """Log the last request with the decision after it, if there was one since the last line."""
        if self._unlogged:
            self._reporter.debug(f"{self._unlogged}: {decision}")
            self._unlogged = ""

    def _show(self, facts: Facts) -> None:
        self._line.show(facts.line, news=facts.news, now=self._clock())

    @property
    def _facts(self) -> Facts:
        now = self._clock()
        return Facts(
            self._model_id,
            self._last,
            self.error,
            waited=now - self._schedule.started,
            unanswered_for=self._schedule.unanswered_for(now),
            outdated=self._outdated,
            lost=self._task.at is At.LOST,
            direction=self._direction,
            again=self._again,
        )


_UNCONFIRMED = Record(Phase.PENDING.value, unconfirmed=True)


def _unforeseen(model_id: str, exc: Exception) -> UnforeseenError:
    what = printable(f"{type(exc).__name__}: {exc}", 200).rstrip(".")
    trace = "".join(traceback.format_exception(exc))[-_LONGEST_TRACEBACK:]
    return UnforeseenError(f"Model {model_id}: a bug in nugen-pulumi: {what}.", trace)
