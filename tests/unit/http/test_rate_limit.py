"""How fast requests leave, by itself and behind limiters in simulated time."""

import asyncio
import math
import random
import ssl

import httpx
import pytest
from harness.simulated import simulate
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.errors import OutageError, OverloadedError, RejectedError, UnavailableError
from nugen_pulumi.http.concurrency import FIRST_WINDOW
from nugen_pulumi.http.rate_limit import LOWEST_RATE, Outcome, Pace
from nugen_pulumi.http.request import LONGEST_OUTAGE, RequestOptions
from nugen_pulumi.http.request_queue import RequestQueue
from nugen_pulumi.http.retrying_sender import RetryingSender
from nugen_pulumi.settings import Settings

START = 1000.0


def test_the_window_begins_small_and_doubles_with_each_round():
    pace, rounds = Pace(128), []
    for now in range(4):
        rounds.append(pace.window)
        for _ in range(pace.window):
            assert 0 == pace.pause(START + now)
            pace.leave(START + now, queued=True)
        assert math.inf == pace.pause(START + now)
        for _ in range(rounds[-1]):
            pace.end(START + now + 0.2, left=START + now, outcome=Outcome.ADMITTED)

    assert [4, 8, 16, 32] == rounds


@pytest.mark.parametrize(
    ("latency", "most", "window"), [(0.001, 128, 16), (0.125, 128, 80), (1, 128, 128), (9, 10, 10)]
)
def test_the_window_is_what_the_distance_asks_for(latency, most, window):
    pace = Pace(most)
    for number in range(300):
        pace.leave(START + number, queued=True)
        pace.end(START + number + latency, left=START + number, outcome=Outcome.ADMITTED)

    assert window == pace.window


@pytest.mark.parametrize(("before", "after", "window"), [(0.2, 0.001, 16), (0.001, 0.2, 128)])
def test_a_latency_is_forgotten_after_some_seconds(before, after, window):
    """Be it longer or shorter than those since."""
    pace = Pace(128)
    for number, latency in enumerate([before] * 200 + [after] * 200):
        pace.leave(START + number, queued=True)
        pace.end(START + number + latency, left=START + number, outcome=Outcome.ADMITTED)

    assert window == pace.window


def test_time_outs_of_one_round_halve_the_window_once():
    pace = Pace(128)
    for _ in range(200):
        pace.leave(START, queued=True)
        pace.end(START + 0.2, left=START, outcome=Outcome.ADMITTED)
    for _ in range(3):
        pace.leave(START + 1, queued=True)
    for _ in range(3):
        pace.end(START + 31, left=START + 1, outcome=Outcome.TIMED_OUT)

    assert 64 == pace.window

    for number in range(9):
        pace.leave(START + 40 + number, queued=True)
        pace.end(START + 40.5 + number, left=START + 40 + number, outcome=Outcome.TIMED_OUT)

    assert FIRST_WINDOW == pace.window


def test_what_ends_without_a_word_changes_nothing_but_the_count():
    pace = Pace(1)
    pace.leave(START, queued=False)
    pace.end(START, left=START, outcome=Outcome.LOST)

    assert (0, 1, False) == (pace.pause(START), pace.window, pace.throttled)


@pytest.mark.parametrize(("asked", "pause"), [(7.0, 7.0), (1e6, 60.0)])
def test_retry_after_holds_all_and_is_capped(asked, pause):
    pace = Pace(128)
    pace.leave(START, queued=True)
    pace.end(START, left=START, outcome=Outcome.REFUSED, retry_after=asked)

    assert pause == pytest.approx(pace.pause(START))


def test_the_first_refusal_sets_a_rate_and_the_next_departures_are_spaced():
    pace = Pace(128)
    pace.leave(START, queued=True)
    pace.end(START, left=START, outcome=Outcome.REFUSED)

    assert pace.throttled
    assert (4.0, 0.25) == (pace.rate, pytest.approx(pace.pause(START)))


