"""Name look-ups that end when nobody waits for them."""

import asyncio
import socket
import threading
import time

import pytest
from harness.api import run


def test_a_name_is_looked_up():
    async def main():
        return await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)

    assert ("127.0.0.1", 80) == run(main)[0][4]


def test_a_name_that_is_none_is_an_error(monkeypatch):
    def fail(*_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    async def main():
        await asyncio.get_running_loop().getaddrinfo("nowhere.invalid", 80)

    with pytest.raises(socket.gaierror):
        run(main)


def test_look_ups_of_one_name_are_one_and_end_when_they_are_cancelled(monkeypatch):
    """The resolver goes on in a thread that keeps nothing from ending."""
    resolver, asked = threading.Event(), []

    def slow(*query):
        asked.append(query)
        resolver.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    before = set(threading.enumerate())  # threads of other tests may still be about to end

    async def main():
        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(loop.getaddrinfo("slow.test", 80)) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    ended = run(main)
    [thread] = [thread for thread in {*threading.enumerate()} - before if thread.name == "nugen-names"]
    resolver.set()
    thread.join()

    assert {asyncio.CancelledError} == {type(end) for end in ended}
    assert 1 == len(asked)
    assert thread.daemon


def test_time_is_told_by_the_finest_clock(monkeypatch):
    """The one that asyncio takes has steps of 16 ms on Windows before Python 3.13."""
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)

    async def main():
        return asyncio.get_running_loop().time()

    assert 0.0 < run(main) <= time.perf_counter()
