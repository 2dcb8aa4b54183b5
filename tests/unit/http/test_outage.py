"""How long nothing usable is waited out."""

from nugen_pulumi.http.outage import Outage


def test_how_long_an_outage_may_last_depends_on_whether_anybody_was_ever_answered():
    outage = Outage()
    outage.failed(10.0, "first")
    outage.failed(15.0, "503")
    assert ("503", 10.0, 30.0) == (outage.error, outage.failing_for(20.0), outage.longest)

    outage.answered()
    assert ("", 0.0, 300.0) == (outage.error, outage.failing_for(20.0), outage.longest)
