"""The hours in which mails may leave, by the clocks of the campaign's zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from repermit.domain.hours import Hours

BRUSSELS = ZoneInfo("Europe/Brussels")
DAY = Hours(time(7), time(21), BRUSSELS)
NIGHT = Hours(time(21), time(7), BRUSSELS)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "is_open"),
    [
        (DAY, "2026-11-21T07:00+01:00", True),
        (DAY, "2026-11-21T06:59+01:00", False),
        (DAY, "2026-11-21T20:59+01:00", True),
        (DAY, "2026-11-21T21:00+01:00", False),
        (DAY, "2026-07-01T06:30+02:00", False),
        (DAY, "2026-07-01T05:00+00:00", True),  # 7 o'clock in summer
        (NIGHT, "2026-11-21T23:00+01:00", True),
        (NIGHT, "2026-11-21T06:59+01:00", True),
        (NIGHT, "2026-11-21T12:00+01:00", False),
    ],
)
def test_they_are_those_of_the_clock_on_the_wall(hours: Hours, moment: str, is_open: bool) -> None:
    assert hours.is_open(at(moment)) is is_open


def test_what_is_open_opens_at_once_and_what_is_shut_at_the_next_beginning() -> None:
    noon = at("2026-11-21T12:00+01:00")

    assert DAY.opens(noon) == noon
    assert DAY.opens(at("2026-11-21T05:00+01:00")) == at("2026-11-21T07:00+01:00")
    assert DAY.opens(at("2026-11-21T22:00+01:00")) == at("2026-11-22T07:00+01:00")
    assert DAY.closes(noon) == at("2026-11-21T21:00+01:00")
    assert NIGHT.closes(at("2026-11-21T23:00+01:00")) == at("2026-11-22T07:00+01:00")


def test_the_night_in_which_clocks_go_forward_is_an_hour_shorter() -> None:
    evening = at("2026-03-28T22:00+01:00")

    assert DAY.opens(evening) == at("2026-03-29T07:00+02:00")
    assert DAY.opens(evening) - evening == timedelta(hours=8)


def test_the_night_in_which_clocks_go_back_is_an_hour_longer() -> None:
    evening = at("2026-10-24T22:00+02:00")

    assert DAY.opens(evening) - evening == timedelta(hours=10)


def test_an_opening_that_the_clocks_skip_comes_right_after() -> None:
    hours = Hours(time(2, 30), time(6), BRUSSELS)
    opening = hours.opens(at("2026-03-29T00:00+01:00"))

    assert opening == at("2026-03-29T03:30+02:00")
    assert hours.is_open(opening)


@given(
    st.integers(0, 3 * 365 * 24 * 60),
    st.times(),
    st.times(),
)
def test_whenever_it_opens_it_is_open(minutes: int, start: time, end: time) -> None:
    assume(start != end)
    hours = Hours(start, end, BRUSSELS)
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opening = hours.opens(now)

    assert now <= opening < now + timedelta(hours=49)
    assert hours.is_open(opening) or opening.astimezone(BRUSSELS).hour == 3
    assert hours.closes(opening) > opening