def refused_at_once():
    """Return a pace of four requests a second, whose next one is due after a quarter of a second."""
    pace = Pace(128)
    pace.leave(START, queued=True)
    pace.end(START, left=START, outcome=Outcome.REFUSED)
    return pace


def test_the_first_rate_is_the_same_however_many_were_admitted_before():
    """That was the burst of a limiter, and processes that share it get very different parts of that."""
    pace = Pace(128)
    for _ in range(30):
        pace.leave(START, queued=True)
        pace.end(START + 0.1, left=START, outcome=Outcome.ADMITTED)
    pace.leave(START, queued=True)
    pace.end(START + 0.1, left=START, outcome=Outcome.REFUSED)

    assert pace.rate == 4.0


def test_departures_are_spaced_evenly_and_only_after_a_late_one_the_next_is_a_little_early():
    pace, pauses = refused_at_once(), []
    for now in (START + 0.25, START + 0.51, START + 1.75):
        pace.leave(now, queued=False)
        pauses.append(pace.pause(now))

    assert [0.25, 0.24, 0.2375] == pytest.approx(pauses)


@pytest.mark.parametrize("queued", [True, False])
def test_after_the_first_refusal_the_rate_grows_at_once_if_it_is_used(queued):
    pace = refused_at_once()
    pace.leave(START + 0.25, queued=queued)

    assert queued == (pace.rate > 4.0)


@pytest.mark.parametrize(("latency", "slowness"), [(0.01, 0.45), (0.15, 0.75), (1.0, 1.0)])
def test_the_rate_grows_with_a_square_in_its_exponent_and_at_a_distance_more_slowly(latency, slowness):
    """However long nothing left: what was not used was not tried out, beyond the time that two departures take."""
    pace = Pace(128)
    pace.leave(START - latency, queued=True)
    pace.end(START, left=START - latency, outcome=Outcome.ADMITTED)
    pace.leave(START, queued=True)
    pace.end(START, left=START, outcome=Outcome.REFUSED)
    pace.leave(START + 100, queued=True)

    assert 4 * 2 ** (0.5 / slowness) ** 2 == pytest.approx(pace.rate)


@pytest.mark.parametrize(("retry_after", "until"), [(1.0, 25), (10.0, 44.5)])
def test_after_a_probe_that_was_told_to_stay_away_the_rate_is_held_for_twenty_times_as_long(retry_after, until):
    """But for no more than 30 seconds after the pause."""
    pace, now = refused_at_once(), START + 5
    pace.leave(now, queued=True)
    pace.end(now, left=now, outcome=Outcome.REFUSED, retry_after=retry_after)
    held = pace.rate
    while pace.rate == held:
        now += pace.pause(now)
        pace.leave(now, queued=True)
        pace.end(now, left=now, outcome=Outcome.ADMITTED)

    assert until == pytest.approx(now - START, abs=0.75)


def test_refusals_of_one_herd_cut_the_rate_once():
    """Those among them that left at the very moment of the cut, too: a clock may be coarse."""
    pace = Pace(128)
    for left in (START, START + 0.002, START + 0.002, START + 0.002):
        pace.leave(left, queued=True)
    pace.end(START + 0.002, left=START, outcome=Outcome.REFUSED)
    for _ in range(3):
        pace.end(START + 0.004, left=START + 0.002, outcome=Outcome.REFUSED)

    assert 4.0 == pace.rate


@pytest.mark.parametrize("rate", [10, 200])
def test_the_refusal_that_ends_the_search_halves_the_rate_and_each_later_one_costs_a_tenth(rate):
    limiter, pace, now, kept = Limiter(rate), Pace(128), START, []
    while now < START + 60:
        now += max(pace.pause(now), 0.0001)
        pace.leave(now, queued=True)
        before = pace.rate
        pace.end(now, left=now, outcome=Outcome.ADMITTED if limiter.admits(now) else Outcome.REFUSED)
        if pace.rate < before < math.inf:
            kept.append(pace.rate / before)

    assert len(kept) > 5
    assert [0.5] + [0.9] * (len(kept) - 1) == pytest.approx(kept)


