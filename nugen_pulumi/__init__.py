"""Wait, in a Pulumi program, until a Nugen model is undeployed."""

from nugen_pulumi.errors import (
    ModelNotFoundError,
    NugenError,
    RejectedError,
    SettingsError,
    UnavailableError,
    UndeployFailedError,
    UnfinishedFleetError,
    WaitInterruptedError,
    WaitTimeoutError,
)
from nugen_pulumi.resource import UndeployedModel, UndeployedModels

__all__ = [
    "ModelNotFoundError",
    "NugenError",
    "RejectedError",
    "SettingsError",
    "UnavailableError",
    "UndeployFailedError",
    "UndeployedModel",
    "UndeployedModels",
    "UnfinishedFleetError",
    "WaitInterruptedError",
    "WaitTimeoutError",
]
