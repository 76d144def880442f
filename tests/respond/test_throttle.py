from repermit.respond.throttle import Throttle

AT_ONCE, SECONDS_EACH, NETWORKS = 30, 6, 10_000


class Watch:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_few_bad_links_are_nothing_and_many_have_to_wait() -> None:
    throttle = Throttle(Watch())

    assert [throttle.wait_after("a") for _ in range(AT_ONCE)] == [0] * AT_ONCE
    assert [throttle.wait_after("a") for _ in range(3)] == [SECONDS_EACH] * 3
    assert throttle.wait_after("b") == 0


def test_who_waits_may_try_again_however_often_they_came_too_early() -> None:
    watch = Watch()
    throttle = Throttle(watch)
    for _ in range(10_000):
        throttle.wait_after("a")

    watch.seconds += SECONDS_EACH

    assert [throttle.wait_after("a"), throttle.wait_after("a")] == [0, SECONDS_EACH]
    watch.seconds += AT_ONCE * SECONDS_EACH
    assert [throttle.wait_after("a") for _ in range(AT_ONCE)] == [0] * AT_ONCE


def test_a_hundred_thousand_networks_are_not_remembered() -> None:
    throttle = Throttle(Watch())

    for number in range(100_000):
        throttle.wait_after(str(number))

    assert len(throttle) == NETWORKS
