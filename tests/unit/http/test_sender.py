"""In which order requests leave, when one leaves that must not wait any longer, and what an outage ends."""

import asyncio
import math
import ssl

import httpcore
import httpx
import pytest
from harness.simulated import simulate

from nugen_pulumi.errors import OutageError, OverloadedError, RejectedError, UnavailableError
from nugen_pulumi.http.outage import LONGEST_OUTAGE
from nugen_pulumi.http.pace import FIRST_RATE, Fate, Pace
from nugen_pulumi.http.pool import SentRequest
from nugen_pulumi.http.sender import Queue, RequestOptions, Sender
from nugen_pulumi.settings import Settings

SETTINGS = Settings("key", "http://api.invalid")


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (SentRequest("GET", "/", 0.0123, 200), "GET 200 in 12 ms"),
        (SentRequest("GET", "/", 1.5, 503, "4f1c"), "GET 503 in 1500 ms (request 4f1c)"),
        (SentRequest("DELETE", "/", 30.0), "DELETE without a response in 30000 ms"),
    ],
)
def test_a_request_that_was_sent_is_one_phrase(sent, line):
    assert line == str(sent)


def test_the_most_overdue_is_next_and_what_is_urgent_before_all():
    order = []

    async def main():
        queue = Queue(Pace(1))

        async def one(name, due, urgent):
            left = await queue.enter(urgent=urgent, due=due)
            await asyncio.sleep(1)
            order.append(name)
            queue.release(left, Fate.ADMITTED)

        await asyncio.gather(
            one("first", 9, False), one("late", 2, False), one("later", 1, False), one("urgent", 5, True)
        )

    simulate(main)

    assert ["first", "urgent", "later", "late"] == order


def test_a_turn_that_comes_too_late_is_given_back():
    """Cancelled while it waits, at the moment at which it has its turn, and given up then."""

    async def main():
        queue = Queue(Pace(1))
        left = await queue.enter(urgent=False, due=0)
        tasks = [asyncio.create_task(queue.enter(urgent=False, due=number)) for number in range(3)]
        late = asyncio.create_task(queue.enter(urgent=False, due=3, give_up_at=1))
        last = asyncio.create_task(queue.enter(urgent=False, due=4))
        await asyncio.sleep(2)
        tasks[1].cancel()
        queue.release(left, Fate.ADMITTED)
        tasks[0].cancel()  # it has its turn already, but does not know yet
        queue.release(await tasks[2], Fate.ADMITTED)
        with pytest.raises(TimeoutError):
            await late
        return await last

    assert 2 == simulate(main)[0]


def test_a_turn_that_comes_as_the_time_is_over_is_given_back():
    """In one iteration of the loop: many waits have the same deadline, and each response hands out a turn."""

    async def main():
        queue = Queue(Pace(1))
        left = await queue.enter(urgent=False, due=0)
        asyncio.get_running_loop().call_at(10 - 1e-10, queue.release, left, Fate.ADMITTED)
        with pytest.raises(TimeoutError):
            await queue.enter(urgent=False, due=0, give_up_at=10)
        return await queue.enter(urgent=False, due=0, give_up_at=20)

    assert 10 == pytest.approx(simulate(main)[0])


def test_dismissed_turns_end_with_an_error_each():
    """They were never sent. One that was cancelled just now is left alone."""

    async def main():
        queue = Queue(Pace(1))
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


def sending(respond, work, settings=SETTINGS):
    """Give *work* a sender whose requests *respond* answers."""

    async def main():
        sender = Sender(settings, transport=httpx.MockTransport(respond))
        result = await work(sender)
        await sender.aclose()
        return result

    return simulate(main)[0]


@pytest.mark.parametrize(("answer", "sent"), [(503, False), (500, True)])
def test_at_the_end_of_an_outage_only_the_request_that_was_sent_may_have_been_carried_out(answer, sent):
    """The others were in the queue, or came later, and never left."""

    async def respond(_):
        await asyncio.sleep(1)
        return httpx.Response(answer)

    def read(response):
        raise OverloadedError("503") if response.status == 503 else UnavailableError("500")

    async def work(sender):
        sender.outage.failed(-LONGEST_OUTAGE, "500")
        return await asyncio.gather(
            *(sender.send("DELETE", f"/{number}", read, within=60) for number in range(3)), return_exceptions=True
        )

    ends = sending(respond, work, Settings("key", "http://api.invalid", max_concurrent_requests=1))

    assert [OutageError] * 3 == [type(end) for end in ends]
    assert [sent, False, False] == [end.sent for end in ends]


