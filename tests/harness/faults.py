"""The one table of faults: what each of the emulator's means for a wait."""

from enum import Enum


class Meaning(Enum):
    """What a fault is to a wait."""

    NONE = "no fault: the response can be used"
    TRANSIENT = "waited out"
    REFUSED = "overload: sent again in its turn"
    PERMANENT = "ends the wait at once"


NONE, TRANSIENT, REFUSED, PERMANENT = Meaning

# Of each fault that the emulator knows by name; `flapping` is made of others.
MEANINGS = {
    name: meaning
    for meaning, names in {
        NONE: "gzip twice",
        PERMANENT: "301 302 307 400 401 403 404-model 404-route 422 429-quota",
        REFUSED: "429 429-date 429-seconds 503",
        TRANSIENT: "400-server 408 425 500 502 504 522 530 ansi binary bomb damaged drip drop empty garbage half hang"
        " html huge mislabelled reset shape",
    }.items()
    for name in names.split()
}
