"""How fast requests leave: the pace by itself, and senders behind limiters and outages in simulated time."""

import asyncio
import itertools
import math
import random

import httpx
import pytest
from harness.simulated import simulate
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.errors import OverloadedError
from nugen_pulumi.http.pace import FIRST_RATE, KEPT, LOWEST_RATE, Fate, Pace
from nugen_pulumi.http.sender import Sender
from nugen_pulumi.settings import Settings

START = 1000.0


def send(pace, now, fate=Fate.ADMITTED, *, latency=0.0, retry_after=None):
    """Have the next request leave as soon as it may after *now*, and end so; return when it left."""
    now += pace.pause(now)
    pace.leave(now, queued=True)
    pace.end(now + latency, left=now, fate=fate, retry_after=retry_after)
    return now


def test_the_window_begins_small_and_doubles_with_each_round_up_to_its_bound():
    pace, rounds = Pace(40), []
    for now in range(6):
        rounds.append(pace.window)
        for _ in range(pace.window):
            assert 0 == pace.pause(START + now)
            pace.leave(START + now, queued=True)
        assert math.inf == pace.pause(START + now)
        for _ in range(rounds[-1]):
            pace.end(START + now + 0.2, left=START + now, fate=Fate.ADMITTED)

    assert [4, 8, 16, 32, 40, 40] == rounds
    assert not pace.throttled


@pytest.mark.parametrize(
    ("fate", "retry_after", "window"),
    [
        (Fate.TIMED_OUT, None, 17),
        (Fate.LOST, None, 34),
        (Fate.REFUSED, None, 34),
        (Fate.REFUSED, 1.0, 4),
    ],
)
def test_a_time_out_halves_the_window_and_after_a_retry_after_it_is_small(fate, retry_after, window):
    pace = Pace(128)
    for _ in range(30):
        send(pace, START)
    send(pace, START, fate, retry_after=retry_after)

    assert window == pace.window


def test_retry_after_holds_all():
    pace = Pace(128)
    send(pace, START, Fate.REFUSED, retry_after=7.0)

    assert pytest.approx(7.0) == pace.pause(START)


def refused_at_once():
    """Return a pace of four requests a second, whose next one is due after a quarter of a second."""
    pace = Pace(128)
    send(pace, START, Fate.REFUSED)
    return pace


def test_departures_are_spaced_evenly_and_only_after_a_late_one_the_next_is_a_little_early():
    pace, pauses = refused_at_once(), []
    for now in (START + 0.25, START + 0.51, START + 1.75):
        pace.leave(now, queued=False)
        pauses.append(pace.pause(now))

    assert pace.rate == FIRST_RATE
    assert [0.25, 0.24, 0.2375] == pytest.approx(pauses)


@pytest.mark.parametrize("queued", [True, False])
def test_the_rate_grows_if_it_is_used(queued):
    pace = refused_at_once()
    pace.leave(START + 0.25, queued=queued)

    assert queued == (pace.rate > FIRST_RATE)


def test_what_was_not_used_was_not_tried_out():
    """However long nothing left: it counts as the time that two departures take."""
    pace = refused_at_once()
    pace.leave(START + 100, queued=True)

    assert pace.rate == pytest.approx(FIRST_RATE * 2)


def test_refusals_of_one_herd_cut_the_rate_once():
    """Those among them that left at the very moment of the cut, too: a clock may be coarse."""
    pace = Pace(128)
    for left in (START, START + 0.002, START + 0.002, START + 0.002):
        pace.leave(left, queued=True)
    pace.end(START + 0.002, left=START, fate=Fate.REFUSED)
    for _ in range(3):
        pace.end(START + 0.004, left=START + 0.002, fate=Fate.REFUSED)

    assert pace.rate == FIRST_RATE


def rate_after(pace, now, seconds):
    """Have all requests of so many seconds admitted; return the rate, and the time."""
    until = now + seconds
    while now < until:
        now = send(pace, now)
    return pace.rate, now


def test_the_rate_doubles_twice_a_second_until_it_is_refused_and_then_grows_by_less_than_two():
    pace = refused_at_once()
    found, now = rate_after(pace, START, 2.5)
    assert found == pytest.approx(FIRST_RATE * 2**5, rel=0.05)

    now = send(pace, now, Fate.REFUSED)
    assert pace.rate == pytest.approx(found * KEPT, rel=0.05)

    kept, (later, _) = pace.rate, rate_after(pace, now, 2)
    assert 2 < later - kept < 4


