"""What create, read, update and delete of the two resources decide. Knows neither the engine's protocol nor a host."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi.output import Unknown

from nugen_pulumi import inputs, outputs
from nugen_pulumi.budget import within_budget
from nugen_pulumi.errors import InputError, ModelNotFoundError, SettingsError, UndeployFailedError, UnfinishedFleetError
from nugen_pulumi.inputs import DEFAULTS, Given, Inputs
from nugen_pulumi.messages import GET_ADVICE, acts_on, drift, failed, fleet_drift, unfinished_fleet, unseen_fleet
from nugen_pulumi.outputs import FleetModel, FleetState, ModelState
from nugen_pulumi.settings import MissingKeyError, Settings

if TYPE_CHECKING:
    from nugen_pulumi.runtime import Runtime


@dataclass(frozen=True)
class Operation:
    """
    An operation under way, as seen from here.

    Attributes:
        runtime: Returns what sends requests. Called only if something has to be requested.
        timeout: The operation's ``customTimeouts`` in seconds, or None.
        report: Shows a line while the operation lasts.
        warn: Shows a message that stays.
    """

    runtime: Callable[[], Runtime]
    timeout: float | None
    report: Callable[[str], object]
    warn: Callable[[str], object]


@dataclass(frozen=True)
class Difference:
    """
    What differs between state and program.

    Attributes:
        changes: An update has something to do, or to record.
        replaces: The inputs whose change replaces the resource.
    """

    changes: bool
    replaces: list[str]


def check(props: Mapping[str, Any], id_name: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return *props* with defaults filled in, and what is wrong with them: property and reason."""
    failures = [
        # The engine prints the whole value of a property that it is given: up to ten thousand ids, and twice.
        ("", f"{name} {reason}") if name == "model_ids" else (name, reason)
        for name, reason in inputs.problems(props, id_name)
    ]
    return {**DEFAULTS, **props}, failures


def settings_problem(find: Callable[[str], Any], *, creating: bool) -> str | None:
    """
    Return what is wrong with the settings, or None.

    Args:
        find: Looks a key such as ``nugen:apiKey`` up.
        creating: The resource does not exist yet: only then must there be a key, because what exists may need no
            request.
    """
    try:
        Settings.find(find)
    except MissingKeyError as exc:
        return str(exc) if creating else None
    except SettingsError as exc:
        return str(exc)
    return None


class ModelOperations:
    """Of one model: ``UndeployedModel``."""

    id_name = "model_id"

    def diff(self, olds: ModelState, news: ModelState) -> Difference:
        """Compare what state holds with what the program says."""
        changed = inputs.changed(olds, news)
        return Difference(
            changes=bool(changed) or not outputs.settled(outputs.recorded(olds), Inputs.read(news)),
            replaces=[name for name in ("model_id", "triggers") if name in changed],
        )

    def create(self, operation: Operation, news: ModelState) -> tuple[str, ModelState]:
        """Request the undeployment if told to, and find out how it ends."""
        model_id = news["model_id"]
        with _keeping(model_id, lambda status: outputs.of_model(news, outputs.entry(status))):
            known = self._find_out(operation, model_id, Inputs.read(news), undeploy=Inputs.read(news).undeploy)
        return model_id, outputs.of_model(news, known)

    def update(self, operation: Operation, id_: str, olds: ModelState, news: ModelState) -> ModelState:
        """Go on where the last operation stopped; without any request if there is nothing left to find out."""
        wanted, known = Inputs.read(news), outputs.recorded(olds)
        undeploy = outputs.next_request(known, wanted, requested=bool(olds.get("undeploy")))
        if known is not None and undeploy is None:
            return outputs.of_model(news, known)
        with _keeping(id_, lambda status: outputs.of_model(news, outputs.entry(status))):
            return outputs.of_model(news, self._find_out(operation, id_, wanted, undeploy=bool(undeploy)))

    def refresh(self, operation: Operation, id_: str, props: ModelState) -> ModelState | None:
        """Poll once; return what is seen, or None if the model is gone."""
        known = outputs.recorded(props)
        try:
            seen = outputs.entry(operation.runtime().poll(id_))
        except ModelNotFoundError:
            return None
        if (message := drift(id_, known, seen)) is not None:
            operation.warn(f"{message} {acts_on(settled=outputs.settled(seen, Inputs.read(props)))}")
        return outputs.of_model(props, outputs.seen_again(known, seen))

    def get(self, operation: Operation, id_: str, props: Given) -> ModelState:
        """Find out like ``create``, but never request the undeployment: for a resource that is read, not managed."""
        asked = {**props, "model_id": id_}
        # The engine checks the inputs of what it manages only.
        if bad := inputs.problems(asked):
            raise InputError("; ".join(f"{name} {reason}" for name, reason in bad) + ".")
        return outputs.of_model(asked, self._find_out(operation, id_, Inputs.read(props), advice=GET_ADVICE))

    def _find_out(
        self,
        operation: Operation,
        model_id: str,
        wanted: Inputs,
        *,
        undeploy: bool = False,
        advice: str | None = None,
    ) -> FleetModel:
        """Wait or poll once, as wanted; a FAILED is an error unless it is wanted as an output."""
        if not wanted.wait:
            return outputs.entry(operation.runtime().poll(model_id, undeploy=undeploy))
        policy = wanted.policy(operation.timeout)
        status = operation.runtime().wait(model_id, policy, undeploy=undeploy, report=operation.report)
        known = outputs.entry(status)
        if (message := failed(model_id, known, wanted, advice)) is not None:
            failure = UndeployFailedError(message)
            failure.last = status
            raise failure
        return known


