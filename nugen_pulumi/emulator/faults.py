"""
What can go wrong with one answer, by name. Knows neither models nor connections.

A fault spoils what would have been the right answer, and leaves the model alone; with ``carried_out=True`` a DELETE is
carried out all the same, and only its answer is lost.
"""

import gzip
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any, Final

from nugen_pulumi.emulator import catalogue
from nugen_pulumi.emulator.catalogue import Answer, Delivery

_TWO_MIB: Final = 2 * 1024 * 1024


@dataclass(frozen=True)
class Fault:
    """
    What happens to one answer.

    Attributes:
        name: As on the command line, str.
        spoil: Turns the correct response into the one that is sent.
        carried_out: The request has its effect on the model, bool. Default False. Of no matter to a status request.
    """

    name: str
    spoil: Callable[[Answer], Answer] = field(repr=False)
    carried_out: bool = False


def fine() -> Fault:
    """No fault: the right answer to a request that is carried out."""
    return Fault("fine", lambda right: right, carried_out=True)


def answered(name: str, answer: Answer, carried_out: bool = False) -> Fault:
    """*answer* in place of the right one."""
    return Fault(name, lambda _right: answer, carried_out)


def status(code: int, *, headers: Mapping[str, str] | None = None, carried_out: bool = False) -> Fault:
    """An HTTP status from 400, with the body it is known with; 429 is haste here, not an empty account."""
    answer = Answer(429, {"detail": "Too Many Requests"}, headers or {})
    return answered(str(code), answer if code == 429 else catalogue.error(code, headers=headers), carried_out)


def too_many(seconds: int = 1, *, carried_out: bool = False) -> Fault:
    """429 with a ``Retry-After`` of *seconds*."""
    return replace(status(429, headers={"Retry-After": str(seconds)}, carried_out=carried_out), name="429-seconds")


def too_many_until(seconds: float = 1.0, *, carried_out: bool = False) -> Fault:
    """429 with a ``Retry-After`` that is a date, at least *seconds* from the answer."""

    def spoil(right: Answer) -> Answer:
        # A date has whole seconds only.
        then = datetime.fromtimestamp(math.ceil(datetime.now(UTC).timestamp() + seconds), UTC)
        return status(429, headers={"Retry-After": format_datetime(then, usegmt=True)}).spoil(right)

    return Fault("429-date", spoil, carried_out)


def redirect(code: int = 302, to: str = "https://elsewhere.invalid/login", *, carried_out: bool = False) -> Fault:
    """A redirect, to another host unless *to* says otherwise."""
    return answered(str(code), Answer(code, headers={"Location": to}), carried_out)


def html(*, carried_out: bool = False) -> Fault:
    """200 with a page for people."""
    page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Welcome back!</body></html>\n"
    return answered("html", Answer(200, page, {"Content-Type": "text/html"}), carried_out)


def empty(*, carried_out: bool = False) -> Fault:
    """200 with no body."""
    return answered("empty", Answer(), carried_out)


def binary(*, carried_out: bool = False) -> Fault:
    """200 with a body that is not even text."""
    return answered("binary", Answer(200, bytes(range(256))), carried_out)


def shape(body: Any = ("m-1", "COMPLETED"), *, carried_out: bool = False) -> Fault:
    """200 with JSON of another shape."""
    return answered("shape", Answer(200, body), carried_out)


def ansi(*, carried_out: bool = False) -> Fault:
    """500 with a ``detail`` that clears a terminal, paints it red and renames its window."""
    said = "\x1b[2J\x1b[31mred\x1b[0m \x1b]0;renamed\x07\x9b1mbold"
    return answered("ansi", Answer(500, {"detail": said}), carried_out)


def huge(*, carried_out: bool = False) -> Fault:
    """The right answer and 2 MiB of spaces."""
    return Fault("huge", _padded, carried_out)


def bomb(*, carried_out: bool = False) -> Fault:
    """The right answer and 2 MiB of spaces, packed into a few KiB."""
    return Fault("bomb", lambda right: _packed(_padded(right)), carried_out)


