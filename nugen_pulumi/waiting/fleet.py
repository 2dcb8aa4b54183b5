"""Wait for many undeployments at the same time. A failure of one model does not affect the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.text import duration
from nugen_pulumi.waiting.model_wait import ModelWait, Outcome
from nugen_pulumi.waiting.polling import WaitPolicy
from nugen_pulumi.waiting.reporting import SIGN_OF_LIFE, SILENT, LiveLine, Reporter, Silent
from nugen_pulumi.waiting.state_size import largest_value
from nugen_pulumi.waiting.task_state import Goal

_BETWEEN_LINES = 0.5
# Seconds without a usable response after which the row of a fleet says so.
_LONG_OUTAGE = 10.0


async def follow_all(
    client: NugenClient,
    models: Mapping[str, Goal],
    policy: WaitPolicy,
    *,
    wait: bool,
    before: int = 0,
    reporter: Reporter = SILENT,
) -> dict[str, Outcome]:
    """
    Follow the undeployments of many models, or poll each.

    Args:
        client: Sends the requests.
        models: The models, and what is wanted of each.
        policy: When to poll a model and when to stop.
        wait: Follow to the end; else poll once.
        before: How many more models of the fleet are known to be undeployed: they count in what is reported.
        reporter: Is shown how it stands, twice a second at most, and once more at an end that was waited for; and, for
            ``--debug``, each HTTP request in one line. The models show no lines of their own.

    Returns:
        What became of each model. A cancelled task returns, too, with the errors of the waits that it ended.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    outcomes: dict[str, Outcome] = {}
    largest = largest_value(before + len(models))
    waits = {
        model_id: ModelWait(client, model_id, policy, goal, reporter=Silent(reporter.debug), largest=largest)
        for model_id, goal in models.items()
    }

    async def one(model_id: str) -> None:
        outcomes[model_id] = await waits[model_id].follow(once=not wait)

    live = LiveLine(reporter.report)

    def line() -> tuple[str, str]:
        outage, error = _outage(client, waits.values())
        count = outage + _count(outcomes.values(), len(models), before)
        return count + error, f"{count} · {duration(clock() - started)}{error}"

    def tell() -> None:
        count, text = line()
        # The count of a large fleet changes all the time: the longer it takes, the rarer are its lines.
        live.show(
            text, news=count, now=clock(), spacing=min(SIGN_OF_LIFE, max(_BETWEEN_LINES, (clock() - started) / 5))
        )

    tasks = [asyncio.create_task(one(model_id)) for model_id in models]
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


async def _now_and_then(tell: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(_BETWEEN_LINES)
        tell()


def _outage(client: NugenClient, waits: Collection[ModelWait]) -> tuple[str, str]:
    """Tell that nothing answers, before the count, and why, after it: what is pending would look healthy otherwise."""
    if client.answered_ever and client.failing_for < _LONG_OUTAGE:
        return "", ""
    error = next((one.error for one in waits if one.error), None)
    if error is None:
        return "", ""
    since = f"for {duration(client.failing_for)}" if client.answered_ever else "yet"
    return f"no response {since} · ", f" · {error}"


def _count(outcomes: Collection[Outcome], asked: int, before: int) -> str:
    good = sum(1 for outcome in outcomes if outcome.known and outcome.known.reached)
    pending, failed = asked - len(outcomes), len(outcomes) - good
    more = [f" · {failed} failed"] * bool(failed) + [f" · {pending} pending"] * bool(pending)
    return f"{before + good} of {before + asked} undeployed{''.join(more)}"