def admitted_until(pace, now, reached):
    """Have requests admitted, each as soon as it may leave, until *reached* says so; return the time."""
    while not reached(now):
        now += pace.pause(now)
        pace.leave(now, queued=True)
        pace.end(now, left=now, outcome=Outcome.ADMITTED)
    return now


def refused(pace, now, retry_after=None):
    """Have the next request refused; return what that left of the rate, and the time."""
    now += pace.pause(now)
    pace.leave(now, queued=False)
    before = pace.rate
    pace.end(now, left=now, outcome=Outcome.REFUSED, retry_after=retry_after)
    return pace.rate / before, now


def test_what_the_refusal_of_the_search_costs_is_regained_evenly_in_a_second_and_a_half():
    pace = refused_at_once()
    now = admitted_until(pace, START, lambda _: pace.rate > 100)
    found = pace.rate
    kept, since = refused(pace, now)
    assert kept == pytest.approx(0.5)

    for seconds, share in ((0.75, 0.75), (1.5, 1)):
        now = admitted_until(pace, now, lambda now, until=since + seconds: now > until)
        assert pace.rate == pytest.approx(found * share, rel=0.02)


@pytest.mark.parametrize(
    ("rate", "retry_after", "kept"),
    [(160, None, [1, 1, 1, 0.9]), (160, 0, [1, 1, 1, 0.9]), (160, 1, [0.9]), (30, None, [0.9])],
)
def test_at_a_high_rate_some_refusals_are_excused_unless_they_ask_for_a_pause(rate, retry_after, kept):
    pace = refused_at_once()
    now = admitted_until(pace, START, lambda _: pace.rate > rate)
    _, now = refused(pace, now)
    now = admitted_until(pace, now, lambda _: pace.rate > rate)

    shares = []
    while not shares or shares[-1] == 1:
        share, now = refused(pace, now, retry_after)
        shares.append(share)

    assert kept == pytest.approx(shares)


def test_no_refusal_is_excused_before_enough_were_admitted():
    pace = refused_at_once()
    now = admitted_until(pace, START, lambda _: pace.rate > 300)
    _, now = refused(pace, now)  # 150 a second are left, so that 17 must be admitted
    now = admitted_until(pace, now, lambda now, until=now + 0.1: now > until)

    assert refused(pace, now)[0] == pytest.approx(0.9)


def test_the_first_request_after_a_decrease_cannot_cause_another():
    """Processes that are all refused would decrease their rates equally often, however different these are."""
    pace = refused_at_once()
    now = admitted_until(pace, START, lambda _: pace.rate > 30)
    _, now = refused(pace, now)

    shares = []
    for _ in range(4):
        share, now = refused(pace, now)
        shares.append(share)

    assert [1, 0.9, 1, 0.9] == pytest.approx(shares)


def test_a_rate_beyond_what_can_be_sent_is_none():
    pace, now = Pace(128), START
    pace.leave(now, queued=True)
    pace.end(now, left=now, outcome=Outcome.REFUSED)
    while pace.throttled:
        now += pace.pause(now)
        pace.leave(now, queued=True)
        pace.end(now, left=now, outcome=Outcome.ADMITTED)

    assert now < START + 10


def test_dismissed_turns_end_with_an_error_each():
    """They were never sent. One that was cancelled just now is left alone."""

    async def main():
        queue = RequestQueue(Pace(1))
        await queue.enter(urgent=False, due=0)
        tasks = [asyncio.create_task(queue.enter(urgent=False, due=number)) for number in range(4)]
        await asyncio.sleep(1)
        tasks[0].cancel()
        queue.dismiss("silent")
        tasks[1].cancel()  # it is dismissed already, but does not know yet
        return await asyncio.gather(*tasks, return_exceptions=True)

    ends, _ = simulate(main)

    assert [asyncio.CancelledError, asyncio.CancelledError, OutageError, OutageError] == [type(end) for end in ends]
    assert ends[2] is not ends[3]
    assert [False, False] == [end.sent for end in ends[2:]]


