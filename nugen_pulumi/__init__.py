"""Wait, in a Pulumi program, until a Nugen model is undeployed."""

from nugen_pulumi.errors import (
    InputError,
    ModelNotFoundError,
    NugenError,
    RejectedError,
    SettingsError,
    UnavailableError,
)
from nugen_pulumi.explicit_provider import Provider
from nugen_pulumi.lookup import GetUndeployStatusResult, get_undeploy_status, get_undeploy_status_output
from nugen_pulumi.outputs import FleetModel
from nugen_pulumi.resource import UndeployedModel, UndeployedModels

__all__ = [
    "FleetModel",
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
    "get_undeploy_status",
    "get_undeploy_status_output",
]
