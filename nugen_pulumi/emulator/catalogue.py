"""What can be answered: as values, and by name what is documented and what was seen in the wild. Knows no models."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from http.client import responses
from typing import Any, Final

# The documented example, so that a test knows the times of a scripted answer.
EXAMPLE_START: Final = "2024-02-24T10:00:00Z"
EXAMPLE_END: Final = "2024-02-24T10:02:30Z"


class Absent(Enum):
    """The type of ``ABSENT``, which stands for a field that is not there at all."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Delivery(Enum):
    """How an answer gets to the client. All but the first two end the connection."""

    WHOLE = "as HTTP wants it"
    TWICE = "as HTTP wants it, and the same once more"
    DAMAGED = "bytes that no TLS can decrypt"
    DRIP = "a byte of the body at a time"
    HALF = "half of the body"
    BARE = "the body without status and headers"
    DROP = "closed without a byte"
    RESET = "reset without a byte"


@dataclass(frozen=True)
class Answer:
    """
    One HTTP answer, exactly.

    Attributes:
        status: HTTP status, int, 200 to 599. Default 200.
        body: A ``str`` (as UTF-8) or ``bytes`` is sent as it stands; anything else is sent as JSON, so that ``None``
            is ``null``. Default: empty.
        headers: Names and values, mapping of str. ``Content-Type`` is ``application/json`` unless it is among them,
            for texts and bytes too. Default: none.
        delay: Seconds, float, between the request and the answer; before each byte of a ``DRIP``. Default 0.
        delivery: How much of it gets to the client, ``Delivery``. Default ``WHOLE``.

    Raises:
        TypeError, ValueError: The body is not JSON, or HTTP could not carry the answer.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    delivery: Delivery = Delivery.WHOLE

    def __post_init__(self) -> None:
        """Refuse what could not be sent."""
        if not 200 <= self.status <= 599:
            raise ValueError(f"an answer's status is from 200 to 599, not {self.status}")
        # Checked here because a mistake in a test should fail in the test, not in the server's thread.
        if self.content and self.status in (204, 304):
            raise ValueError(f"an answer with status {self.status} has no body")

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body).encode()


@dataclass(frozen=True)
class StatusBody:
    """
    An answer of the status endpoint that does not know yet which model it is about.

    Attributes:
        word: The ``status``, str, in the case in which it is to be sent.
        result: The ``result``, any JSON, or ``ABSENT``. Default ``None``.
        start_time: The ``start_time``, str, ``None`` or ``ABSENT``. Default: the documented example.
        end_time: The ``end_time``, str, ``None`` or ``ABSENT``. Default ``None``.
        model_id: The id to echo, str; ``None`` is the id that was asked for. Default ``None``.
        headers: As in ``Answer``.
        delay: Seconds, float, as in ``Answer``.
    """

    word: str
    result: Any = None
    start_time: str | Absent | None = EXAMPLE_START
    end_time: str | Absent | None = None
    model_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def answer(self, model_id: str) -> Answer:
        """Return the answer to a request for *model_id*."""
        fields = {
            "model_id": model_id if self.model_id is None else self.model_id,
            "status": self.word,
            "result": self.result,
            "start_time": self.start_time,
            "end_time": self.end_time,
        }
        body = {name: value for name, value in fields.items() if value is not ABSENT}
        return Answer(body=body, headers=self.headers, delay=self.delay)


_PAGE: Final = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def pending() -> StatusBody:
    """200, the undeployment is running."""
    return StatusBody("PENDING")


def completed(result: Any = None) -> StatusBody:
    """
    200, the model is undeployed.

    *result* is any JSON, or ``ABSENT``. The documented one is ``MESSAGE``; the live API was seen to send ``TWIN``.
    """
    return StatusBody("COMPLETED", result=result, end_time=EXAMPLE_END)


def failed(reason: str) -> StatusBody:
    """200, the undeployment ended badly: *reason* is in ``result.error``."""
    return StatusBody("FAILED", result={"error": reason}, end_time=EXAMPLE_END)


def nothing_running(state: str = "DEPLOYED", task: str = "undeployment") -> StatusBody:
    """200 with the word FAILED, which here means that there is no *task*: the model is in *state*."""
    return failed(f"No active {task}. Model status is {state}.")


MESSAGE: Final[Mapping[str, str]] = {"message": "Model successfully undeployed"}
TWIN: Final[Mapping[str, str]] = {"deployment_status": "UNDEPLOYED"}
DEPLOYED: Final[Mapping[str, str]] = {"deployment_status": "DEPLOYED"}
REVERTED: Final = "Redeployment failed and was reverted to READY status"


def status(word: str) -> StatusBody:
    """200 with *word*, in its own case, and what plausibly goes with it. An unknown word looks like a running task."""
    known = {"COMPLETED": completed(MESSAGE), "FAILED": failed("Undeployment failed")}
    return replace(known.get(word.upper(), pending()), word=word)


def deploy_status(word: str) -> StatusBody:
    """Return the same for a deployment."""
    known = {"COMPLETED": completed(DEPLOYED), "FAILED": failed(REVERTED)}
    return replace(known.get(word.upper(), pending()), word=word)


def newer_status(state: str, error: str | None = None) -> Answer:
    """200 of the newer family: what the model is, and what went wrong last."""
    at_rest = {"READY": "UNDEPLOYED", "EVALUATED": "UNDEPLOYED"}
    return Answer(body={"status": at_rest.get(state, state), "error": error})


_NEWER: Final[Mapping[str, Mapping[str, str]]] = {
    "undeployment": {"PENDING": "UNDEPLOYING", "COMPLETED": "UNDEPLOYED", "FAILED": "DEPLOYED"},
    "deployment": {"PENDING": "DEPLOYING", "COMPLETED": "DEPLOYED", "FAILED": "UNDEPLOYED"},
}


def newer(right: Answer, task: str) -> Answer:
    """
    Return what the newer family would say instead of *right*, a documented answer about a *task*.

    What is no status, or has an ``error`` and so is a newer one, stays as it is, and so does a word of no family.
    """
    if not isinstance(right.body, Mapping) or not isinstance(right.body.get("status"), str) or "error" in right.body:
        return right
    word, result = right.body["status"], right.body.get("result")
    reason = result.get("error") if isinstance(result, Mapping) else None
    state = _NEWER[task].get(word.upper(), word)
    if word.upper() == "FAILED" and isinstance(reason, str):
        at_rest = re.fullmatch(rf"No active {task}\. Model status is (\w+)\.", reason)
        state, reason = (at_rest[1], None) if at_rest else (state, reason)
    return replace(right, body=newer_status(state.lower() if word.islower() else state, reason).body)


def bad_request() -> Answer:
    """400, as documented."""
    return Answer(400, {"detail": "Bad request"})


def internal_error_as_400() -> Answer:
    """400 for error of the server, with the trailing space it was seen with."""
    return Answer(400, {"detail": "Internal server error "})


def already_undeployed() -> Answer:
    """400 to a DELETE: nothing to do."""
    return Answer(400, {"detail": "Model is already undeployed"})


def undeployment_running() -> Answer:
    """400 to a DELETE while one is running. A guess: the API does not say."""
    return Answer(400, {"detail": "Model is already being undeployed"})


def not_undeployable(state: str = "DEPLOYING") -> Answer:
    """400 to a DELETE while the model is being deployed. A guess: the API does not say."""
    return Answer(400, {"detail": f"Model cannot be undeployed. Current status: {state}"})


def already_deployed() -> Answer:
    """400 to a POST: nothing to do."""
    return Answer(400, {"detail": "Model is already deployed"})


def deployment_running() -> Answer:
    """400 to a POST while one is running. A guess: the API does not say."""
    return Answer(400, {"detail": "Model is already deploying"})


def not_deployable(state: str = "UNDEPLOYING") -> Answer:
    """400 to a POST while the model is being undeployed."""
    return Answer(400, {"detail": f"Model cannot be redeployed. Current status: {state}"})


def not_authenticated(status: int = 403) -> Answer:
    """No ``Authorization`` header: 403, or 401 as *status*, both plausible."""
    return Answer(status, {"detail": "Not authenticated"})


def key_rejected() -> Answer:
    """403, the key is unknown."""
    return Answer(403, {"detail": "Could not validate credentials. Reason: API key not found"})


def model_not_found() -> Answer:
    """404 about the model: there is none, or it is somebody else's."""
    return Answer(404, {"detail": "Model not found"})


