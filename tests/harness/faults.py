"""The one table of faults: what each of the emulator's means for a wait, and how it looks without a socket."""

from enum import Enum

import httpx

from nugen_pulumi.emulator import Delivery, catalogue
from nugen_pulumi.emulator.faults import FAULTS


class Meaning(Enum):
    """What a fault is to a wait."""

    NONE = "no fault: the response can be used"
    TRANSIENT = "waited out"
    REFUSED = "overload: sent again in its turn"
    PERMANENT = "ends the wait at once"


NONE, TRANSIENT, REFUSED, PERMANENT = Meaning

# Of each fault that the emulator knows by name; `flapping` is made of others.
MEANINGS = {
    "301": PERMANENT,
    "302": PERMANENT,
    "307": PERMANENT,
    "400": PERMANENT,
    "400-server": TRANSIENT,
    "401": PERMANENT,
    "403": PERMANENT,
    "404-model": PERMANENT,
    "404-route": PERMANENT,
    "408": TRANSIENT,
    "422": PERMANENT,
    "425": TRANSIENT,
    "429": REFUSED,
    "429-date": REFUSED,
    "429-quota": PERMANENT,
    "429-seconds": REFUSED,
    "500": TRANSIENT,
    "502": TRANSIENT,
    "503": REFUSED,
    "504": TRANSIENT,
    "522": TRANSIENT,
    "530": TRANSIENT,
    "ansi": TRANSIENT,
    "binary": TRANSIENT,
    "bomb": TRANSIENT,
    "damaged": TRANSIENT,
    "drip": TRANSIENT,
    "drop": TRANSIENT,
    "empty": TRANSIENT,
    "garbage": TRANSIENT,
    "gzip": NONE,
    "half": TRANSIENT,
    "hang": TRANSIENT,
    "html": TRANSIENT,
    "huge": TRANSIENT,
    "mislabelled": TRANSIENT,
    "reset": TRANSIENT,
    "shape": TRANSIENT,
    "twice": NONE,
}

# What httpx makes of a response that does not arrive whole.
_BROKEN = {
    Delivery.HALF: httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    Delivery.BARE: httpx.RemoteProtocolError("illegal status line"),
    Delivery.DROP: httpx.RemoteProtocolError("Server disconnected without sending a response."),
    Delivery.RESET: httpx.ReadError("[Errno 104] Connection reset by peer"),
    Delivery.DAMAGED: httpx.ReadError("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]"),
}

_FOR_EVER = 86_400.0


def without_a_socket(name, word="PENDING"):
    """Return the element of a `ScriptedApi` that is the fault *name*: what is spoilt is a response with this status."""
    answer = FAULTS[name]().spoil(catalogue.status(word).answer("m"))
    if answer.delay:
        return _FOR_EVER, word
    if answer.delivery in _BROKEN:
        return _BROKEN[answer.delivery]
    # Given as a stream, because httpx would unpack a body that it is given at once.
    response = httpx.Response(answer.status, content=answer.content)
    response.headers.update(answer.headers)
    return response
