"""Happens once."""

from nugen_pulumi.engine.cancellation import Cancellation


def test_cancel_is_announced_once_to_each_and_at_once_to_who_comes_late():
    cancellation, heard = Cancellation(), []
    cancellation.listen(lambda: heard.append("early"))
    cancellation.announce()
    cancellation.announce()
    cancellation.listen(lambda: heard.append("late"))

    assert ["early", "late"] == heard