def test_an_error_that_asking_again_will_not_help_is_no_outage():
    """A certificate that cannot be verified, for example: nobody else has to wait for longer because of it."""
    error = httpcore.ConnectError("no")
    error.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed")

    def respond(_):
        raise error

    async def work(sender):
        with pytest.raises(RejectedError):
            await sender.send("GET", "/", lambda response: response, within=60)
        return sender.outage.error

    assert "" == sending(respond, work)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("others", [3, 100])
def test_one_request_that_is_always_refused_does_not_block_the_others(method, others):
    """It loses its priority, then its place. Without it, they would take five seconds."""

    def read(response):
        if response.status == 503:
            raise OverloadedError("503")

    async def respond(request):
        await asyncio.sleep(0.01)
        return httpx.Response(503 if request.url.path == "/bad" else 200)

    async def work(sender):
        async def polled(number):
            for _ in range(5):
                await sender.send("GET", f"/{number}", read, within=600)
                await asyncio.sleep(1)

        bad = asyncio.create_task(sender.send(method, "/bad", read, within=600))
        await asyncio.gather(*map(polled, range(others)))
        bad.cancel()
        return asyncio.get_running_loop().time()

    assert sending(respond, work) < 20


def test_one_that_nobody_waits_behind_does_not_try_out_a_higher_rate():
    answers = iter([503] + [200] * 10)

    def read(response):
        if response.status == 503:
            raise OverloadedError("503")

    async def work(sender):
        for _ in range(10):
            await sender.send("GET", "/", read, within=60)
        return sender.pace.rate

    assert sending(lambda _: httpx.Response(next(answers)), work) == FIRST_RATE


async def last_polls(sender, count):
    """Poll so many models up to a deadline in six seconds; return how each poll ended."""
    clock = asyncio.get_running_loop().time

    def read(response):
        if response.status == 503:
            raise OverloadedError("503", retry_after=response.retry_after())
        return "answered"

    async def one(number):
        try:
            end = await sender.send("GET", f"/{number}", read, within=11, options=RequestOptions(leave_within=6))
        except OverloadedError as exc:
            end = str(exc)
        return clock(), end

    return await asyncio.gather(*(one(number) for number in range(count)))


def polled_at_a_deadline(count, retry_after, *, refused_for):
    """Return when requests arrived, and how each poll ended, where all are refused for so long."""
    arrived = []

    def respond(_):
        arrived.append(now := asyncio.get_running_loop().time())
        return httpx.Response(503 if now < refused_for else 200, headers={"Retry-After": str(retry_after)})

    return arrived, sending(respond, lambda sender: last_polls(sender, count))


@pytest.mark.parametrize(("refused_for", "said"), [(1, "answered"), (math.inf, "503")])
def test_a_request_leaves_at_its_deadline_although_it_was_told_to_stay_away_and_ends_then(refused_for, said):
    arrived, ends = polled_at_a_deadline(1, 86400, refused_for=refused_for)

    assert [0, 6] == pytest.approx(arrived, abs=0.01)
    assert [(6, said)] == [(pytest.approx(ends[0][0], abs=0.01), ends[0][1])]


def test_of_many_one_leaves_at_the_deadline_and_all_end_then():
    arrived, ends = polled_at_a_deadline(50, 86400, refused_for=math.inf)

    assert 1 == sum(time > 5 for time in arrived)
    assert [6] * 50 == pytest.approx([time for time, _ in ends], abs=0.01)
    assert 49 == sum("was not sent within 6s: the API admits no requests" in end for _, end in ends)


def test_who_is_told_to_stay_away_for_a_little_longer_waits_for_that():
    arrived, ends = polled_at_a_deadline(20, 8, refused_for=7)

    assert ["answered"] * 20 == [end for _, end in ends]
    assert not any(0.1 < time < 8 for time in arrived)