@pytest.mark.parametrize(("answer", "sent"), [(503, False), (500, True)])
def test_at_the_end_of_an_outage_only_the_request_that_was_sent_may_have_been_carried_out(answer, sent):
    """The others were in the queue, or came later, and never left."""
    settings = Settings("key", "http://api.invalid", max_concurrent_requests=1)

    async def respond(_):
        await asyncio.sleep(1)
        return httpx.Response(answer)

    def read(response):
        raise OverloadedError("503") if response.status == 503 else UnavailableError("500")

    async def main():
        sender = RetryingSender(settings, transport=httpx.MockTransport(respond))
        sender.outage.failed(-LONGEST_OUTAGE)
        ends = await asyncio.gather(
            *(sender.send("DELETE", f"/{number}", read, within=60) for number in range(3)), return_exceptions=True
        )
        await sender.aclose()
        return ends

    ends, _ = simulate(main)

    assert [OutageError] * 3 == [type(end) for end in ends]
    assert [sent, False, False] == [end.sent for end in ends]


def test_an_error_that_asking_again_will_not_help_is_no_outage():
    """A certificate that cannot be verified, for example: nobody else has to wait for longer because of it."""
    settings = Settings("key", "https://api.invalid")

    async def main():
        error = httpx.ConnectError("no")
        error.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed")

        async def respond(_):
            raise error

        sender = RetryingSender(settings, transport=httpx.MockTransport(respond))
        with pytest.raises(RejectedError):
            await sender.send("GET", "/", lambda response: response, within=60)
        unanswered_for = sender.outage.unanswered_for(asyncio.get_running_loop().time() + 1)
        await sender.aclose()
        return unanswered_for

    assert 0 == simulate(main)[0]


def test_it_tells_what_was_admitted_of_late():
    pace = Pace(128)
    for number in range(100):
        pace.leave(START + number / 10, queued=True)
        pace.end(START + number / 10, left=START + number / 10, outcome=Outcome.ADMITTED)

    assert 10 == pytest.approx(pace.admitted(START + 10), rel=0.05)
    assert 0 == pace.admitted(START + 16)


EVENTS = st.lists(
    st.tuples(
        st.floats(0, 5), st.sampled_from(Outcome), st.none() | st.floats(0, 1e5), st.booleans(), st.integers(1, 20)
    ),
    max_size=80,
)


@given(events=EVENTS, most=st.integers(1, 200))
def test_whatever_happens_it_never_stops_for_ever_and_never_exceeds_the_bound(events, most):
    pace, now, under_way = Pace(most), START, []
    for latency, outcome, retry_after, queued, count in events:
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
        pace.end(now, left=under_way.pop(0), outcome=outcome, retry_after=retry_after)
        assert 1 <= pace.window <= most
        assert pace.rate >= LOWEST_RATE


class Limiter:
    """A token bucket, the rate of which may change."""

    def __init__(self, rate, burst=1):
        self.rate, self.burst = rate, burst
        self.tokens, self.at = float(burst), 0.0
        self.admitted = []
        self.refused = 0

    def admits(self, now):
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            self.admitted.append(now)
            return True
        self.refused += 1
        return False

    def used(self, since, until):
        return sum(since <= time < until for time in self.admitted) / ((until - since) * self.rate)


