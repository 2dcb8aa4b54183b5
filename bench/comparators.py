"""
Adaptive limiters from PyPI in place of our own pace, for `python bench/limits.py comparators`.

What is swapped is the queue of the sender, where a request waits for its turn. All else is the same for all:
client, connections, order of the requests, polls and their pauses, at most 128 requests under way. A refused request
goes back into the queue. Each limiter is used in the way its README shows, and learns of each refusal if it can. Two
things are in favor of the comparators: no request is given up after six refusals in a row, which are rare with our
pace only; and one request at a time waits for the limiter, because a thousand waiting tasks slow some of them down.

Their settings: the bounds of ours, and the default where it does not forbid 200 requests a second.

* *aimd-limiter* bounds the rate. It adds one request a second with each success, and halves the rate with each
  refusal.
* *gentlify* bounds the requests under way and the interval between them. After three failures it halves the number and
  doubles the interval, and a minute later it takes one such step back. Its default is at most 5 requests a second.
* *aioadaptive* bounds the requests under way by their latency (Vegas). It cannot be told of a refusal, so each refused
  request waits as in *backoff*.
* *backoff* is no package: 16 requests under way, and before a refused one is sent again a random pause from 0 to 0.5 s,
  twice as much with each refusal, up to 30 s.
"""

import asyncio
import contextlib
import heapq
import importlib
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from nugen_pulumi.api.client import NugenClient
from nugen_pulumi.http.pace import FIRST_WINDOW, Fate, Pace
from nugen_pulumi.http.sender import Queue
from nugen_pulumi.settings import DEFAULT_MAX_CONCURRENT_REQUESTS

# As many requests a second as our own pace sends at most, next to the API.
FULL_RATE = 640.0
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0

# Sends one request when the limiter lets it; raises RefusedError if it was refused.
Send = Callable[[], Awaitable[Fate]]
Limiter = Callable[[Send], Awaitable[object]]


class RefusedError(Exception):
    """What the limiter sees of a refusal."""


class Unlimited(Pace):
    """What the sender asks the pace about, besides turns: nothing is held back, and no request is given up."""

    refuses_all = True
    throttled = False

    def pause(self, now: float) -> float:  # noqa: ARG002 - as Pace
        """Return the seconds until the next request may leave."""
        return 0.0

    def bars(self, now: float, until: float) -> bool:  # noqa: ARG002 - as Pace
        """Tell whether the API has said to stay away."""
        return False


class LimitedQueue(Queue):
    """
    Lets requests leave when a comparator does, in the order of ours.

    Args:
        limiter: The comparator.
        backoff: Whether a refused request waits, besides.
    """

    def __init__(self, limiter: Limiter, *, backoff: bool) -> None:
        super().__init__(Unlimited(DEFAULT_MAX_CONCURRENT_REQUESTS))
        self._limiter, self._backoff = limiter, backoff
        self._waiting = False
        self._holders: set[asyncio.Task[None]] = set()
        self._ends: dict[Any, asyncio.Future[Fate]] = {}  # by the task that sends the request
        self._refusals: dict[Any, int] = {}

    async def enter(self, *, urgent: bool, due: float, **_: float) -> float:
        """Wait for a turn, and return the time at which it came."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if self._backoff and (refusals := self._refusals.get(task, 0)):
            await asyncio.sleep(random.uniform(0, min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (refusals - 1))))  # noqa: S311
        turn: asyncio.Future[asyncio.Future[Fate]] = loop.create_future()
        heapq.heappush(self._queue, (0 if urgent else 1, due, next(self._count), turn))
        self._admit()
        try:
            self._ends[task] = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                turn.result().set_result(Fate.LOST)
            raise
        return loop.time()

    def release(self, left: float, fate: Fate, retry_after: float | None = None) -> None:  # noqa: ARG002 - as ours
        """Give a turn back."""
        task = asyncio.current_task()
        self._refusals[task] = self._refusals.get(task, 0) + 1 if fate is Fate.REFUSED else 0
        self._ends.pop(task).set_result(fate)

    async def aclose(self) -> None:
        """End those that still wait for the limiter."""
        holders = list(self._holders)
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)

    def _admit(self) -> None:
        while self._queue and self._queue[0][3].done():  # cancelled
            heapq.heappop(self._queue)
        if self._queue and not self._waiting and len(self._holders) < DEFAULT_MAX_CONCURRENT_REQUESTS:
            self._waiting = True
            holder = asyncio.create_task(self._hold())
            self._holders.add(holder)
            holder.add_done_callback(self._held)

    def _held(self, holder: asyncio.Task[None]) -> None:
        self._holders.discard(holder)
        self._admit()

    async def _hold(self) -> None:
        with contextlib.suppress(RefusedError):
            await self._limiter(self._send)

    async def _send(self) -> Fate:
        """Give the turn to the first request in the queue, and wait until it has ended."""
        self._waiting = False
        while self._queue:
            turn = heapq.heappop(self._queue)[3]
            if not turn.done():
                end = asyncio.get_running_loop().create_future()
                turn.set_result(end)
                self._admit()
                if await end is not Fate.ADMITTED:
                    raise RefusedError
                break
        return Fate.ADMITTED


def package(name: str) -> Any:
    """Import a comparator."""
    try:
        return importlib.import_module(name)
    except ImportError:
        sys.exit("The comparators are missing: pip install aimd-limiter==0.1.0 gentlify==2.0.0 aioadaptive==0.1.5")


def aimd_limiter() -> Limiter:
    """Return a limiter of aimd-limiter."""
    limiter = package("aimd_limiter").AIMDAsyncLimiter(FULL_RATE)

    async def limited(send: Send) -> None:
        async with limiter.acquire():
            await send()

    return limited


def gentlify() -> Limiter:
    """Return a limiter of gentlify."""
    throttle = package("gentlify").Throttle(
        max_concurrency=DEFAULT_MAX_CONCURRENT_REQUESTS,
        initial_concurrency=FIRST_WINDOW,
        min_dispatch_interval=1 / FULL_RATE,
    )
    return lambda send: throttle.execute(lambda _: send())


def aioadaptive() -> Limiter:
    """Return a limiter of aioadaptive."""
    client = package("aioadaptive").AdaptiveClient()

    async def limited(send: Send) -> None:
        async with client.use():
            with contextlib.suppress(RefusedError):  # after an exception it would not even measure the latency
                await send()

    return limited


def backoff() -> Limiter:
    """Return a limiter that is a semaphore."""
    semaphore = asyncio.Semaphore(16)

    async def limited(send: Send) -> None:
        async with semaphore:
            await send()

    return limited


LIMITERS = {"aimd-limiter": aimd_limiter, "gentlify": gentlify, "aioadaptive": aioadaptive, "backoff": backoff}
WITH_BACKOFF = ("aioadaptive", "backoff")


@contextlib.asynccontextmanager
async def swapped(client: NugenClient, name: str) -> AsyncIterator[None]:
    """Have *client* use the limiter *name* instead of ours."""
    if name == "ours":
        yield
        return
    sender = client._sender  # noqa: SLF001 - the seam
    sender.pace = Unlimited(DEFAULT_MAX_CONCURRENT_REQUESTS)
    sender._queue = queue = LimitedQueue(LIMITERS[name](), backoff=name in WITH_BACKOFF)  # noqa: SLF001
    yield
    await queue.aclose()
