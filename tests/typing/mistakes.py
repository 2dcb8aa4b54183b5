"""Mistakes that type checkers find. Type-checked, never run: an ignore that is not needed is an error here."""

from collections.abc import Mapping

from nugen_pulumi import FleetModel, Provider, UndeployedModel, UndeployedModels

UndeployedModel("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
UndeployedModel("a", model_id=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
UndeployedModel("a", model_id="m", on_failure="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
UndeployedModels("f", model_ids="m")  # a str is a sequence of str; the preview refuses it
UndeployedModels("f", model_ids=[3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
Provider("eu", api_key=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
found: int = UndeployedModel("a", model_id="m").status  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def reason(models: Mapping[str, FleetModel]) -> str | None:
    """Read what may not be there."""
    return models["m"]["error"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
