from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repermit.domain.standing import (
    CONTRARY_WINDOW,
    MAY_ANSWER,
    Answer,
    Presses,
    Standing,
    Way,
    after_press,
    may_answer,
)
from tests.builders import NOW

SECOND = timedelta(seconds=1)
JUST_AFTER = CONTRARY_WINDOW + timedelta(microseconds=1)
YES, NO, ONE_CLICK = (Answer.YES, Way.FORM), (Answer.NO, Way.FORM), (Answer.NO, Way.ONE_CLICK)
Pressed = tuple[tuple[Answer, Way], timedelta]  # what, and how long after the press before

starts = st.sampled_from(sorted(MAY_ANSWER))
buttons = st.sampled_from([YES, NO, ONE_CLICK])
any_gap = st.one_of(
    st.timedeltas(timedelta(0), timedelta(seconds=25)),
    st.sampled_from([timedelta(0), CONTRARY_WINDOW, JUST_AFTER, timedelta(days=3)]),
)
quick_gap = st.timedeltas(timedelta(0), CONTRARY_WINDOW) | st.just(CONTRARY_WINDOW)


def pressed(start: Standing | Presses, *presses: Pressed) -> Presses:
    """Return what the presses make of *start*, one after the other."""
    row = start if isinstance(start, Presses) else Presses(start)
    now = NOW
    for (answer, way), gap in presses:
        now += gap
        row = after_press(row, answer, way=way, now=now)
    return row


def burst_before_the_end(presses: list[Pressed]) -> int:
    """Return the index of the first press of the last burst."""
    first = len(presses) - 1
    while first and presses[first][1] <= CONTRARY_WINDOW:
        first -= 1
    return first


@pytest.mark.parametrize("start", sorted(MAY_ANSWER))
def test_a_lone_yes_opts_in(start: Standing) -> None:
    assert pressed(start, (YES, SECOND)).standing is Standing.OPTED_IN


@pytest.mark.parametrize("start", sorted(MAY_ANSWER))
@pytest.mark.parametrize("no", [NO, ONE_CLICK])
def test_a_lone_no_opts_out(start: Standing, no: tuple[Answer, Way]) -> None:
    row = pressed(start, (no, SECOND))

    assert (row.standing, row.suspect) == (Standing.OPTED_OUT, False)


@pytest.mark.parametrize("start", sorted(set(Standing) - MAY_ANSWER))
@pytest.mark.parametrize("button", [YES, NO, ONE_CLICK])
def test_who_had_no_mail_cannot_answer(start: Standing, button: tuple[Answer, Way]) -> None:
    assert not may_answer(Presses(start))
    assert pressed(start, (button, SECOND)) == Presses(start)


@pytest.mark.parametrize("standing", [Standing.LISTED, Standing.DEFERRED])
def test_a_press_counts_wherever_a_mail_may_be_out(standing: Standing) -> None:
    """A doubtful mail was listed again, and the first one had arrived after all."""
    row = Presses(standing, may_have_mail=True)
    after = after_press(row, Answer.NO, way=Way.FORM, now=NOW)
    assert after.standing is Standing.OPTED_OUT
    never = Presses(standing)
    assert after_press(never, Answer.NO, way=Way.FORM, now=NOW) == never


@pytest.mark.parametrize("start", sorted(MAY_ANSWER))
@pytest.mark.parametrize(("first", "second"), [(YES, NO), (NO, YES)])
def test_a_contrary_press_within_10_seconds_restores_what_was_before_both(
    start: Standing, first: tuple[Answer, Way], second: tuple[Answer, Way]
) -> None:
    row = pressed(start, (first, SECOND), (second, CONTRARY_WINDOW))

    assert (row.standing, row.suspect) == (start, True)


@pytest.mark.parametrize("start", sorted(MAY_ANSWER - {Standing.OPTED_OUT}))
def test_a_no_more_than_10_seconds_after_a_yes_wins(start: Standing) -> None:
    row = pressed(start, (YES, SECOND), (NO, JUST_AFTER))

    assert (row.standing, row.suspect) == (Standing.OPTED_OUT, False)


def test_presses_that_are_filed_in_another_order_are_as_close_as_they_came() -> None:
    """Two servers: the yes is on file first, the no before it comes later."""
    assert pressed(Standing.ASKED, (YES, SECOND), (NO, -SECOND)).suspect
    apart = pressed(Standing.ASKED, (YES, SECOND), (NO, -JUST_AFTER))
    assert (apart.standing, apart.suspect) == (Standing.OPTED_OUT, False)


def test_a_yes_more_than_10_seconds_after_a_no_counts() -> None:
    row = pressed(Standing.ASKED, (NO, SECOND), (YES, JUST_AFTER))

    assert (row.standing, row.suspect) == (Standing.OPTED_IN, False)