def gzipped(*, carried_out: bool = False) -> Fault:
    """The right answer, well compressed, whether or not anybody asked for that."""
    return Fault("gzip", _packed, carried_out)


def mislabelled(encoding: str = "gzip", *, carried_out: bool = False) -> Fault:
    """The right answer, not compressed though its ``Content-Encoding`` says so."""
    return Fault("mislabelled", partial(_labelled, encoding=encoding), carried_out)


def half(*, carried_out: bool = False) -> Fault:
    """Half of the right answer's body, then the connection is closed."""
    return Fault("half", partial(replace, delivery=Delivery.HALF), carried_out)


def garbage(*, carried_out: bool = False) -> Fault:
    """Bytes that are no HTTP, then the connection is closed."""
    answer = Answer(body=b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n", delivery=Delivery.BARE)
    return answered("garbage", answer, carried_out)


def drop(*, carried_out: bool = False) -> Fault:
    """The connection is closed without a byte."""
    return Fault("drop", partial(replace, delivery=Delivery.DROP), carried_out)


def reset(*, carried_out: bool = False) -> Fault:
    """The connection is reset without a byte."""
    return Fault("reset", partial(replace, delivery=Delivery.RESET), carried_out)


def hang(seconds: float = 3600.0, *, carried_out: bool = False) -> Fault:
    """Nothing for *seconds*, then the connection is closed."""
    return Fault("hang", partial(replace, delivery=Delivery.DROP, delay=seconds), carried_out)


def drip(seconds: float = 1.0, *, carried_out: bool = False) -> Fault:
    """The right answer, of whose body a byte comes every *seconds*."""
    return Fault("drip", partial(replace, delivery=Delivery.DRIP, delay=seconds), carried_out)


def twice(*, carried_out: bool = False) -> Fault:
    """The right answer, and the same once more, which the next request over the connection would take for its own."""
    return Fault("twice", partial(replace, delivery=Delivery.TWICE), carried_out)


def damaged(*, carried_out: bool = False) -> Fault:
    """Bytes that TLS cannot decrypt; without TLS, that are no HTTP."""
    return Fault("damaged", partial(replace, delivery=Delivery.DAMAGED), carried_out)


def flapping(answers: int = 2) -> tuple[Fault, ...]:
    """503 and the right answer by turns, *answers* in all."""
    return tuple(status(503) if number % 2 == 0 else fine() for number in range(answers))


def _padded(right: Answer) -> Answer:
    return replace(right, body=right.content + b" " * _TWO_MIB)


def _labelled(right: Answer, encoding: str) -> Answer:
    return replace(right, headers={**right.headers, "Content-Encoding": encoding})


def _packed(right: Answer) -> Answer:
    return _labelled(replace(right, body=gzip.compress(right.content, mtime=0)), "gzip")


_STATUSES: Final = (400, 401, 403, 408, 422, 425, 429, 500, 502, 503, 504, 522, 530)

# The one list of names: for the command line, its help, and the tests. What each is called with takes nothing.
FAULTS: Final[Mapping[str, Callable[..., Fault | tuple[Fault, ...]]]] = {
    **{str(code): partial(redirect, code) for code in (301, 302, 307)},
    **{str(code): partial(status, code) for code in _STATUSES},
    "400-server": partial(answered, "400-server", catalogue.internal_error_as_400()),
    "404-model": partial(answered, "404-model", catalogue.model_not_found()),
    "404-route": partial(answered, "404-route", catalogue.wrong_route()),
    "429-date": too_many_until,
    "429-quota": partial(answered, "429-quota", catalogue.quota_exhausted()),
    "429-seconds": too_many,
    "ansi": ansi,
    "binary": binary,
    "bomb": bomb,
    "damaged": damaged,
    "drip": drip,
    "drop": drop,
    "empty": empty,
    "flapping": flapping,
    "garbage": garbage,
    "gzip": gzipped,
    "half": half,
    "hang": hang,
    "html": html,
    "huge": huge,
    "mislabelled": mislabelled,
    "reset": reset,
    "shape": shape,
    "twice": twice,
}