class FleetOperations:
    """Of a fleet: ``UndeployedModels``."""

    id_name = "model_ids"

    def diff(self, olds: FleetState, news: FleetState) -> Difference:
        """Compare what state holds with what the program says; the order of the ids means nothing."""
        changed = inputs.changed(olds, news)
        ids = news["model_ids"]
        if not _is_unknown(ids) and inputs.same_ids(olds.get("model_ids"), ids):
            changed.discard("model_ids")
        unsettled = not _is_unknown(ids) and not outputs.fleet_settled(olds.get("models") or {}, ids, Inputs.read(news))
        return Difference(bool(changed) or unsettled, ["triggers"] if "triggers" in changed else [])

    def create(self, operation: Operation, news: FleetState) -> tuple[str, FleetState]:
        """Request the undeployments if told to, and find out how they end."""
        digest = hashlib.sha256("\n".join(sorted(news["model_ids"])).encode()).hexdigest()
        id_ = f"fleet-{digest[:16]}"
        return id_, self._go_on(operation, id_, {}, news)

    def update(self, operation: Operation, id_: str, olds: FleetState, news: FleetState) -> FleetState:
        """Find out about the unsettled and the new, forget the removed; without any request if there are none."""
        return self._go_on(operation, id_, olds, news)

    def refresh(self, operation: Operation, _id: str, props: FleetState) -> FleetState:
        """Poll each model. Only what the API does not know is dropped; any other failure is an error."""
        known, ids = props.get("models") or {}, props["model_ids"]
        wanted = Inputs.read(props)
        seen = operation.runtime().follow_all(
            dict.fromkeys(ids, False), wanted.policy(None), wait=False, report=operation.report
        )
        errors = [
            str(outcome.error)
            for outcome in seen.values()
            if outcome.error is not None and not isinstance(outcome.error, ModelNotFoundError)
        ]
        if errors:
            raise UnfinishedFleetError(unseen_fleet(len(ids), errors))
        # As state would hold it: what is left out there would be a change otherwise.
        now = within_budget({model_id: outcome.known for model_id, outcome in seen.items() if outcome.known})
        if drifted := [line for id_, model in now.items() if (line := drift(id_, known.get(id_), model))]:
            settled = outputs.fleet_settled(now, now, wanted)
            operation.warn(fleet_drift(len(ids), drifted, settled=settled))
        models = {model_id: outputs.seen_again(known.get(model_id), model) for model_id, model in now.items()}
        return outputs.of_fleet(props, models)

    def _go_on(self, operation: Operation, id_: str, olds: FleetState, news: FleetState) -> FleetState:
        """Find out what *olds* does not know; what is found out is kept, whatever becomes of the rest."""
        wanted, ids = Inputs.read(news), news["model_ids"]
        known = olds.get("models") or {}
        models = {model_id: known[model_id] for model_id in ids if model_id in known}
        requested = bool(olds.get("undeploy"))
        requests = {
            model_id: undeploy
            for model_id in ids
            if (undeploy := outputs.next_request(models.get(model_id), wanted, requested=requested)) is not None
        }
        if not requests:
            return outputs.of_fleet(news, models)
        before = sum(model["undeployed"] for model_id, model in models.items() if model_id not in requests)
        with _keeping(id_, lambda models: outputs.of_fleet(news, models)):
            policy = wanted.policy(operation.timeout)
            outcomes = operation.runtime().follow_all(
                requests, policy, wait=wanted.wait, before=before, report=operation.report
            )
            reasons, tracebacks = [], []
            for model_id, outcome in outcomes.items():
                if outcome.known is not None:
                    models[model_id] = outcome.known
                if outcome.error is not None:
                    reasons.append(str(outcome.error))
                    tracebacks += [outcome.error.traceback] if outcome.error.traceback else []
                elif outcome.known and wanted.wait and (message := failed(model_id, outcome.known, wanted)):
                    reasons.append(message)
            if reasons:
                message = unfinished_fleet(len(ids), reasons)
                # One is enough to mend it: a mistake of ours usually meets many models alike.
                raise UnfinishedFleetError("\n".join([message, *tracebacks[:1]]).rstrip(), kept=models)
        return outputs.of_fleet(news, models)


def _is_unknown(value: object) -> bool:
    """In a preview even the list of ids may not be known yet."""
    return isinstance(value, Unknown)


@contextmanager
def _keeping(id_: str, complete: Callable[[Any], ModelState | FleetState]) -> Iterator[None]:
    """Give an error that knows something (its ``last``) what is to stay in state, as ``kept``: id and outputs."""
    try:
        yield
    except Exception as exc:
        if (last := getattr(exc, "last", None)) is not None:
            exc.kept = id_, complete(last)  # type: ignore[attr-defined] # a mistake of ours has none
        raise
