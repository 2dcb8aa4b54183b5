from nugen_pulumi.brake import Brake


def test_a_brake_that_was_never_pressed_holds_nobody():
    assert 0 == Brake().hold(5.0)


def test_retry_after_is_held_to_the_second_and_capped_at_a_minute():
    brake = Brake()
    brake.press(10.0, began=9.0, retry_after=7.0)

    assert (7.0, 3.0, 0.0) == (brake.hold(10.0), brake.hold(14.0), brake.hold(17.0))

    brake.press(20.0, began=19.0, retry_after=1e6)

    assert 60.0 == brake.hold(20.0)


def test_each_round_of_overload_doubles_the_time_up_to_16_seconds():
    brake, now, held = Brake(), 0.0, []
    for _ in range(7):
        brake.press(now, began=now, retry_after=None)
        held.append(brake.hold(now))
        now += held[-1]

    assert [1, 2, 4, 8, 16, 16, 16] == held


def test_requests_that_were_under_way_together_are_one_round():
    brake = Brake()
    for _ in range(16):
        brake.press(1.0, began=0.0, retry_after=None)
    brake.press(1.5, began=0.0, retry_after=None)

    assert 1.0 == brake.hold(1.5)


def test_a_good_answer_takes_the_doubling_back_but_not_what_was_asked_for():
    brake = Brake()
    brake.press(0.0, began=0.0, retry_after=None)
    brake.press(1.0, began=1.0, retry_after=None)
    brake.release()

    assert 2.0 == brake.hold(1.0)

    brake.press(3.0, began=3.0, retry_after=None)

    assert 1.0 == brake.hold(3.0)


def test_a_shorter_wish_never_shortens_a_longer_one():
    brake = Brake()
    brake.press(0.0, began=0.0, retry_after=30.0)
    brake.press(0.0, began=0.0, retry_after=2.0)

    assert 30.0 == brake.hold(0.0)
