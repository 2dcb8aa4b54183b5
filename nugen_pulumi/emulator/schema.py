"""The documented shapes, for the OpenAPI document only: what is really sent may deviate from them on purpose."""

from datetime import datetime
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from nugen_pulumi.emulator.answers import EXAMPLE_END, EXAMPLE_START, Answer
from nugen_pulumi.emulator.catalogue import bad_request, invalid_request, model_not_found


class DeployTaskStatus(str, Enum):
    """The phase of a task."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class UndeployStatusResponse(BaseModel):
    """One answer of the status endpoint."""

    # Pydantic before 2.10 warns of every field that starts with `model_`.
    model_config = ConfigDict(protected_namespaces=())

    model_id: str = Field(description="The model that is undeployed", examples=["model_abc123"])
    status: DeployTaskStatus = Field(description="The phase of the undeployment", examples=["COMPLETED"])
    result: dict[str, Any] | None = Field(None, description="What came of it")
    start_time: datetime | None = Field(None, description="When it started", examples=[EXAMPLE_START])
    end_time: datetime | None = Field(None, description="When it ended", examples=[EXAMPLE_END])


class DeployStatusResponse(UndeployStatusResponse):
    """One answer of the status endpoint of deployments: the same shape."""


class DeployResponse(BaseModel):
    """The answer to a POST that starts a deployment."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str = Field(description="The model that is deployed", examples=["model_abc123"])


class DeploymentStatusResponse(BaseModel):
    """One answer of the newer family's status endpoint. Nobody documented it."""

    status: str = Field(description="What the model is", examples=["DEPLOYED"])
    error: str | None = Field(None, description="What went wrong last")


def _documented(description: str, answer: Answer) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": answer.body}}}


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: _documented("Bad request", bad_request()),
    404: _documented("Model not found", model_not_found()),
    422: _documented("Validation error", invalid_request()),
}
