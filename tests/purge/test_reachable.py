from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from repermit.ledger.store.probing import TOGETHER, Looked, Vantage
from repermit.purge.reachable import State, Stretch, stretches, within
from tests.builders import NOW

MINUTE = timedelta(minutes=1)
END = 600  # minutes of a window in these tests
SERVER, HERE, ELSEWHERE = Vantage.SERVER, Vantage.HERE, Vantage.ELSEWHERE
U, D, N = State.UP, State.DOWN, State.UNKNOWN


def at(minute: float) -> datetime:
    return NOW + minute * MINUTE


def up(since: float, until: float, vantage: Vantage = SERVER, *, probes: int = 9) -> Looked:
    return Looked(at(since), at(until), probes, vantage)


def down(since: float, until: float, vantage: Vantage = SERVER) -> Looked:
    return Looked(at(since), at(until), 1, vantage, "refused")


def known(looked: Sequence[Looked], answers: Sequence[float] = ()) -> list[Stretch]:
    return stretches(looked, map(at, answers), begin=NOW, end=at(END))


def told(looked: Sequence[Looked], answers: Sequence[float] = ()) -> list[tuple[State, int, int]]:
    """Return what is known, in minutes since the window began."""
    return [
        (each.state, (each.begin - NOW) // MINUTE, (each.end - NOW) // MINUTE)
        for each in known(looked, answers)
    ]


def test_nothing_on_record_is_unknown() -> None:
    assert told([]) == [(N, 0, END)]


def test_probes_that_succeed_are_up_and_what_nobody_looked_at_is_unknown() -> None:
    assert told([up(-60, 100), up(200, 300), up(310, 700)]) == [
        *((U, 0, 100), (N, 100, 200)),
        (U, 200, END),
    ]


def test_one_success_says_nothing_of_the_time_around_it() -> None:
    assert told([up(100, 100)], [300]) == [(N, 0, END)]


def test_an_answer_bridges_like_a_probe() -> None:
    assert told([up(0, 100), up(130, END)], [115]) == [(U, 0, END)]
    assert told([up(0, 100), up(131, END)], [115]) == [(U, 0, 115), (N, 115, 131), (U, 131, END)]
    assert told([], [100, 110, 125, 141]) == [(N, 0, 100), (U, 100, 125), (N, 125, END)]


def test_a_failure_lasts_until_the_next_success_of_whomever() -> None:
    assert told([up(0, 100), down(101, 200), up(210, END, HERE)]) == [
        *((U, 0, 100), (N, 100, 101)),
        *((D, 101, 210), (U, 210, END)),
    ]
    assert told([down(0, 10)], [20]) == [(D, 0, 20), (N, 20, END)]


def test_a_failure_after_which_nobody_looked_lasts_a_quarter_of_an_hour() -> None:
    """What follows is unknown, however long it lasts and whatever is seen in the end."""
    dark = [(U, 0, 100), (N, 100, 110), (D, 110, 125)]
    assert told([up(0, 100), down(110, 110)]) == [*dark, (N, 125, END)]
    late = [(N, 125, 300), (U, 300, END)]
    assert told([up(0, 100), down(110, 110), up(300, END)]) == [*dark, *late]


def test_failures_that_follow_each_other_are_one() -> None:
    assert told([down(0, 10), down(20, 20, HERE), down(35, 40)]) == [(D, 0, 55), (N, 55, END)]


def test_a_failure_before_the_window_reaches_into_it() -> None:
    assert told([down(-50, -10), up(30, END)]) == [(D, 0, 5), (N, 5, 30), (U, 30, END)]


def test_a_failure_here_does_not_count_while_a_monitor_elsewhere_reaches_the_page() -> None:
    """The name server of this machine was away, not the page."""
    for vantage in (SERVER, HERE):
        assert told([up(0, END, ELSEWHERE), down(100, 300, vantage)]) == [(U, 0, END)]
    assert told([up(0, END), up(0, END, HERE), down(100, 100, HERE)])[1] == (D, 100, 115)


def test_a_failure_counts_where_the_monitor_elsewhere_did_not_look() -> None:
    """It ends with its first success, and begins again after its last."""
    elsewhere = [up(150, 200, ELSEWHERE, probes=3)]

    assert told([*elsewhere, down(100, 250)]) == [
        *((N, 0, 100), (D, 100, 150), (U, 150, 200)),
        *((D, 200, 265), (N, 265, END)),
    ]
    assert told([*elsewhere, down(100, 160)]) == [
        *((N, 0, 100), (D, 100, 150), (U, 150, 200)),
        (N, 200, END),
    ]


def test_the_success_elsewhere_must_be_near_on_both_sides() -> None:
    one, other = up(100, 100, ELSEWHERE), up(120, 120, ELSEWHERE)

    assert told([one, other, down(110, 110)]) == [(N, 0, END)]
    assert told([one, down(110, 110)])[1] == (D, 110, 125)
    assert told([other, down(110, 110)])[1] == (D, 110, 120)
    assert told([one, up(126, 126, ELSEWHERE), down(110, 110)])[1] == (D, 110, 125)
    assert told([one, up(126, 126, ELSEWHERE), down(111, 115)]) == [(N, 0, END)]
    assert told([one, other, down(90, 110)])[1] == (D, 90, 105)


def test_a_failure_wins_over_what_another_saw_at_the_same_time() -> None:
    """Of the successes in the other's row only the ends are known to the second; the next was at
    most a quarter of an hour later."""
    assert told([up(0, END), down(100, 140, HERE)]) == [(U, 0, 100), (D, 100, 155), (U, 155, END)]
    assert told([up(0, 145), down(100, 140, HERE), up(150, END)])[1] == (D, 100, 145)
    assert told([up(0, END), down(100, 100, HERE)], [103])[1] == (D, 100, 103)


def test_a_failure_does_not_win_over_people_who_answered_right_then() -> None:
    assert told([up(0, END), down(100, 140, HERE)], range(95, 160, 15)) == [(U, 0, END)]
    assert told([up(0, END), down(100, 100, HERE)], [100]) == [(U, 0, END)]


def test_a_monitor_elsewhere_that_fell_silent_and_came_back_saw_an_outage() -> None:
    """Although the server went on seeing its own page: nobody else reached it."""
    elsewhere = [up(0, 100, ELSEWHERE), up(200, 210, ELSEWHERE)]

    assert told([up(0, END), *elsewhere]) == [(U, 0, 100), (D, 100, 200), (U, 200, END)]
    assert told([up(0, END), *elsewhere], range(95, 210, 15)) == [(U, 0, END)]
    assert told([up(0, END), *elsewhere], [*range(120, 150, 15)])[1:4] == [
        *((D, 100, 120), (U, 120, 135)),
        (D, 135, 200),
    ]


def test_a_monitor_elsewhere_that_did_not_look_regularly_saw_no_outage() -> None:
    for once in (up(0, 100, ELSEWHERE, probes=3), up(0, 59, ELSEWHERE)):
        assert told([up(0, END), once, up(200, 300, ELSEWHERE)]) == [(U, 0, END)]


def test_a_monitor_elsewhere_that_never_came_back_may_have_been_switched_off() -> None:
    assert told([up(0, END), up(0, 100, ELSEWHERE)]) == [(U, 0, END)]


def test_what_is_known_can_be_looked_at_in_part() -> None:
    whole = known([up(0, 100), up(200, 300), down(310, 320), up(400, END)])

    assert within(whole, at(0), at(END)) == whole
    assert within(whole, at(50), at(200)) == [
        Stretch(U, at(50), at(100)),
        Stretch(N, at(100), at(200)),
    ]
    assert within(whole, at(100), at(100)) == within(whole, at(50), at(50)) == []


minutes = st.integers(-50, END + 50)
spans = st.tuples(minutes, st.integers(0, 200))
ups = st.builds(
    lambda span, vantage, probes: up(span[0], span[0] + span[1], vantage, probes=probes),
    spans,
    st.sampled_from(Vantage),
    st.integers(1, 9),
)
downs = st.builds(
    lambda span, vantage: down(span[0], span[0] + span[1], vantage),
    spans,
    st.sampled_from((SERVER, HERE)),
)
records = st.lists(ups | downs, max_size=12)
presses = st.lists(minutes, max_size=12)


def lasted(stretched: Sequence[Stretch], state: State) -> timedelta:
    return sum((each.length for each in stretched if each.state is state), timedelta(0))


@given(records, presses)
def test_the_parts_add_up_to_the_window(looked: list[Looked], answers: list[int]) -> None:
    found = known(looked, answers)

    assert (found[0].begin, found[-1].end) == (NOW, at(END))
    for before, after in pairwise(found):
        assert before.end == after.begin
        assert before.state is not after.state
    assert all(each.length > timedelta(0) for each in found)


@given(records, presses, st.randoms())
def test_the_order_of_what_is_on_record_does_not_matter(
    looked: list[Looked], answers: list[int], random: Random
) -> None:
    found = known(looked, answers)
    random.shuffle(looked)
    random.shuffle(answers)

    assert known(looked, answers) == found


@given(records, presses, st.lists(ups.filter(lambda row: row.vantage is not ELSEWHERE)), presses)
def test_more_evidence_of_up_never_lengthens_down(
    looked: list[Looked], answers: list[int], more: list[Looked], also: list[int]
) -> None:
    """But for a monitor elsewhere, whose silence counts only once it comes back."""
    before, after = known(looked, answers), known([*looked, *more], [*answers, *also])

    assert lasted(after, D) <= lasted(before, D)
    assert lasted(after, U) >= lasted(before, U)


@given(records, presses, spans)
def test_what_is_known_of_a_part_is_what_is_known_of_the_whole(
    looked: list[Looked], answers: list[int], span: tuple[int, int]
) -> None:
    begin = min(max(span[0], 0), END)
    end = min(begin + span[1], END)
    part = within(known(looked, answers), at(begin), at(end))

    assert sum((each.length for each in part), timedelta(0)) == (end - begin) * MINUTE


@given(records, presses)
def test_people_who_answer_in_close_order_could_answer(
    looked: list[Looked], answers: list[int]
) -> None:
    inside = sorted(each for each in answers if 0 <= each <= END)
    found = known(looked, answers)

    for first, second in pairwise(inside):
        if second - first <= TOGETHER / MINUTE:
            assert all(each.state is U for each in within(found, at(first), at(second)))


@given(records, presses, spans)
def test_what_a_monitor_elsewhere_saw_is_up(
    looked: list[Looked], answers: list[int], span: tuple[int, int]
) -> None:
    """Whatever failed here, but for a time in which another monitor elsewhere saw nothing."""
    begin, end = max(span[0], 0), min(span[0] + span[1], END)
    others = [row for row in looked if row.vantage is not ELSEWHERE]
    found = known([*others, up(span[0], span[0] + span[1], ELSEWHERE)], answers)

    assert all(each.state is U for each in within(found, at(begin), at(end)))
