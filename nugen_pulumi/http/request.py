"""An HTTP request as its caller sees it: what to do meanwhile, and how it went. Sends nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from nugen_pulumi.errors import OverloadedError

# Seconds without one usable response to any request of the process, after which all of its waits end.
LONGEST_OUTAGE = 300.0
# The same for a single poll that is not part of a wait: a refresh, or a look-up from a program.
LONGEST_OUTAGE_OF_POLL = 30.0


class SentRequest(NamedTuple):
    """
    A request that was sent once, and what came of it, without the API key.

    Attributes:
        method: Of HTTP.
        path: Below the base URL.
        seconds: How long it took.
        status: The HTTP status of the response; None if there was no whole response.
        request_id: What the response calls the request, or empty.
        excerpt: What the body looks like if it was of no use; else empty.
    """

    method: str
    path: str
    seconds: float
    status: int | None = None
    request_id: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        """``GET 200 in 12 ms (request 4f1c)``."""
        status = "without a response" if self.status is None else str(self.status)
        name = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.method} {status} in {self.seconds * 1000:.0f} ms{name}"


@dataclass(frozen=True)
class RequestOptions:
    """
    What a caller wants besides the response.

    Attributes:
        longest_outage: Seconds without a usable response to any request of the process after which this one, when
            refused, is not sent again.
        leave_within: Seconds after which the request leaves even if the API said to stay away; if it cannot, it ends
            then. Infinite: it waits for its turn.
        on_sent: Called with each :class:`SentRequest`: a request is sent again for as long as it is refused.
        on_refusal: Called with each refusal after which it is sent again.
    """

    longest_outage: float = LONGEST_OUTAGE
    leave_within: float = math.inf
    on_sent: Callable[[SentRequest], object] = lambda _: None
    on_refusal: Callable[[OverloadedError], object] = lambda _: None


DEFAULT_OPTIONS = RequestOptions()
