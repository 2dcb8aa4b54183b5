"""Where Pulumi's host or Python no longer has what a feature leans on, the work goes on without it."""

import base64
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.engine import Context
from pulumi.runtime.proto import provider_pb2 as pb

from nugen_pulumi.engine import cancellation as cancellation_module
from nugen_pulumi.engine import host
from nugen_pulumi.engine.cancellation import Cancellation


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (b"\x80\x04\x95a name", b"\x80\x05\x95a name", True),
        (b"\x80\x04\x95a name", b"\x80\x04\x95another", False),
        (None, b"\x80\x04\x95a name", False),
    ],
)
def test_another_version_of_python_does_not_make_another_provider(old, new, same):
    olds, news = ({} if one is None else {"__provider": base64.b64encode(one).decode()} for one in (old, new))

    assert same is host.same_provider(olds, news)


@pytest.fixture
def pool():
    """As the host's, but of one thread."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


def three_waits(pool):
    """Submit what ends only if all three have a thread."""
    together = threading.Barrier(3)
    return [pool.submit(together.wait, 20) for _ in range(3)]


def test_the_pool_of_the_current_thread_is_widened(pool):
    assert pool.submit(host.widen_pool, 8).result()
    assert {0, 1, 2} == {wait.result() for wait in three_waits(pool)}


def test_calls_that_came_before_the_widening_get_their_threads(pool):
    submitted = threading.Event()

    def first():
        submitted.wait(20)
        return host.widen_pool(8)

    widening, waits = pool.submit(first), three_waits(pool)
    submitted.set()

    assert widening.result()
    assert {0, 1, 2} == {wait.result() for wait in waits}


def test_a_rush_of_short_calls_leaves_no_wait_without_a_thread(pool):
    """The one thread has counted itself as idle once for each short call, before Python 3.12."""
    submitted = threading.Event()
    rush = [pool.submit(submitted.wait, 20) for _ in range(5)]
    submitted.set()
    assert all(call.result() for call in rush)
    pool.submit(host.widen_pool, 8).result()

    assert {0, 1, 2} == {wait.result() for wait in three_waits(pool)}


def test_a_pool_is_never_narrowed():
    with ThreadPoolExecutor(max_workers=9) as pool:
        pool.submit(host.widen_pool, 2).result()

        assert 9 == pool._max_workers


def test_a_thread_outside_any_pool_widens_nothing():
    assert host.widen_pool() is False


def test_a_pool_with_other_insides_is_left_alone(pool):
    def work():
        del pool._idle_semaphore
        return host.widen_pool()

    assert pool.submit(work).result() is False
    assert 1 == pool._max_workers


def test_without_a_call_there_are_no_facts_and_nothing_fails():
    """The frames of this test hold no request."""
    call = host.HostCall.current()
    call.fail_but_keep("x", "m", {})

    assert ("", None) == (call.urn, call.timeout)


def test_the_call_is_found_among_the_frames():
    def serve(request, context):
        return host.HostCall.current()

    call = serve(pb.CreateRequest(urn="urn:m", timeout=7), Context())

    assert ("urn:m", 7) == (call.urn, call.timeout)


def test_a_request_without_a_timeout_has_none():
    assert host.HostCall(pb.CreateRequest(urn="urn:m"), Context()).timeout is None


def test_without_the_pickled_provider_nothing_is_kept_but_the_sentence_stays():
    """State without it could not be refreshed or destroyed."""
    context = Context()
    host.HostCall(pb.CreateRequest(urn="urn:m"), context).fail_but_keep("it broke", "m", {"a": 1})

    assert "it broke" in context.metadata[0][1].decode()
    assert b"ErrorResourceInitFailed" not in context.metadata[0][1]


@pytest.mark.parametrize(
    "main",
    [
        types.SimpleNamespace(),
        types.SimpleNamespace(DynamicResourceProviderServicer=object),
        types.SimpleNamespace(DynamicResourceProviderServicer=types.SimpleNamespace(Cancel=len)),
        types.SimpleNamespace(DynamicResourceProviderServicer=types.SimpleNamespace(Cancel=lambda self: None)),
        None,
    ],
)
def test_a_host_without_the_cancel_we_know_is_left_alone(monkeypatch, main):
    monkeypatch.setitem(sys.modules, "__main__", main)

    assert host.hear_cancel() is False


def test_a_replaced_cancel_announces_and_answers(monkeypatch):
    class Servicer:
        def Cancel(self, request, context):  # noqa: N802 - the name is the protocol's
            raise AssertionError("the stock one")

    monkeypatch.setitem(sys.modules, "__main__", types.SimpleNamespace(DynamicResourceProviderServicer=Servicer))
    monkeypatch.setattr(cancellation_module, "cancellation", Cancellation())
    bound, heard = Servicer().Cancel, []
    cancellation_module.cancellation.listen(lambda: heard.append("cancelled"))

    assert host.hear_cancel()
    assert "Empty" == type(bound(None, None)).__name__
    assert ["cancelled"] == heard


def test_sigterm_still_ends_a_process_that_is_no_host():
    """A program, a test: what only imports the package keeps what it has."""
    assert host.ignore_sigterm() is False


def test_without_ctypes_sigterm_is_left_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctypes", None)

    assert host.ignore_sigterm() is False