async def crowd(limiter, seconds, *, latency=0.01, uneven=0.0, wants=400, retry_after=None):
    """
    Have *wants* waits poll for so long, each a second later again; return the number of polls of each.

    Each way takes half of the latency, and *uneven* seconds more in the mean.
    """
    loop = asyncio.get_running_loop()
    pace = Pace(128)
    queue = RequestQueue(pace)
    polls = [0] * wants
    dice = random.Random(1)  # noqa: S311 - so that each run is the same

    def way():
        return latency / 2 * dice.uniform(1, 1.02) + uneven * dice.expovariate(1)

    async def one(number):
        while loop.time() < seconds:
            due, admitted = loop.time(), False
            while not admitted:
                left = await queue.enter(urgent=False, due=due)
                await asyncio.sleep(way())
                admitted = limiter.admits(loop.time())
                await asyncio.sleep(way())
                outcome = Outcome.ADMITTED if admitted else Outcome.REFUSED
                queue.release(left, outcome, None if admitted else retry_after)
            polls[number] += 1
            await asyncio.sleep(1)

    await asyncio.gather(*(one(number) for number in range(wants)))
    return polls


@pytest.mark.parametrize("burst", [1, "rate"])
@pytest.mark.parametrize("rate", [5, 20, 50, 200])
@pytest.mark.parametrize("latency", [0.002, 0.2])
def test_a_limit_is_found_used_and_kept(rate, burst, latency):
    """Four fifths of it used, one fifth of the requests refused, at most; nobody waits for three rounds."""
    limiter = Limiter(rate, rate if burst == "rate" else burst)
    polls, _ = simulate(lambda: crowd(limiter, 120, latency=latency))

    # Requests that arrive unevenly over a distance cannot use all of a high limit without a burst.
    least = 0.7 if burst == 1 and latency > 0.1 else 0.8
    assert limiter.used(20, 120) >= least
    assert limiter.refused <= 0.2 * (limiter.refused + len(limiter.admitted))
    assert min(polls) >= max(polls) // 3


def test_a_limit_without_a_burst_is_used_although_requests_arrive_unevenly():
    """Of requests that leave evenly at any rate, it admits 0.83 of its own at most."""
    limiter = Limiter(200)
    simulate(lambda: crowd(limiter, 45, latency=0.002, uneven=0.0003))

    assert limiter.used(0, 15) >= 0.7
    assert limiter.used(15, 45) >= 0.78
    assert limiter.refused <= 0.05 * (limiter.refused + len(limiter.admitted))


def test_a_limit_that_is_lifted_is_forgotten_within_a_minute():
    limiter = Limiter(5)

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(60, setattr, limiter, "rate", 100)
        await crowd(limiter, 180, wants=2000)

    simulate(main)

    assert limiter.used(120, 180) >= 0.8


@pytest.mark.parametrize("outage", [10, 60])
def test_after_an_overload_a_healthy_api_is_used_again_within_a_minute(outage):
    """While it lasts all requests are refused, so that the rate is at its lowest."""
    limiter = Limiter(1e-9)

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(outage, setattr, limiter, "rate", 1000)
        await crowd(limiter, outage + 90, wants=500)

    simulate(main)

    assert sum(outage + 60 <= time for time in limiter.admitted) > 30 * 100


async def nothing():
    """Happens meanwhile."""


