"""What no process can be brought to do on purpose."""

import pytest
from pulumi.dynamic import Config

from nugen_pulumi.engine import host
from nugen_pulumi.provider import UndeployedModelProvider


class Call(host.HostCall):
    """A call that remembers what is kept."""

    def __init__(self):
        super().__init__()
        self.kept = None

    def fail_but_keep(self, message, id_, outputs):
        self.kept = (message, id_, outputs)


@pytest.mark.parametrize("kept", [None, ("m", {"status": "PENDING"})])
def test_a_mistake_of_ours_keeps_its_traceback_and_what_is_known(monkeypatch, kept):
    call = Call()
    monkeypatch.setattr(host.HostCall, "current", lambda _find: call)
    mistake = ZeroDivisionError("ours")
    mistake.kept = kept

    class Operations:
        def create(self, _operation, _news):
            raise mistake

    monkeypatch.setattr(UndeployedModelProvider, "_operations", Operations())
    configured = UndeployedModelProvider()
    configured._config = Config({}, "")
    with pytest.raises(ZeroDivisionError):
        configured.create({})

    if kept is None:
        assert call.kept is None
    else:
        message, *rest = call.kept
        assert "Traceback" in message
        assert list(kept) == rest
