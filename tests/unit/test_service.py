"""What no process can be brought to do on purpose."""

import pytest

from nugen_pulumi import host, service
from nugen_pulumi.models import UndeployStatus


class Call(host.Call):
    """A call that remembers what is kept."""

    def __init__(self):
        super().__init__()
        self.kept = None

    def fail_but_keep(self, message, id_, outputs):
        self.kept = (message, id_, outputs)


@pytest.mark.parametrize("last", [None, UndeployStatus(model_id="m", status="PENDING")])
def test_a_mistake_of_ours_keeps_its_traceback_and_what_is_known(monkeypatch, last):
    call = Call()
    monkeypatch.setattr(host.Call, "current", lambda: call)
    mistake = ZeroDivisionError("ours")
    mistake.last = last

    def work():
        with service.answering(keep=lambda status: ("m", {"status": status.status})):
            raise mistake

    with pytest.raises(ZeroDivisionError):
        work()

    if last is None:
        assert call.kept is None
    else:
        message, id_, outputs = call.kept
        assert "Traceback" in message
        assert ("m", "PENDING") == (id_, outputs["status"])