def rivals(limiter, count, seed, *, requests=math.inf, seconds=math.inf, meanwhile=nothing):
    """Have so many processes send so many requests through one limiter, or for so long; return when each ended."""
    ends, dice = [0.0] * count, random.Random(seed)  # noqa: S311 - each run is the same

    async def process(number):
        queue, loop = RequestQueue(Pace(128)), asyncio.get_running_loop()
        await asyncio.sleep(dice.uniform(0, 0.3))
        left_over = requests

        async def one():
            nonlocal left_over
            while left_over > 0 and loop.time() < seconds:
                left_over -= 1
                admitted = False
                while not admitted:
                    left = await queue.enter(urgent=True, due=0)
                    await asyncio.sleep(0.005 * dice.uniform(1, 1.1))
                    admitted = limiter.admits(loop.time())
                    await asyncio.sleep(0.005 * dice.uniform(1, 1.1))
                    queue.release(left, Outcome.ADMITTED if admitted else Outcome.REFUSED)

        await asyncio.gather(*(one() for _ in range(200)))
        ends[number] = loop.time()

    async def main():
        await asyncio.gather(meanwhile(), *(process(number) for number in range(count)))

    simulate(main)
    return ends


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("rate", [20, 50])
def test_processes_that_share_a_limit_share_it_evenly(count, rate):
    """In most runs: who is refused first is chance. A DELETE and a poll for each of 200 models, as in the benchmark."""
    totals, spreads, refused = [], [], []
    for seed in range(40):
        limiter = Limiter(rate, rate)
        ends = rivals(limiter, count, seed, requests=400)
        totals.append(max(ends) * rate / (count * 400 - rate))
        spreads.append(max(ends) / min(ends))
        refused.append(limiter.refused / (limiter.refused + len(limiter.admitted)))

    assert max(totals) <= 1.3
    assert sorted(spreads)[35] <= 1.5
    assert max(refused) <= 0.2


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize(("before", "after"), [(20, 50), (50, 20)])
@pytest.mark.parametrize("seed", range(3))
def test_a_limit_that_changes_is_followed_by_all_that_share_it_within_ten_seconds(before, after, count, seed):
    limiter, refused = Limiter(before, before), []

    async def change():
        await asyncio.sleep(40)
        limiter.rate = limiter.burst = after
        await asyncio.sleep(10)
        refused.append(limiter.refused)

    rivals(limiter, count, seed, seconds=60, meanwhile=change)
    refused_since = limiter.refused - refused[0]
    admitted_since = sum(time >= 50 for time in limiter.admitted)

    assert limiter.used(50, 60) >= 0.7
    assert refused_since <= 0.2 * (refused_since + admitted_since)


@pytest.mark.parametrize(("before", "after"), [(5, 100), (20, 50), (100, 5), (50, 20)])
def test_a_limit_that_changes_is_followed_within_about_ten_seconds(before, after):
    limiter = Limiter(before, before)

    async def main():
        asyncio.get_running_loop().call_later(40, setattr, limiter, "rate", after)
        await crowd(limiter, 80, wants=2000)

    simulate(main)

    assert limiter.used(52, 80) >= 0.8
    assert limiter.refused <= 0.2 * (limiter.refused + len(limiter.admitted))


