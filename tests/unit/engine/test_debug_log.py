"""Lines that are passed on together, so that they cost next to nothing."""

from harness import Clock

from nugen_pulumi.engine.call import DebugLog


def test_lines_of_one_second_are_one_message():
    clock, sent = Clock(), []
    log = DebugLog(sent.append, clock)
    for line in "abc":
        clock.time += 0.4
        log.add(line)
    log.add("d")

    assert ["a\ndebug: b\ndebug: c"] == sent


def test_a_line_that_comes_a_second_later_is_passed_on_at_once():
    clock, sent = Clock(), []
    log = DebugLog(sent.append, clock)
    for line in "ab":
        clock.time += 1.0
        log.add(line)

    assert ["a", "b"] == sent


def test_what_was_gathered_is_passed_on_at_the_end_and_once():
    sent = []
    log = DebugLog(sent.append, Clock())
    log.add("a")
    log.flush()
    log.flush()

    assert ["a"] == sent
