"""What can be answered, as values. Knows neither servers, nor models, nor time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
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