class Api:
    """Two hundred models behind a limiter, and an outage in which everything is refused."""

    def __init__(self, limiter, *, outage, takes=30):
        self.limiter, self.outage, self.takes = limiter, outage, takes
        self.began, self.refused_after, self.done_at = {}, 0, 0.0

    def admits(self, now):
        since, until = self.outage
        if since <= now < until:
            return False
        admitted = self.limiter.admits(now)
        self.refused_after += now >= until and not admitted
        return admitted

    async def undeploy(self, number, queue, retry_after):
        """As a wait does it: the DELETE, then polls at growing pauses."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        await self.request(queue, retry_after, urgent=True)
        self.began[number] = loop.time()
        while True:
            asked = await self.request(queue, retry_after, urgent=False)
            if asked >= self.began[number] + self.takes:
                self.done_at = max(self.done_at, loop.time())
                return
            await asyncio.sleep(min(5, max(0.5, 0.1 * (loop.time() - started))))

    async def request(self, queue, retry_after, *, urgent):
        loop = asyncio.get_running_loop()
        due, refusals = loop.time(), 0
        while True:
            left = await queue.enter(urgent=urgent and refusals < 2, due=due)
            await asyncio.sleep(0.005)
            now = loop.time()
            admitted = self.admits(now)
            await asyncio.sleep(0.005)
            queue.release(left, *((Outcome.ADMITTED,) if admitted else (Outcome.REFUSED, retry_after)))
            if admitted:
                return now
            refusals += 1
            if refusals > 1:
                due = (due + loop.time()) / 2


def undeployed_through(outage, retry_after=None, limiter=None):
    """Undeploy two hundred models through an outage, given as its begin and end."""
    api = Api(limiter or Limiter(1e6, 1e6), outage=outage)

    async def main():
        queue = RequestQueue(Pace(128))
        await asyncio.gather(*(api.undeploy(number, queue, retry_after) for number in range(200)))

    simulate(main)
    return api


@pytest.mark.parametrize("retry_after", [None, 2, 5])
@pytest.mark.parametrize("lasts", [10, 24, 60, 250])
@pytest.mark.parametrize("since", [0, 10])
def test_after_any_outage_all_are_done_within_ten_seconds_of_the_ideal(since, lasts, retry_after):
    api = undeployed_through((since, since + lasts), retry_after)

    # What was accepted before the outage finishes meanwhile, and is seen when it ends.
    assert api.done_at <= max(30, since + lasts + (30 if since == 0 else 0)) + 10


@pytest.mark.parametrize("retry_after", [None, 2])
@pytest.mark.parametrize("burst", [1, 20])
@pytest.mark.parametrize("since", [0, 5, 20])
def test_a_limit_behind_an_outage_refuses_no_burst(since, burst, retry_after):
    limiter = Limiter(20, burst)
    api = undeployed_through((since, since + 40), retry_after, limiter)

    # Two hundred DELETEs take ten seconds, and the last poll of each ten more.
    assert api.done_at <= since + 40 + 30 + 20 + 15
    admitted_after = sum(time >= since + 40 for time in limiter.admitted)
    assert api.refused_after <= 0.2 * (api.refused_after + admitted_after)


def test_in_an_outage_one_request_leaves_each_second():
    pace, now, left = Pace(128), START, []
    while now < START + 60:
        now += pace.pause(now)
        pace.leave(now, queued=True)
        left.append(now)
        now += 0.01
        pace.end(now, left=left[-1], outcome=Outcome.REFUSED)

    assert pace.refuses_all
    assert 1 == pace.window
    assert [1] * 40 == pytest.approx([left[-number] - left[-number - 1] for number in range(1, 41)], rel=0.1)


def test_a_response_to_a_request_from_before_the_outage_does_not_end_it():
    pace, now = Pace(128), START
    pace.leave(START, queued=True)
    while not pace.refuses_all:
        now += max(0.01, pace.pause(now))
        pace.leave(now, queued=True)
        pace.end(now, left=now, outcome=Outcome.REFUSED)
    pace.end(now, left=START, outcome=Outcome.ADMITTED)

    assert pace.refuses_all


def test_limits_that_change_every_minute_lose_nobody():
    limiter = Limiter(50, 10)

    async def change():
        for rate in (5, 200, 10, 100, 50):
            await asyncio.sleep(60)
            limiter.rate = rate

    async def main():
        changing = asyncio.create_task(change())
        polls = await crowd(limiter, 330, wants=1000)
        await changing
        return polls

    polls, _ = simulate(main)

    assert min(polls) > 0
    assert limiter.refused <= 0.2 * (limiter.refused + len(limiter.admitted))


def test_after_a_pause_that_was_asked_for_nobody_is_let_loose_in_a_herd():
    limiter = Limiter(50, 5)
    simulate(lambda: crowd(limiter, 60, retry_after=3))

    busiest = max(sum(start <= time < start + 1 for time in limiter.admitted) for start in range(60))

    assert busiest <= 50 + 5
    assert limiter.refused <= 0.05 * (limiter.refused + len(limiter.admitted))


def test_a_cancelled_turn_is_given_back():
    async def main():
        queue = RequestQueue(Pace(1))
        left = await queue.enter(urgent=False, due=0)
        tasks = [asyncio.create_task(queue.enter(urgent=False, due=number)) for number in range(4)]
        await asyncio.sleep(1)
        tasks[1].cancel()
        tasks[2].cancel()
        await asyncio.sleep(1)
        queue.release(left, Outcome.ADMITTED)
        tasks[0].cancel()  # it has its turn already, but does not know yet
        return await tasks[3]

    taken, _ = simulate(main)

    assert 2 == taken


def test_the_most_overdue_is_next_and_what_is_urgent_before_all():
    order = []

    async def main():
        queue = RequestQueue(Pace(1))

        async def one(name, due, urgent):
            left = await queue.enter(urgent=urgent, due=due)
            await asyncio.sleep(1)
            order.append(name)
            queue.release(left, Outcome.ADMITTED)

        await asyncio.gather(
            one("first", 9, False), one("late", 2, False), one("later", 1, False), one("urgent", 5, True)
        )

    simulate(main)

    assert ["first", "urgent", "later", "late"] == order


async def last_polls(count, retry_after, *, answers):
    """Poll so many models up to a deadline in six seconds; return when requests arrived, and how each poll ended."""
    settings, arrived, ends = Settings("key", "http://api.invalid"), [], []
    clock = asyncio.get_running_loop().time

    async def respond(_):
        arrived.append(clock())
        return httpx.Response(503 if answers is None or clock() < answers else 200)

    def read(response):
        if response.status == 503:
            raise OverloadedError("503", retry_after=retry_after)
        return "answered"

    sender = RetryingSender(settings, transport=httpx.MockTransport(respond))

    async def one(number):
        try:
            end = await sender.send("GET", f"/{number}", read, within=11, options=RequestOptions(leave_within=6))
        except OverloadedError as exc:
            end = str(exc)
        ends.append((clock(), end))

    await asyncio.gather(*(one(number) for number in range(count)))
    await sender.aclose()
    return arrived, ends


@pytest.mark.parametrize("answers", [1, None])
def test_a_request_leaves_at_its_deadline_although_it_was_told_to_stay_away_and_ends_then(answers):
    (arrived, ends), _ = simulate(lambda: last_polls(1, 86400, answers=answers))

    assert [0, 6] == pytest.approx(arrived, abs=0.01)
    assert [(6, "answered" if answers else "503")] == [(pytest.approx(ends[0][0], abs=0.01), ends[0][1])]


def test_of_many_one_leaves_at_the_deadline_and_all_end_then():
    (arrived, ends), _ = simulate(lambda: last_polls(50, 86400, answers=None))

    assert 1 == sum(time > 5 for time in arrived)
    assert [6] * 50 == pytest.approx([time for time, _ in ends], abs=0.01)
    assert sum("was not sent within 6s" in end for _, end in ends) == 49


def test_who_is_told_to_stay_away_for_a_little_longer_waits_for_that():
    (arrived, ends), _ = simulate(lambda: last_polls(20, 8, answers=7))

    assert ["answered"] * 20 == [end for _, end in ends]
    assert not any(0.1 < time < 8 for time in arrived)


@pytest.mark.parametrize(("admitted", "kept"), [(0, 1 / 2), (10, 1 / 2), (20, 1)])
def test_a_restored_rate_that_is_refused_at_once_is_halved(admitted, kept):
    """Outages one after the other: what was restored last was too much, unless it was admitted for a while."""
    pace, now, rates = Pace(16), START, []
    for _ in range(2):
        for _ in range(5):
            pace.leave(now, queued=True)
            pace.end(now, left=now, outcome=Outcome.REFUSED)
            now += 1
        pace.leave(now, queued=True)
        pace.end(now, left=now, outcome=Outcome.ADMITTED)
        rates.append(pace.rate)
        for _ in range(admitted):
            now += 1
            pace.leave(now, queued=False)
            pace.end(now, left=now, outcome=Outcome.ADMITTED)
        now += 1

    assert rates[1] == rates[0] * kept
