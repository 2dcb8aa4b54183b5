"""Lines that are passed on together, so that they cost next to nothing."""

import pytest
from harness import Clock

from nugen_pulumi.engine.call import DebugLog


@pytest.mark.parametrize(
    ("pause", "messages"), [(0.4, ["a\ndebug: b\ndebug: c"]), (1.0, ["a", "b", "c", "d"])], ids=["gathered", "at once"]
)
def test_lines_of_one_second_are_one_message(pause, messages):
    clock, sent = Clock(), []
    log = DebugLog(sent.append, clock)
    for line in "abcd":
        clock.time += pause
        log.add(line)

    assert messages == sent


def test_what_was_gathered_is_passed_on_at_the_end_and_once():
    sent = []
    log = DebugLog(sent.append, Clock())
    log.add("a")
    log.flush()
    log.flush()

    assert ["a"] == sent
