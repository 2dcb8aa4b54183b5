"""What a stock host has not, one by one, with the real processes: each test fails when its feature is lost."""

import re
import signal

import pytest
from google.protobuf import empty_pb2
from harness import needs_signals, until
from harness.engine import Engine
from harness.host import DEFAULTS, EVER, done, inputs, refused, status_of
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from nugen_pulumi.emulator import catalogue


def test_a_check_never_queues_behind_waits(own_host, emulator):
    """Forty waits that never end, and the host still answers: the stock host would with three."""
    for i in range(40):
        emulator.add(f"m-{i}", **EVER)
    waits = [own_host.creating(inputs(model_id=f"m-{i}")) for i in range(40)]
    until(lambda: len({path for _, path in emulator.requests}) == 40)

    assert [] == own_host.check(inputs())[1]
    assert not any(wait.call.done() for wait in waits)
    own_host.stub.Cancel(empty_pb2.Empty())


def test_custom_timeouts_are_those_of_the_call(host, emulator):
    """And `timeout_seconds` wins over them."""
    emulator.add("m-1", **EVER)
    of_call = refused(lambda: host.create(inputs(), timeout=0.3))
    of_input = refused(lambda: host.create(inputs(timeout_seconds=0.3), timeout=600))
    of_update = refused(
        lambda: host.update({**done(), "undeployed": False, "status": "PENDING"}, inputs(), timeout=0.3)
    )

    for error in (of_call, of_input, of_update):
        assert "Model m-1 is not undeployed after " in status_of(error).message


def test_the_live_line_is_in_the_resources_own_row_and_leaves_nothing(start, emulator):
    emulator.script("m-1", "PENDING", 503, "COMPLETED")
    with Engine() as engine, start(engine=engine.address) as host:
        host.create(inputs())
        until(lambda: len(engine.logged) == 3)

    assert [(host.urn, True)] * 3 == [(line.urn, line.ephemeral) for line in engine.logged]
    assert engine.logged[0].message == "PENDING"
    assert engine.logged[1].message.startswith("PENDING · 503 Service Unavailable")
    assert re.fullmatch(r"COMPLETED( · [\d.]+s)?", engine.logged[2].message)


def test_a_refresh_that_finds_a_model_in_service_warns_of_it(start, emulator):
    """And tells what the next `up` does about it."""
    emulator.script("m-1", catalogue.failed("Model status is DEPLOYED."))
    with Engine() as engine, start(engine=engine.address) as host:
        host.refresh(done(undeploy=True))
        until(lambda: engine.logged)
    [line] = engine.logged

    assert (host.urn, False, engine_pb2.LogSeverity.WARNING) == (line.urn, line.ephemeral, line.severity)
    assert (
        "Model m-1 is no longer undeployed: Model status is DEPLOYED. The next `pulumi up` undeploys it."
    ) == line.message


def test_a_diff_says_in_the_row_why_there_will_be_an_update(start):
    pending = {**done(), "status": "PENDING", "undeployed": False}
    with Engine() as engine, start(engine=engine.address) as host:
        host.diff(pending, inputs())
        until(lambda: engine.logged)
        host.diff(done(), inputs(timeout_seconds=7))

    assert [("was PENDING: will keep waiting", True)] == [(line.message, line.ephemeral) for line in engine.logged]


FORESEEN = [
    (lambda host: host.create(inputs()), 403, "does not accept the API key"),
    (lambda host: host.create(inputs()), catalogue.failed("GPU on fire."), "was not undeployed: GPU on fire."),
    # A refresh never takes an error for absence.
    (lambda host: host.refresh(done()), 500, "no usable response to a single poll: 500"),
    (lambda host: host.refresh(done()), catalogue.wrong_route(), "has no such endpoint"),
    (lambda host: host.get("m-1", DEFAULTS), 403, "does not accept the API key"),
    (lambda host: host.update({**done(), "undeployed": False}, inputs()), 422, "does not accept this model id"),
]


@pytest.mark.parametrize(("call", "answer", "says"), FORESEEN)
def test_what_is_foreseen_reaches_the_user_as_a_sentence(host, emulator, call, answer, says):
    emulator.script("m-1", answer)
    status = status_of(refused(lambda: call(host)))

    assert says in status.message
    assert status.message.startswith("Model m-1")
    assert "Traceback" not in status.message
    assert bool(status.details) == ("on fire" in says), "where nothing was learnt nothing is kept"


def test_what_is_not_foreseen_keeps_its_traceback(host):
    """A mistake of ours must be findable."""
    error = refused(lambda: host.create({}))

    assert host.native or "grpc-status-details-bin" not in dict(error.trailing_metadata() or ())
    assert "'model_id'" in error.details()
    assert not host.native or "Traceback" in error.details(), "the host of an older SDK prints it instead"


