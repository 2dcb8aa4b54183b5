"""A call of the engine, and what becomes of it when the engine has gone."""

import os
import signal
import sys
import threading

import pytest
from harness.engine import Context

from nugen_pulumi.engine import call as call_module
from nugen_pulumi.engine.call import Call, stop_process


@pytest.fixture(autouse=True)
def _no_engine():
    call_module._engine.cache_clear()
    yield
    call_module._engine.cache_clear()


def test_without_a_context_nothing_fails():
    call = Call()
    call.report("x")
    call.debug("x")
    call.fail("x")
    call.on_lost(pytest.fail)

    assert ("", None) == (call.urn, call.timeout)


def test_an_engine_that_is_gone_already_is_noticed(monkeypatch):
    happened = []
    monkeypatch.setattr(call_module, "stop_process", lambda: happened.append("stopped"))
    Call(context=Context(active=False)).on_lost(lambda: happened.append("abandoned"))

    assert ["abandoned", "stopped"] == happened


def test_an_answered_call_cannot_lose_its_engine(monkeypatch):
    monkeypatch.setattr(call_module, "stop_process", pytest.fail)
    context = Context()
    call = Call(context=context)
    with call.in_progress():
        call.on_lost(pytest.fail)
    [ended] = context.callbacks
    ended()


@pytest.mark.parametrize("argument", ["pytest", "-q", "/path/to:file", ""])
def test_without_an_engines_address_nothing_is_shown(monkeypatch, argument):
    monkeypatch.setattr(sys, "argv", ["x", argument])
    Call("urn:m", context=Context()).report("x")

    assert call_module._engine() is None


@pytest.mark.skipif(sys.platform == "win32", reason="it has neither SIGTERM nor signals for a thread")
@pytest.mark.parametrize(
    ("handler", "sent"), [(signal.default_int_handler, signal.SIGINT), (signal.SIG_IGN, signal.SIGTERM)]
)
def test_the_process_is_stopped_once_in_the_background_too(monkeypatch, handler, sent):
    """A second interrupt would kill the host in the middle of stopping. A script's background jobs ignore SIGINT."""
    killed = []
    monkeypatch.setattr(call_module.signal, "pthread_kill", lambda *args: killed.append(args))
    monkeypatch.setattr(call_module.signal, "getsignal", lambda _: handler)
    monkeypatch.setattr(call_module, "_first_to_stop", threading.Lock())
    stop_process()
    stop_process()

    assert [(threading.main_thread().ident, sent)] == killed


def test_on_windows_the_process_ends_at_once(monkeypatch):
    """No signal wakes up a host that waits there."""

    def end(code):
        raise SystemExit(code)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "_exit", end)

    with pytest.raises(SystemExit):
        stop_process()