def test_during_an_outage_one_request_leaves_each_second_and_its_end_restores_what_one_refusal_leaves_of_the_rate():
    pace = refused_at_once()
    before, now = rate_after(pace, START, 5)
    left = []
    while len(left) < 60:
        left.append(now := send(pace, now, Fate.REFUSED, latency=0.01))

    assert (True, 1) == (pace.refuses_all, pace.window)
    assert [1] * 50 == pytest.approx([after - before for before, after in itertools.pairwise(left[-51:])])

    send(pace, now)
    assert (False, 5) == (pace.refuses_all, pace.window)
    assert pace.rate == pytest.approx(before * KEPT, rel=0.05)


EVENTS = st.lists(
    st.tuples(st.floats(0, 5), st.sampled_from(Fate), st.none() | st.floats(0, 60), st.booleans(), st.integers(1, 20)),
    max_size=80,
)


@given(events=EVENTS, most=st.integers(1, 200))
def test_whatever_happens_it_never_stops_for_ever_and_never_exceeds_the_bound(events, most):
    pace, now, under_way = Pace(most), START, []
    for latency, fate, retry_after, queued, count in events:
        for _ in range(count):
            if (pause := pace.pause(now)) == math.inf:
                break
            assert pause <= 60 + 1 / LOWEST_RATE
            now += pause
            pace.leave(now, queued=queued)
            under_way.append(now)
            assert len(under_way) <= most
        assert under_way
        now += latency
        pace.end(now, left=under_way.pop(0), fate=fate, retry_after=retry_after)
        assert 1 <= pace.window <= most
        assert pace.rate >= LOWEST_RATE


class Api(httpx.AsyncBaseTransport):
    """
    A token bucket, behind which each request is answered.

    Args:
        rate: Tokens a second; may be changed.
        burst: The most there are; None: those of each second come at its beginning, and what is left of them is lost.
        latency: Seconds of a request; *uneven* more in the mean.
        outage: Between which times all is refused.
        retry_after: What a refusal asks for.
    """

    def __init__(self, rate=1e6, burst=1, *, latency=0.01, uneven=0.0, outage=(0, 0), retry_after=None):
        self.rate, self.burst = rate, burst
        self.admitted, self.refused = [], []  # times
        self._tokens, self._at = float(burst or rate), 0.0
        self._latency, self._uneven = latency, uneven
        self._outage, self._retry_after = outage, retry_after
        self._dice = random.Random(1)  # noqa: S311 - so that each run is the same

    def _way(self):
        return self._latency / 2 * self._dice.uniform(1, 1.02) + self._uneven * self._dice.expovariate(1)

    async def handle_async_request(self, request):
        await asyncio.sleep(self._way())
        admitted = self._admits(asyncio.get_running_loop().time(), request)
        await asyncio.sleep(self._way())
        headers = {} if admitted or self._retry_after is None else {"Retry-After": str(self._retry_after)}
        return httpx.Response(200 if admitted else 429, headers=headers, stream=httpx.ByteStream(b""))

    def _admits(self, now, request):
        admitted = not self._outage[0] <= now < self._outage[1] and request.url.path != "/bad"
        if admitted:
            if self.burst is not None:
                self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
            elif int(now) > int(self._at):
                self._tokens = self.rate
            self._at = now
            if admitted := self._tokens >= 1:
                self._tokens -= 1
        (self.admitted if admitted else self.refused).append(now)
        return admitted

    def used(self, since, until):
        return sum(since <= time < until for time in self.admitted) / ((until - since) * self.rate)

    def refused_share(self, since=0):
        admitted, refused = (sum(time >= since for time in times) for times in (self.admitted, self.refused))
        return refused / (admitted + refused)


def read(response):
    if response.status == 429:
        raise OverloadedError("429", retry_after=response.retry_after())


def behind(api, *works):
    """Do each work with a sender of its own, as processes do, until all are done; return when each was."""
    ends = [0.0] * len(works)

    async def process(number, work):
        sender = Sender(Settings("key", "http://api.invalid"), transport=api)
        await work(lambda method, path="/m": sender.send(method, path, read, within=math.inf))
        ends[number] = asyncio.get_running_loop().time()

    async def main():
        await asyncio.gather(*(process(number, work) for number, work in enumerate(works)))

    simulate(main)
    return ends


def crowd(seconds, wants=400, polls=None):
    """Have *wants* waits poll for so long, each a second later again; count into *polls*."""

    async def one(send, number):
        while asyncio.get_running_loop().time() < seconds:
            await send("GET")
            if polls is not None:
                polls[number] = polls.get(number, 0) + 1
            await asyncio.sleep(1)

    async def work(send):
        await asyncio.gather(*(one(send, number) for number in range(wants)))

    return work


