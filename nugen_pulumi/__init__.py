"""Put Nugen models into service, and take them out of it, in a Pulumi program."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nugen_pulumi.account import Provider
    from nugen_pulumi.api.statuses import AlignedModel, FleetModel
    from nugen_pulumi.deployed_model import DeployedModel
    from nugen_pulumi.errors import (
        InputError,
        ModelNotFoundError,
        NugenError,
        RejectedError,
        SettingsError,
        UnavailableError,
    )
    from nugen_pulumi.functions import (
        GetModelsResult,
        GetUndeployStatusResult,
        get_models,
        get_models_output,
        get_undeploy_status,
        get_undeploy_status_output,
    )
    from nugen_pulumi.undeployed_model import UndeployedModel, UndeployedModels

__all__ = [
    "AlignedModel",
    "DeployedModel",
    "FleetModel",
    "GetModelsResult",
    "GetUndeployStatusResult",
    "InputError",
    "ModelNotFoundError",
    "NugenError",
    "Provider",
    "RejectedError",
    "SettingsError",
    "UnavailableError",
    "UndeployedModel",
    "UndeployedModels",
    "get_models",
    "get_models_output",
    "get_undeploy_status",
    "get_undeploy_status_output",
]

_MODULES = ("undeployed_model", "deployed_model", "account", "functions", "errors", "api.statuses")


def __getattr__(name: str) -> Any:
    # When it is asked for, because the native face lives in this package, too, and needs nothing of the dynamic one.
    if name in __all__:
        modules = (import_module(f"nugen_pulumi.{module}") for module in _MODULES)
        return next(getattr(module, name) for module in modules if hasattr(module, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