def test_a_timeout_keeps_the_resource_with_what_is_known(host, emulator):
    emulator.add("m-1", **EVER)
    error = refused(lambda: host.create(inputs(timeout_seconds=0.2, triggers=["t"])))
    id_, outputs, provider, reasons = host.kept(error)

    assert "m-1" == id_
    assert {**inputs(timeout_seconds=0.2, triggers=["t"]), "status": "PENDING", "undeployed": False}.items() <= {
        name: value for name, value in outputs.items() if name != "start_time"
    }.items()
    assert host.provider == provider
    assert [status_of(error).message] == reasons
    assert "The next `pulumi up` continues to wait. To wait longer, raise timeout" in reasons[0]


def test_an_update_that_fails_keeps_the_new_outputs_and_the_new_provider(host, emulator):
    emulator.script("m-1", "PENDING", 403)
    olds = {**done(), "status": "FAILED", "undeployed": False, "error": "GPU on fire."}
    _, outputs, provider, _ = host.kept(refused(lambda: host.update(olds, inputs(timeout_seconds=9))))

    assert ("PENDING", 9) == (outputs["status"], outputs["timeout_seconds"])
    assert "error" not in outputs
    assert host.provider == provider


def test_cancel_ends_every_wait_and_keeps_what_was_learnt(own_host, emulator):
    for name in ("m-1", "m-2"):
        emulator.add(name, **EVER)
    waits = [own_host.creating(inputs(model_id=name)) for name in ("m-1", "m-2")]
    until(lambda: len(emulator.requests) >= 4)
    own_host.stub.Cancel(empty_pb2.Empty())
    errors = [refused(wait.result) for wait in waits]

    assert ["PENDING", "PENDING"] == [own_host.kept(error)[1]["status"] for error in errors]
    for error in errors:
        assert ": interrupted after " in status_of(error).message
        assert status_of(error).message.endswith("was PENDING. The next `pulumi up` continues to wait.")


@needs_signals
def test_sigterm_to_the_whole_tree_keeps_what_was_learnt(own_host, emulator):
    """The engine gets it, too, and cancels; the process ends when the engine has its answers and interrupts it."""
    emulator.add("m-1", **EVER)
    wait = own_host.creating(inputs())
    until(lambda: len(emulator.requests) >= 2)
    own_host.process.send_signal(signal.SIGTERM)
    own_host.stub.Cancel(empty_pb2.Empty())

    assert "PENDING" == own_host.kept(refused(wait.result))[1]["status"]
    own_host.process.send_signal(signal.SIGINT)
    assert 0 == own_host.process.wait(timeout=30)


def test_a_cancelled_process_takes_no_new_waits_and_cancel_may_come_twice(own_host, emulator):
    emulator.script("m-1", "COMPLETED")
    own_host.create(inputs())
    own_host.stub.Cancel(empty_pb2.Empty())
    own_host.stub.Cancel(empty_pb2.Empty())
    error = refused(lambda: own_host.create(inputs(model_id="m-2")))

    assert "Not started, because the operation was cancelled." == status_of(error).message
    assert [] == list(status_of(error).details)
    assert 1 == len(emulator.requests)


def test_a_process_cancelled_before_its_first_wait_takes_none(own_host, emulator):
    own_host.check(inputs())
    own_host.stub.Cancel(empty_pb2.Empty())

    assert "Not started" in status_of(refused(lambda: own_host.create(inputs()))).message
    assert [] == emulator.requests


def test_a_cancelled_refresh_is_an_error_and_touches_nothing(own_host, emulator):
    emulator.script("m-1", catalogue.Answer(200, delay=30.0))
    reading = own_host.stub.Read.future(pb.ReadRequest(id="m-1", urn=own_host.urn, properties=own_host.props(done())))
    until(lambda: emulator.requests)
    own_host.stub.Cancel(empty_pb2.Empty())
    error = refused(reading.result)

    assert "before the first usable response" in status_of(error).message
    assert [] == list(status_of(error).details)


def test_a_process_whose_engine_died_ends(own_host, emulator):
    """Nobody will ever read what its waits learn, and what has ended asks nothing."""
    emulator.add("m-1", **EVER)
    emulator.add("m-2", **EVER)
    waits = [own_host.creating(inputs(model_id=name)) for name in ("m-1", "m-2")]
    until(lambda: len(emulator.requests) >= 4)
    assert not any(wait.call.done() for wait in waits)
    own_host.channel.close()

    assert 0 == own_host.process.wait(timeout=30)


def test_an_idle_process_whose_engine_died_ends(own_host):
    """Its standard input is the engine's."""
    own_host.check(inputs())
    own_host.process.stdin.close()

    assert 0 == own_host.process.wait(timeout=30)
    own_host.process.stdin = None
