"""What the API says to the request that starts a task. Independent of HTTP."""

from __future__ import annotations

import re
from enum import Enum

from nugen_pulumi.api.directions import Direction


class Started(Enum):
    """What the API says to the request that starts a task."""

    ACCEPTED = "accepted"
    THERE = "the model is there already"
    RUNNING = "the same task runs already"
    BLOCKED = "the opposite task runs: the request has to be sent again after it"
    UNCLEAR = "an error whose words are not known"


# The whole vocabulary: "Model is already deployed", "… is already being undeployed", "… Current status: UNDEPLOYING".
_ALREADY = re.compile(r"\balready (?:being )?((?:un)?deploy(?:ed|ing))\b", re.IGNORECASE)
_NOW = re.compile(r"\b(?:current|model) status(?: is|:)? (\w+)", re.IGNORECASE)


def answer_of(said: str, direction: Direction) -> Started:
    """
    Return what an error means that answers the request for a task. Only definite words count, not the status code.

    Seen: "cannot be redeployed. Current status: UNDEPLOYING", "already deployed". The others are believed.
    """
    already, now = _ALREADY.search(said), _NOW.search(said)
    being = already is not None and "being " in already[0].lower()
    word = now[1].upper() if now else already[1].upper().replace("ED", "ING" if being else "ED") if already else ""
    if word in direction.reached:
        return Started.THERE
    return {direction.running: Started.RUNNING, direction.blocked: Started.BLOCKED}.get(word, Started.UNCLEAR)