def wrong_route() -> Answer:
    """404 about the path: a wrong base URL, or a retired endpoint. Says nothing about the model."""
    return Answer(404, {"detail": "Not Found"})


def invalid_request() -> Answer:
    """422, as documented: ``detail`` is a list."""
    return Answer(
        422, {"detail": [{"loc": ["path", "model_id"], "msg": "field required", "type": "value_error.missing"}]}
    )


def quota_exhausted() -> Answer:
    """429, an empty account, not haste: asking again later does not help."""
    reason = "Quota limit reached. Please add credits to your account to continue using the API."
    return Answer(429, {"detail": reason})


def internal_error() -> Answer:
    """500 with JSON, as seen in the middle of a task that went on to succeed."""
    return Answer(500, {"detail": "Internal server error"})


def bad_gateway() -> Answer:
    """502 with HTML, from the proxy in front of the API."""
    return Answer(502, _PAGE.format("502 Bad Gateway"), {"Content-Type": "text/html"})


def gateway_timeout() -> Answer:
    """504 with HTML, from the proxy in front of the API."""
    return Answer(504, _PAGE.format("504 Gateway Time-out"), {"Content-Type": "text/html"})


def origin_unreachable() -> Answer:
    """530 with text, from the network in front of the proxy."""
    return Answer(530, "error code: 1033", {"Content-Type": "text/plain; charset=UTF-8"})


