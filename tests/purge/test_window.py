from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from repermit.purge.reachable import State, Stretch
from repermit.purge.window import Limits, Seen, Window, seen
from tests.builders import NOW

HOUR = timedelta(hours=1)
WINDOW = 744  # hours: 31 days
LIMITS = Limits(5.0, 24 * HOUR)
U, D, N = State.UP, State.DOWN, State.UNKNOWN


def at(hour: float) -> datetime:
    return NOW + hour * HOUR


def history(*parts: tuple[State, float]) -> list[Stretch]:
    """Return stretches that follow each other, from states and hours."""
    found, begin = [], NOW
    for state, hours in parts:
        found.append(Stretch(state, begin, begin + hours * HOUR))
        begin = found[-1].end
    return found


def looked_at(*parts: tuple[State, float], limits: Limits = LIMITS) -> Seen:
    """Return what is known of a window of 31 days, now that *parts* have passed."""
    known = history(*parts)
    return seen(Window(NOW, at(WINDOW), 412), known, limits, now=known[-1].end)


def hours(moment: datetime) -> float:
    return (moment - NOW) / HOUR


def test_a_page_that_was_always_up_stands_against_nothing() -> None:
    found = looked_at((U, WINDOW + 10))

    assert (found.down, found.unknown) == (timedelta(0), timedelta(0))
    assert {
        *(found.moved, found.down_goes, found.down_last_goes),
        *(found.unknown_goes, found.unknown_last_goes),
    } == {at(WINDOW)}


def test_the_date_moves_by_an_outage_however_short() -> None:
    found = looked_at((U, 100), (D, 3), (U, WINDOW - 103))

    assert hours(found.down_goes) == WINDOW
    assert hours(found.moved) == WINDOW + 3


def test_an_outage_after_the_date_moves_it_further_while_it_has_not_come() -> None:
    found = looked_at((U, 100), (D, 10), (U, WINDOW - 110), (U, 4), (D, 20), (U, 1))

    assert hours(found.moved) == WINDOW + 30


def test_an_outage_after_all_was_well_changes_nothing() -> None:
    """The server may be switched off once the last day has passed."""
    found = looked_at((U, 100), (D, 10), (U, WINDOW - 110), (U, 10), (D, 500))

    assert hours(found.moved) == WINDOW + 10
    assert hours(found.down_goes) == hours(found.down_last_goes) == WINDOW


def test_a_long_outage_waits_until_its_share_is_small_enough() -> None:
    """60 hours are 5 % of 50 days."""
    found = looked_at((U, 100), (D, 60), (U, WINDOW - 160))

    assert found.down == 60 * HOUR
    assert hours(found.down_goes) == 60 * 20
    assert hours(looked_at((U, 100), (D, 60), (U, 1100)).down_goes) == 60 * 20
    assert hours(looked_at((U, 100), (D, 60), (U, WINDOW - 160), (D, 10)).down_goes) == 70 * 20


def test_an_outage_in_the_last_hours_waits_for_as_many_hours_up() -> None:
    found = looked_at((U, WINDOW - 5), (D, 1), (U, 14))

    assert hours(found.down_last_goes) == WINDOW - 4 + 24
    assert hours(looked_at((U, WINDOW - 5), (D, 1), (U, 400)).down_last_goes) == WINDOW + 20
    assert hours(looked_at((U, WINDOW - 5), (D, 5)).down_last_goes) == WINDOW + 24
    assert hours(looked_at((U, WINDOW - 25), (D, 1), (U, 24)).down_last_goes) == WINDOW


def test_the_hours_since_must_be_known_to_be_up_and_without_a_break() -> None:
    found = looked_at((U, WINDOW - 5), (D, 5), (U, 20), (N, 2), (U, 10))

    assert hours(found.down_last_goes) == WINDOW + 22 + 24


def test_what_nobody_knows_is_counted_apart() -> None:
    found = looked_at((N, 60), (U, WINDOW - 60))

    assert (found.down, found.unknown) == (timedelta(0), 60 * HOUR)
    assert hours(found.unknown_goes) == 60 * 20
    assert hours(found.moved) == hours(found.down_goes) == hours(found.unknown_last_goes) == WINDOW


def test_what_nobody_knows_of_the_last_hours_waits_for_as_many_hours_up() -> None:
    found = looked_at((U, WINDOW - 2), (N, 1), (U, 1))

    assert hours(found.unknown_goes) == WINDOW
    assert hours(found.unknown_last_goes) == WINDOW + 23


def test_a_date_is_told_in_whole_seconds_and_never_too_early() -> None:
    """3 hours and some are 7 % of more than the window."""
    part = 3 + 1 / 7
    limits = Limits(0.3, HOUR)
    found = looked_at((D, part), (U, WINDOW - part), limits=limits)

    assert found.down_goes.microsecond == 0
    assert timedelta(0) <= found.down_goes - (NOW + found.down * 100 / 0.3) < timedelta(seconds=1)


def test_what_the_report_says_of_a_window() -> None:
    assert looked_at((U, 100), (D, 1.001), (N, 2), (U, WINDOW)).to_json() == {
        "from": "2026-11-21T09:30:00Z",
        "to": "2026-12-22T09:30:00Z",
        "people": 412,
        "down_minutes": 61,
        "unknown_minutes": 120,
    }


pasts = st.lists(st.tuples(st.sampled_from(State), st.integers(1, 300)), max_size=8)
DATES = ("moved", "down_goes", "down_last_goes", "unknown_goes", "unknown_last_goes")


def dates(found: Seen) -> dict[str, datetime]:
    return {name: getattr(found, name) for name in DATES}


@given(pasts, st.floats(0.5, 50))
def test_a_date_that_was_told_holds_when_the_page_is_up_from_then_on(
    past: list[tuple[State, int]], percent: float
) -> None:
    """And what once was well enough stays so."""
    limits = Limits(percent, 24 * HOUR)
    length = sum(each for _, each in past)
    known = [*past, (U, max(1, WINDOW - length))]
    before = looked_at(*known, limits=limits)
    now = history(*known)[-1].end

    for name, date in dates(before).items():
        assert date >= at(WINDOW)
        later = max(date, now) + HOUR
        waited = looked_at(*known, (U, (later - now) / HOUR), limits=limits)
        assert dates(waited)[name] <= max(date, now)
        down_since = looked_at(*known, (U, (later - now) / HOUR), (D, 1000), limits=limits)
        assert dates(down_since)[name] <= max(date, now)