@pytest.mark.parametrize(
    ("button", "standing"), [(YES, Standing.OPTED_IN), (NO, Standing.OPTED_OUT)]
)
def test_the_next_lone_press_after_a_contradiction_counts(
    button: tuple[Answer, Way], standing: Standing
) -> None:
    row = pressed(Standing.ASKED, (YES, SECOND), (NO, SECOND), (button, JUST_AFTER))

    assert (row.standing, row.suspect) == (standing, False)


def test_a_no_within_10_seconds_of_a_contradiction_wins() -> None:
    row = pressed(Standing.ASKED, (YES, SECOND), (NO, SECOND), (NO, SECOND))

    assert row.standing is Standing.OPTED_OUT


def test_a_second_yes_after_a_contradiction_is_not_lone_within_10_seconds() -> None:
    """A machine that opens the page three times, 9 seconds apart, presses No, Yes, Yes."""
    row = pressed(Standing.ASKED, (NO, SECOND), (YES, 9 * SECOND), (YES, 9 * SECOND))

    assert (row.standing, row.suspect) == (Standing.ASKED, True)


def test_a_one_click_no_within_10_seconds_of_a_yes_wins() -> None:
    row = pressed(Standing.ASKED, (YES, SECOND), (ONE_CLICK, SECOND))

    assert (row.standing, row.suspect) == (Standing.OPTED_OUT, False)


def test_a_yes_within_10_seconds_of_a_one_click_no_leaves_the_no() -> None:
    row = pressed(Standing.ASKED, (YES, SECOND), (ONE_CLICK, SECOND), (YES, SECOND))

    assert (row.standing, row.suspect) == (Standing.OPTED_OUT, True)


def test_an_earlier_yes_survives_a_machine_that_contradicts_itself() -> None:
    row = pressed(Standing.ASKED, (YES, SECOND), (NO, timedelta(days=3)), (YES, SECOND))

    assert (row.standing, row.suspect) == (Standing.OPTED_IN, True)


@given(
    start=starts,
    earlier=st.lists(st.tuples(buttons, any_gap), max_size=5),
    no=st.tuples(st.sampled_from([NO, ONE_CLICK]), any_gap),
    then=st.lists(st.tuples(buttons, st.timedeltas(timedelta(0), CONTRARY_WINDOW / 4)), max_size=3),
    gap=st.timedeltas(timedelta(0), CONTRARY_WINDOW / 4),
    later=st.lists(st.tuples(st.sampled_from([NO, ONE_CLICK]), any_gap), max_size=2),
)
def test_promise_5_doubt_never_yields_a_yes(
    start: Standing,
    earlier: list[Pressed],
    no: Pressed,
    then: list[Pressed],
    gap: timedelta,
    later: list[Pressed],
) -> None:
    """A yes that follows a no within 10 seconds makes nobody opted in who was not before."""
    presses = [*earlier, no, *then, (YES, gap)]
    before = pressed(start, *presses[: burst_before_the_end(presses)])
    row = pressed(start, *presses, *later)

    assert row.standing is not Standing.OPTED_IN or before.standing is Standing.OPTED_IN


@given(
    start=starts.filter(lambda standing: standing is not Standing.OPTED_IN),
    presses=st.lists(st.tuples(buttons, quick_gap), min_size=1, max_size=8),
)
@example(Standing.ASKED, [(NO, SECOND), (YES, 9 * SECOND), (YES, 9 * SECOND)])
def test_promise_5_a_machine_opts_in_only_if_it_never_pressed_anything_but_yes(
    start: Standing, presses: list[Pressed]
) -> None:
    row = pressed(start, *presses)

    assert (row.standing is Standing.OPTED_IN) == all(button == YES for button, _ in presses)


@given(start=starts, presses=st.lists(st.tuples(buttons, any_gap), max_size=8), gap=any_gap)
def test_promise_5_a_one_click_no_always_wins(
    start: Standing, presses: list[Pressed], gap: timedelta
) -> None:
    row = pressed(start, *presses, (ONE_CLICK, gap))

    assert (row.standing, row.suspect) == (Standing.OPTED_OUT, False)


@given(start=starts, presses=st.lists(st.tuples(buttons, any_gap), max_size=8), button=buttons)
def test_a_lone_press_always_counts(
    start: Standing, presses: list[Pressed], button: tuple[Answer, Way]
) -> None:
    row = pressed(start, *presses, (button, JUST_AFTER))

    wanted = Standing.OPTED_IN if button == YES else Standing.OPTED_OUT
    assert (row.standing, row.suspect) == (wanted, False)


@given(start=starts, presses=st.lists(st.tuples(buttons, any_gap), min_size=1, max_size=8))
def test_whoever_is_suspect_stands_where_a_burst_found_them_or_opted_out(
    start: Standing, presses: list[Pressed]
) -> None:
    rows = [pressed(start, *presses[:n]) for n in range(len(presses) + 1)]
    for earlier, row in pairwise(rows):
        if row.suspect:
            assert row.standing in {start, earlier.before, Standing.OPTED_OUT}
