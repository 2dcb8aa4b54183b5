"""A call of the engine, and what becomes of it when the engine has gone."""

import os
import sys

import pytest
from harness.engine import Context

from nugen_pulumi.engine import call as call_module
from nugen_pulumi.engine.call import Call


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
    call.end_if_left()

    assert ("", None) == (call.urn, call.timeout)


def test_an_engine_that_is_gone_already_is_noticed(monkeypatch):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    Call(context=Context(active=False)).end_if_left()

    assert [0] == ended


def test_an_answered_call_cannot_lose_its_engine(monkeypatch):
    monkeypatch.setattr(os, "_exit", pytest.fail)
    context = Context()
    call = Call(context=context)
    with call.in_progress():
        call.end_if_left()
    [ended] = context.callbacks
    ended()


@pytest.mark.parametrize("argument", ["pytest", "-q", "/path/to:file", ""])
def test_without_an_engines_address_nothing_is_shown(monkeypatch, argument):
    monkeypatch.setattr(sys, "argv", ["x", argument])
    Call("urn:m", context=Context()).report("x")

    assert call_module._engine() is None
