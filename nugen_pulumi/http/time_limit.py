"""A time limit that is told apart from the time-outs of the libraries below."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class ExpiredError(Exception):
    """Our own time limit expired. Not a TimeoutError, because the network raises that, too."""


async def bounded(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Do *work*, or raise ExpiredError after *seconds*."""
    # wait_for would make a task of each request, twice.
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError as exc:
        if limit.expired():
            raise ExpiredError from exc
        raise
