"""The schedule and the decisions, without any clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nugen_pulumi.waiting.polling import PollAgain, Schedule, Stop, WaitPolicy

MIDDLE = 0.5  # the chance at which jitter changes nothing


def polls_until(end, policy=None):
    """Return the times of all polls of a wait whose undeployment is finished at *end*; polls take no time."""
    schedule = Schedule(policy or WaitPolicy(), now=0.0, chance=lambda: MIDDLE)
    times = [0.0]
    while times[-1] < end:
        decision = schedule.answered(times[-1])
        if isinstance(decision, Stop):
            break
        times.append(times[-1] + decision.pause)
        assert len(times) < 10_000, "this wait never ends"
    return times


@pytest.mark.parametrize(
    ("waited", "pause"),
    [(0, 0.5), (4, 0.5), (5, 0.5), (10, 1.0), (20, 2.0), (49, 4.9), (50, 5.0), (1000, 5.0)],
)
def test_pauses_are_a_tenth_of_the_time_waited_between_half_a_second_and_five(waited, pause):
    """The formula itself."""
    assert pause == pytest.approx(WaitPolicy().pause(waited, MIDDLE))


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 1.8), (0.25, 1.9), (0.5, 2.0), (1.0, 2.2)])
def test_jitter_moves_a_pause_by_a_tenth_of_itself(chance, pause):
    assert pause == pytest.approx(WaitPolicy().pause(20, chance))


@given(waited=st.floats(0, 1e6), chance=st.floats(0, 1), longest=st.floats(0.01, 600))
def test_no_pause_is_longer_than_the_longest(waited, chance, longest):
    """`poll_interval_seconds` is a promise, jitter or not, even when it is below the shortest pause."""
    pause = WaitPolicy(longest_pause=longest).pause(waited, chance)

    assert min(0.5, longest) <= pause <= longest


def test_the_end_of_a_wait_of_about_150_seconds_is_noticed_within_5_seconds_on_average():
    """The mean over ends that lie anywhere between two polls."""
    ends = [140 + i / 10 for i in range(200)]
    lags = [polls_until(end)[-1] - end for end in ends]

    assert 0 <= sum(lags) / len(lags) <= 5


def test_the_first_poll_is_at_once_and_the_last_one_at_the_deadline():
    """And there is none after it."""
    times = polls_until(float("inf"), WaitPolicy(timeout=12.3))

    assert times[0] == 0
    assert times[-1] == pytest.approx(12.3)
    assert times == sorted(times)


def test_an_answer_at_the_deadline_is_the_last():
    schedule = Schedule(WaitPolicy(timeout=10), now=100.0)

    assert isinstance(schedule.answered(109.9), PollAgain)
    assert Stop.TIMEOUT is schedule.answered(110.0)
    assert Stop.TIMEOUT is schedule.answered(110.1)
    assert Stop.TIMEOUT is failed(schedule, 110.0)


def test_a_poll_a_hair_before_the_deadline_is_the_last():
    """A sleep may end a rounding error early; that must not cost another request."""
    schedule = Schedule(WaitPolicy(timeout=10), now=0.1)

    assert Stop.TIMEOUT is schedule.answered(10.0999)


def test_retry_after_is_a_floor_for_the_next_pause_up_to_the_deadline():
    """Also after a refusal, which neither begins an outage nor counts for one."""
    schedule = Schedule(WaitPolicy(timeout=50), now=0.0, chance=lambda: MIDDLE)

    assert PollAgain(7.0) == failed(schedule, 0.0, retry_after=7.0) == schedule.refused(0.0, 7.0)
    assert PollAgain(0.5) == failed(schedule, 1.0, retry_after=0.1) == schedule.refused(1.0, None)
    assert PollAgain(49.0) == failed(schedule, 1.0, retry_after=60.0)


def failed(schedule, now, retry_after=None, longest=30.0):
    return schedule.failed(now, retry_after, longest_outage=longest)


@pytest.mark.parametrize(
    ("polls", "longest", "end"),
    [
        pytest.param([1, 2], 30.0, 31, id="as long as the process waits it out"),
        pytest.param([1, 2], 300.0, 301, id="which may be longer"),
        pytest.param([29, None, 40, 41], 30.0, 70, id="a usable response ends it"),
        pytest.param([95, 96], 30.0, 125, id="a queue is none"),
        pytest.param([30, 60.5], 30.0, 93, id="two polls are none, however long each hangs"),
        pytest.param([0, 1, None, 3, 303.5], 300.0, 304, id="nor after a usable response"),
    ],
)
def test_an_outage_ends_a_wait_when_it_has_lasted_since_the_first_of_three_polls_that_failed(polls, longest, end):
    schedule = Schedule(WaitPolicy(), now=0.0)
    decisions = [schedule.answered(29.5) if now is None else failed(schedule, now, longest=longest) for now in polls]

    assert not any(isinstance(decision, Stop) for decision in decisions)
    assert isinstance(schedule.refused(end, None), PollAgain)
    assert Stop.OUTAGE is failed(schedule, end, longest=longest)


def test_before_that_it_does_not():
    schedule = Schedule(WaitPolicy(), now=0.0)
    for now in (1, 2):
        failed(schedule, now)

    assert isinstance(failed(schedule, 30.9), PollAgain)


def test_all_is_counted_from_the_beginning_of_the_wait():
    """The clock is anybody's: it need not begin at zero."""
    schedule = Schedule(WaitPolicy(timeout=100), now=1000.0, chance=lambda: MIDDLE)

    assert 30.0 == schedule.unanswered_for(1030.0)
    assert PollAgain(3.0) == schedule.answered(1030.0)
    assert 10.0 == schedule.unanswered_for(1040.0)
    assert 60.0 == schedule.left(1040.0)
    assert not schedule.in_grace(1000.0)
    assert PollAgain(1.0) == schedule.answered(1099.0)