def fleet(count=200, takes=0.0, start=0.0):
    """Undeploy so many models as a wait does it: the DELETE, then polls at growing pauses."""

    async def one(send):
        clock = asyncio.get_running_loop().time
        began = clock()
        await send("DELETE")
        done = clock() + takes
        while True:
            await send("GET")
            if clock() >= done:
                return
            await asyncio.sleep(min(5, max(0.5, 0.1 * (clock() - began))))

    async def work(send):
        await asyncio.sleep(start)
        await asyncio.gather(*(one(send) for _ in range(count)))

    return work


def change(api, at, rate):
    """Change the limit at that time."""

    async def work(_):
        await asyncio.sleep(at)
        api.rate = rate

    return work


@pytest.mark.parametrize(("burst", "least"), [("rate", 0.8), (1, 0.65)])
@pytest.mark.parametrize(("rate", "latency"), [(5, 0.002), (20, 0.2), (50, 0.002), (200, 0.2)])
def test_a_limit_is_found_used_and_kept(rate, burst, least, latency):
    """And fairly: nobody waits for three rounds."""
    polls = {}
    api = Api(rate, rate if burst == "rate" else burst, latency=latency)
    behind(api, crowd(45, polls=polls))

    assert api.used(15, 45) >= least
    assert api.refused_share() <= 0.2
    assert min(polls.values()) >= max(polls.values()) // 3


def test_a_limit_without_a_burst_is_used_although_requests_arrive_unevenly():
    api = Api(200, latency=0.002, uneven=0.0003)
    behind(api, crowd(25))

    assert api.used(10, 25) >= 0.65
    assert api.refused_share() <= 0.05


@pytest.mark.parametrize("rate", [30, 60, 200])
def test_a_limit_that_counts_by_the_second_is_used_and_kept(rate):
    """The rest of a second, in which nothing is admitted, looks like an outage: it must not bring the old rate back."""
    api = Api(rate, None, latency=0.02)
    behind(api, crowd(60))

    assert api.used(30, 60) >= 0.8
    assert api.refused_share(30) <= 0.2


def test_a_limit_that_is_lifted_is_forgotten_within_a_minute():
    api = Api(5)
    behind(api, crowd(80, wants=400), change(api, 20, 100))

    assert api.used(60, 80) >= 0.8


@pytest.mark.parametrize(("before", "after"), [(5, 100), (20, 50), (100, 5), (50, 20)])
def test_a_limit_that_changes_is_followed_within_about_twenty_seconds(before, after):
    api = Api(before, before)
    behind(api, crowd(60, wants=400), change(api, 20, after))

    assert api.used(40, 60) >= 0.8
    assert api.refused_share() <= 0.2


@pytest.mark.parametrize("retry_after", [None, 2, 5])
@pytest.mark.parametrize("lasts", [10, 60, 250])
@pytest.mark.parametrize("since", [0, 10])
def test_after_any_outage_all_are_done_within_twelve_seconds_of_the_ideal(since, lasts, retry_after):
    """What was accepted before it finishes meanwhile, and is seen when it ends."""
    api = Api(outage=(since, since + lasts), retry_after=retry_after)
    [end] = behind(api, fleet(takes=30))

    assert end <= max(30, since + lasts + (30 if since == 0 else 0)) + 12
    assert len(api.refused) <= lasts + 30


@pytest.mark.parametrize(("rate", "burst", "ideal"), [(20, 1, 20), (20, 20, 20), (50, 1, 18)])
def test_those_that_are_refused_do_not_come_last_by_far(rate, burst, ideal):
    """Two hundred models of ten seconds: nothing of one begins until its DELETE is carried out."""
    [end] = behind(Api(rate, burst), fleet(takes=10))

    assert end <= 1.5 * ideal


@pytest.mark.parametrize("burst", [1, 20])
@pytest.mark.parametrize("since", [0, 20])
def test_a_limit_behind_an_outage_refuses_no_burst(since, burst):
    """Two hundred DELETEs take ten seconds, and the last poll of each ten more."""
    api = Api(20, burst, outage=(since, since + 40))
    [end] = behind(api, fleet(takes=30))

    assert end <= since + 40 + 30 + 20 + 15
    assert api.refused_share(since + 40) <= 0.2


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("rate", [20, 50])
def test_processes_that_share_a_limit_share_it(count, rate):
    """Who is refused first is chance: in most runs. A DELETE and a poll for each of 200 models."""
    totals, spreads = [], []
    for seed in range(5):
        dice = random.Random(seed)  # noqa: S311 - each run is the same
        api = Api(rate, rate)
        ends = behind(api, *(fleet(start=dice.uniform(0, 0.3)) for _ in range(count)))
        totals.append(max(ends) * rate / (count * 400 - rate))
        spreads.append(max(ends) / min(ends))
        assert api.refused_share() <= 0.2

    assert sorted(totals)[3] <= 1.3
    assert sorted(spreads)[3] <= 2.5
