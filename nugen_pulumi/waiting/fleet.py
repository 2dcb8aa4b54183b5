"""Wait for many undeployments at the same time. A failure of one model does not affect the others."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.api.responses import TaskStatus
from nugen_pulumi.api.statuses import FleetModel
from nugen_pulumi.errors import NugenError
from nugen_pulumi.text import duration, printable
from nugen_pulumi.waiting.beginning import Beginning
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.state_size import LARGEST_PENDING_RESULT, Budget, left_out, size_of
from nugen_pulumi.waiting.task import Task
from nugen_pulumi.waiting.wait_messages import SIGN_OF_LIFE, SILENT, LiveLine, Reporter, Silent

_BETWEEN_LINES = 0.5
_LONGEST_TRACEBACK = 8000
# Seconds without a usable response after which the row of a fleet says so.
_LONG_OUTAGE = 10.0


@dataclass(frozen=True)
class ModelOutcome:
    """
    What became of one model of a fleet.

    Attributes:
        known: What is recorded of it, its last status; None if there was no usable response. Its largest values may be
            left out: see :class:`Budget`.
        error: Why its wait ended without a terminal status, or None.
    """

    known: FleetModel | None
    error: NugenError | None = None


class UnforeseenError(NugenError):
    """A mistake of this package in one model of a fleet: it becomes that model's outcome. Its ``traceback`` is set."""


class _DebugOnly(Silent):
    """For one model of many, whose row is the fleet's."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def debug(self, line: str) -> None:
        self._reporter.debug(line)


async def follow_all(
    client: NugenClient,
    models: Mapping[str, bool],
    policy: WaitPolicy,
    *,
    wait: bool,
    before: int = 0,
    recorded: Mapping[str, FleetModel] = MappingProxyType({}),
    reporter: Reporter = SILENT,
) -> dict[str, ModelOutcome]:
    """
    Follow the undeployments of many models, or poll each.

    Args:
        client: Sends the requests, and bounds how many are under way.
        models: The models; for each, whether to request its undeployment first.
        policy: When to poll a model and when to stop.
        wait: Follow to the end; else poll once.
        before: How many more models of the fleet are known to be undeployed: they count in what is reported.
        recorded: What was recorded of models before their undeployment is requested.
        reporter: Is shown how it stands, twice a second at most, and once more at an end that was waited for; and, for
            ``--debug``, each HTTP request in one line. The models show no lines of their own.

    Returns:
        What became of each model. A cancelled task returns, too, with the errors of the waits that it ended.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    outcomes: dict[str, ModelOutcome] = {}
    budget = Budget()

    undeployments: list[Task] = []

    async def one(model_id: str, *, undeploy: bool) -> None:
        undeployment = Task(
            client,
            model_id,
            policy,
            Beginning(request=undeploy, before=recorded.get(model_id)),
            reporter=_DebugOnly(reporter),
            remember=_lighter if wait else None,
        )
        undeployments.append(undeployment)
        try:
            outcome = await _outcome(undeployment, wait=wait)
            if outcome.known is not None:
                budget.spend(model_id, outcome.known)
        except Exception as exc:  # noqa: BLE001 - no model may be missing, whatever goes wrong
            outcome = ModelOutcome(None, _unforeseen(model_id, exc))
        outcomes[model_id] = outcome

    live = LiveLine(reporter.report)

    def line() -> tuple[str, str]:
        outage, error = _outage(client, undeployments)
        count = outage + _count(outcomes.values(), len(models), before)
        return count + error, f"{count} · {duration(clock() - started)}{error}"

    def tell() -> None:
        count, text = line()
        # The count of a large fleet changes all the time: the longer it takes, the rarer are its lines.
        live.show(
            text, news=count, now=clock(), spacing=min(SIGN_OF_LIFE, max(_BETWEEN_LINES, (clock() - started) / 5))
        )

    tasks = [asyncio.create_task(one(model_id, undeploy=undeploy)) for model_id, undeploy in models.items()]
    narrator = asyncio.create_task(_now_and_then(tell))
    under_way, interrupted = set(tasks), False
    while under_way:
        try:
            _, under_way = await asyncio.wait(under_way)
        except asyncio.CancelledError:
            interrupted = True
            for task in under_way:
                task.cancel()
    narrator.cancel()
    if not interrupted:  # interrupted ones did not fail
        live.end(line()[1])
    return outcomes


async def _outcome(undeployment: Task, *, wait: bool) -> ModelOutcome:
    error: NugenError | None = None
    try:
        status: TaskStatus | None = await (undeployment.follow() if wait else undeployment.poll_once())
    except NugenError as exc:
        status, error = exc.last_known, exc
    except Exception as exc:  # noqa: BLE001 - a mistake of ours in one model must not cost the others
        status, error = undeployment.last, _unforeseen(undeployment.model_id, exc)
    if error is not None:
        error.last_known = None  # it may hold a mebibyte
    return ModelOutcome(None if status is None else status.recorded(), error)


def _lighter(status: TaskStatus) -> TaskStatus:
    """Leave a large result of a model that is still pending out: ten thousand of them must fit into memory."""
    if status.terminal or (size := size_of(status.result)) <= LARGEST_PENDING_RESULT:
        return status
    return status.model_copy(update={"result": left_out(size)})


def _unforeseen(model_id: str, exc: Exception) -> UnforeseenError:
    what = printable(f"{type(exc).__name__}: {exc}", 200).rstrip(".")
    error = UnforeseenError(f"Model {model_id}: a bug in nugen-pulumi: {what}.")
    error.traceback = "".join(traceback.format_exception(exc))[-_LONGEST_TRACEBACK:]
    return error


async def _now_and_then(tell: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(_BETWEEN_LINES)
        tell()


def _outage(client: NugenClient, undeployments: Collection[Task]) -> tuple[str, str]:
    """Tell that nothing answers, before the count, and why, after it: what is pending would look healthy otherwise."""
    if client.answered_ever and client.unanswered_for < _LONG_OUTAGE:
        return "", ""
    error = next((one.error for one in undeployments if one.error), None)
    if error is None:
        return "", ""
    since = f"for {duration(client.unanswered_for)}" if client.answered_ever else "yet"
    return f"no response {since} · ", f" · {error}"


def _count(outcomes: Collection[ModelOutcome], asked: int, before: int) -> str:
    good = sum(1 for outcome in outcomes if outcome.known and outcome.known["undeployed"])
    pending, failed = asked - len(outcomes), len(outcomes) - good
    more = [f" · {failed} failed"] * bool(failed) + [f" · {pending} pending"] * bool(pending)
    return f"{before + good} of {before + asked} undeployed{''.join(more)}"
