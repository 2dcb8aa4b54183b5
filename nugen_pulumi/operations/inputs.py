"""What a program may ask for: checked in preview, read into a value for everything after. No I/O."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pulumi import Archive, Asset
from pulumi.output import Unknown

from nugen_pulumi.api.directions import DEPLOY, Direction
from nugen_pulumi.api.statuses import PULUMI_SIGNATURE
from nugen_pulumi.waiting.polling import WaitPolicy

DEFAULTS: Mapping[str, Any] = {"undeploy": False, "wait": True, "poll_interval_seconds": 5.0, "on_failure": "error"}
DEPLOYED_DEFAULTS: Mapping[str, Any] = {"wait": True, "poll_interval_seconds": 5.0}
DEFAULT_TIMEOUT_SECONDS = 1800.0
# A property of a resource that is read in a preview. Older SDKs keep names that begin with `__` from a provider.
READ_IN_PREVIEW = "read_in_preview"
_OF_ALL = ("undeploy", "wait", "timeout_seconds", "poll_interval_seconds", "on_failure", "triggers")
NAMES = ("model_id", "model_ids", *_OF_ALL)
LONGEST_MODEL_ID = 512
# Seconds. A shorter timeout leaves no time for one request; a shorter interval only burdens the API.
SHORTEST_TIMEOUT = 1.0
SHORTEST_INTERVAL = 0.5
LARGEST_FLEET = 10_000
# Bytes of all ids together: they stand in state three times, and what is kept has a size.
LARGEST_FLEET_IDS = 1024 * 1024


@dataclass(frozen=True)
class Inputs:
    """The inputs of one resource, as the resource describes them, with their defaults but for the timeout's."""

    undeploy: bool
    wait: bool
    timeout_seconds: float | None
    poll_interval_seconds: float
    on_failure: Literal["error", "record"]

    @classmethod
    def read(cls, props: Mapping[str, Any]) -> Inputs:
        """
        Read checked properties. Those that are absent have their defaults: on the wire None means absent.

        What is read in a preview does not wait.
        """
        return cls(
            undeploy=props.get("undeploy", DEFAULTS["undeploy"]),
            wait=props.get("wait", DEFAULTS["wait"]) and not props.get(READ_IN_PREVIEW, False),
            timeout_seconds=props.get("timeout_seconds"),
            poll_interval_seconds=props.get("poll_interval_seconds", DEFAULTS["poll_interval_seconds"]),
            on_failure=props.get("on_failure", DEFAULTS["on_failure"]),
        )

    def requests(self, direction: Direction) -> bool:
        """Tell whether the program asks for the task itself, not only for its status."""
        return self.undeploy or direction is DEPLOY

    @property
    def strict(self) -> bool:
        """A task that ends without its goal is an error, and not only an output."""
        return self.wait and self.on_failure == "error"

    def policy(self, custom_timeout: float | None) -> WaitPolicy:
        """Return when to poll and when to stop; *custom_timeout* is that of ``opts.custom_timeouts``, in seconds."""
        timeout = self.timeout_seconds or custom_timeout or DEFAULT_TIMEOUT_SECONDS
        return WaitPolicy(timeout=timeout, longest_pause=self.poll_interval_seconds)


def changed(olds: Mapping[str, object], news: Mapping[str, object]) -> set[str]:
    """Name the inputs that differ between state and program."""
    return {name for name in NAMES if olds.get(name) != news.get(name)}


def same_ids(olds: Any, news: list[Any]) -> bool:
    """Tell whether two lists hold the same ids, in whatever order."""
    return (
        isinstance(olds, list)
        and not any(isinstance(item, Unknown) for item in news)
        and len(olds) == len(news)
        and set(olds) == set(news)
    )


def problems(props: Mapping[str, Any], id_name: str = "model_id") -> list[tuple[str, str]]:
    """Return what is wrong with *props*: property and reason, at most once for each. What is not known yet passes."""
    return [
        (name, reason)
        for name, check in {id_name: _IDS[id_name], **_CHECKS}.items()
        if not isinstance(props.get(name), Unknown) and (reason := check(props.get(name))) is not None
    ]


def model_id_problem(value: Any) -> str | None:  # noqa: PLR0911 - one line for each reason
    """Say why *value* cannot be a model id (one segment of the URL's path), or None."""
    if not isinstance(value, str) or not value:
        return "must be a non-empty string, such as aligned-model-01kmqm4nrn9fw6r"
    if value in (".", ".."):
        return "must not be . or .."
    if re.search(r"[/\\?#]", value):
        return "must not contain / \\ ? or #, because they would change the URL"
    if any(c.isspace() or not c.isprintable() for c in value):
        return "must not contain white space or control characters"
    if value == PULUMI_SIGNATURE:
        return "must not be the key that Pulumi uses for special values in state"
    if len(value) > LONGEST_MODEL_ID:
        return f"must not be longer than {LONGEST_MODEL_ID} characters"
    return None


def _flag_problem(value: Any) -> str | None:
    return None if value is None or isinstance(value, bool) else "must be true or false"


def _at_least(least: float) -> Callable[[Any], str | None]:
    def problem(value: Any) -> str | None:
        if value is None:
            return None
        # In Python a bool is a number; in a program `timeout_seconds=True` is a mistake.
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "must be a number of seconds, not a string or something else"
        if not least <= value < math.inf:
            return f"must be a finite number of seconds, at least {least:g}"
        return None

    return problem


def _on_failure_problem(value: Any) -> str | None:
    return None if value in (None, "error", "record") else 'must be "error" or "record"'


def _triggers_problem(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, list):
        return "must be a list"
    # The SDK cannot read back what state holds of an asset: no later operation would ever reach this package.
    return "must not contain assets or archives: use a hash of their contents" if _holds_asset(value) else None


def _holds_asset(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_asset, value.values()))
    return any(map(_holds_asset, value)) if isinstance(value, list) else isinstance(value, (Asset, Archive))


def model_ids_problem(value: Any) -> str | None:
    """Say why *value* cannot be the models of a fleet, naming the first that are wrong, or None."""
    if not isinstance(value, list) or not 1 <= len(value) <= LARGEST_FLEET:
        return f"must be a list of 1 to {LARGEST_FLEET:,} model ids"
    known = [item for item in value if not isinstance(item, Unknown)]
    wrong = [f"{item!r} {reason}" for item in known if (reason := model_id_problem(item)) is not None]
    if not wrong:
        wrong = [f"{item!r} occurs more than once" for item, times in Counter(known).items() if times > 1]
    if not wrong and sum(len(item.encode()) for item in known) > LARGEST_FLEET_IDS:
        return "must not be larger than 1 MiB together: use two fleets"
    more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return "; ".join(wrong[:_NAMED]) + more or None


_NAMED = 3
_IDS: Mapping[str, Callable[[Any], str | None]] = {"model_id": model_id_problem, "model_ids": model_ids_problem}
_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "undeploy": _flag_problem,
    "wait": _flag_problem,
    "timeout_seconds": _at_least(SHORTEST_TIMEOUT),
    "poll_interval_seconds": _at_least(SHORTEST_INTERVAL),
    "on_failure": _on_failure_problem,
    "triggers": _triggers_problem,
}
