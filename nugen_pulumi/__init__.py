"""Wait, in a Pulumi program, until a Nugen model is undeployed."""

from nugen_pulumi.errors import (
    ModelNotFoundError,
    NugenError,
    RejectedError,
    SettingsError,
    UnavailableError,
    UndeployFailedError,
    WaitInterruptedError,
    WaitTimeoutError,
)
from nugen_pulumi.resource import UndeployedModel

__all__ = [
    "ModelNotFoundError",
    "NugenError",
    "RejectedError",
    "SettingsError",
    "UnavailableError",
    "UndeployFailedError",
    "UndeployedModel",
    "WaitInterruptedError",
    "WaitTimeoutError",
]