def test_the_deadline_is_named_when_both_have_passed():
    schedule = Schedule(WaitPolicy(timeout=20), now=0.0)
    for now in (1.0, 2.0):
        failed(schedule, now)

    assert Stop.TIMEOUT is failed(schedule, 40.0)


def test_grace_lasts_15_seconds_after_the_trigger():
    schedule = Schedule(WaitPolicy(), now=0.0)

    assert not schedule.in_grace(0.0)

    schedule.requested(2.0)

    assert schedule.in_grace(16.9)
    assert not schedule.in_grace(17.0)


def test_what_is_left_is_counted_down_to_the_deadline():
    schedule = Schedule(WaitPolicy(timeout=100), now=0.0)

    assert [100, 60, 0, 0] == [schedule.left(now) for now in (0, 40, 100, 101)]


@given(
    timeout=st.floats(0.1, 5000),
    longest=st.floats(0.05, 60),
    polls=st.lists(st.tuples(st.floats(0, 40), st.booleans(), st.none() | st.floats(0, 1e5)), max_size=60),
    chance=st.floats(0, 1),
)
def test_whatever_the_api_says_and_however_slow_it_is_no_poll_begins_after_the_deadline(
    timeout, longest, polls, chance
):
    """And every wait ends: by the deadline no decision asks for another poll."""
    schedule = Schedule(WaitPolicy(timeout=timeout, longest_pause=longest), now=0.0, chance=lambda: chance)
    now, stopped = 0.0, False
    for seconds, readable, retry_after in polls:
        assert now <= timeout + 1e-6
        now += min(seconds, schedule.left(now) + 5)
        decision = schedule.answered(now) if readable else failed(schedule, now, retry_after)
        if stopped := isinstance(decision, Stop):
            break
        assert decision.pause > 0
        now += decision.pause

    assert stopped or now <= timeout + 1e-6
    assert Stop.TIMEOUT is schedule.answered(timeout)
