"""When the live line is shown."""

from nugen_pulumi.waiting.reporting import LiveLine

START = 1000.0


def shown(*moments, spacing=0.0):
    """Return the times, of *moments* with their news, at which the line is shown; all counted from START."""
    times = []
    line = LiveLine(times.append)
    for time, news in moments:
        line.show(time, news=news, now=START + time, spacing=spacing)
    return times


def test_what_is_new_is_shown_at_once():
    assert [0, 0.5, 1] == shown((0, "PENDING"), (0.5, "PENDING 503"), (1, "PENDING"))


def test_what_is_not_new_is_a_sign_of_life_after_10_seconds_and_every_30_from_then_on():
    assert [0, 10, 40, 70, 100] == shown(*((time, "PENDING") for time in range(101)))


def test_after_news_the_first_sign_of_life_comes_early_again():
    news = [(0, "PENDING"), (15, "RETIRING")]

    assert [0, 15, 25, 55] == shown(*news, *((time, "RETIRING") for time in range(16, 60)))


def test_what_is_empty_is_news_only_once():
    assert [0, 10] == shown(*((time, "") for time in range(20)))


def test_where_lines_have_a_spacing_another_number_is_news_and_waits_for_it():
    assert [0, 5, 10] == shown(
        (0, "1 of 9"), (4, "2 of 9"), (5, "2 of 9"), (9.9, "3 of 9"), (10, "3 of 9"), spacing=5.0
    )


def test_where_lines_have_a_spacing_a_sign_of_life_waits_for_it_too():
    assert [0, 25, 50] == shown(*((time, f"{time} of 99") for time in range(51)), spacing=25.0)


def test_the_last_line_is_shown_if_there_was_one_before():
    told = []
    line = LiveLine(told.append)
    line.end("COMPLETED")
    line.show("PENDING", news="PENDING", now=START)
    line.end("COMPLETED")

    assert ["PENDING", "COMPLETED"] == told
