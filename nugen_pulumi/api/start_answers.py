"""What the API says to the request that starts a task. Independent of HTTP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from nugen_pulumi.api.directions import Direction


class Answer(Enum):
    """What the API says to the request that starts a task."""

    ACCEPTED = "accepted"
    THERE = "the model is there already"
    RUNNING = "the same task runs already"
    BLOCKED = "the opposite task runs: the request has to be sent again after it"
    UNCLEAR = "a 400 whose words are not known"


@dataclass(frozen=True)
class Started:
    """
    The response to the request that starts a task.

    Attributes:
        answer: What it means.
        at: The server's own time of an ACCEPTED, in seconds since the epoch; None if it did not say.
        said: What the API said in a 400; else empty.
    """

    answer: Answer
    at: float | None = None
    said: str = ""


# The whole vocabulary: "Model is already deployed", "… is already being undeployed", "… Current status: UNDEPLOYING".
_ALREADY = re.compile(r"\balready (?:being )?((?:un)?deploy(?:ed|ing))\b", re.IGNORECASE)
_NOW = re.compile(r"\b(?:current|model) status(?: is|:)? (\w+)", re.IGNORECASE)


def answer_of(said: str, direction: Direction) -> Answer:
    """
    Return what a 400 to the request that starts a task means. Only definite words count.

    Seen: "cannot be redeployed. Current status: UNDEPLOYING", "already deployed". The others are believed.
    """
    already, now = _ALREADY.search(said), _NOW.search(said)
    being = already is not None and "being " in already[0].lower()
    word = now[1].upper() if now else already[1].upper().replace("ED", "ING" if being else "ED") if already else ""
    if word in direction.reached:
        return Answer.THERE
    return {direction.running: Answer.RUNNING, direction.blocked: Answer.BLOCKED}.get(word, Answer.UNCLEAR)