def detail_object(status: int, message: str) -> Answer:
    """*status* with a ``detail`` that is an object, not a text."""
    return Answer(status, {"detail": {"message": message}})


def undeploying(model_id: str) -> Answer:
    """200 to a DELETE: the id as a bare JSON string."""
    return Answer(body=json.dumps(model_id))


def undeploying_object(model_id: str) -> Answer:
    """200 to a DELETE: the id in an object."""
    return Answer(body={"model_id": model_id})


def listed(model_id: str, state: str, shape: str = "old") -> dict[str, Any]:
    """Return one item of the list of models, in the *shape* "old" or "new" (of September 2026)."""
    # A guess: what the old shape says of the states between is not known.
    deployed = "DEPLOYED" if state in ("DEPLOYED", "UNDEPLOYING") else "UNDEPLOYED"
    alignment_id = f"alignment-{model_id}"
    if shape == "new":
        return {
            "model_id": model_id,
            "model_name": model_id,
            "base_model_id": "emulated-base-model",
            "alignment_id": alignment_id,
            "deployment_status": state if state in ("DEPLOYING", "UNDEPLOYING") else deployed,
            "created_at": EXAMPLE_START,
        }
    return {
        "id": model_id,
        "alignment_id": alignment_id,
        "name": model_id,
        "base_model": "emulated-base-model",
        "created_date": EXAMPLE_START,
        "status": state,
        "deployment_status": deployed,
        "endpoint": None,
    }


def deploying(model_id: str) -> Answer:
    """200 to a POST: the id in an object."""
    return Answer(body={"model_id": model_id})


_KNOWN: Final[Mapping[int, Callable[[], Answer]]] = {
    400: bad_request,
    401: lambda: not_authenticated(401),
    403: key_rejected,
    404: model_not_found,
    422: invalid_request,
    429: quota_exhausted,
    500: internal_error,
    502: bad_gateway,
    504: gateway_timeout,
    530: origin_unreachable,
}


def error(status: int, *, headers: Mapping[str, str] | None = None, delay: float = 0.0) -> Answer:
    """
    Return the answer that goes with the HTTP *status*, with the body it is documented or was seen with.

    Args:
        status: HTTP status, int.
        headers: More headers, such as ``Retry-After``, mapping of str. Default: none.
        delay: Seconds, float, before it is sent. Default 0.
    """
    known = _KNOWN.get(status)
    answer = known() if known else Answer(status, {"detail": responses.get(status, "Error")})
    return replace(answer, headers={**answer.headers, **(headers or {})}, delay=delay)
