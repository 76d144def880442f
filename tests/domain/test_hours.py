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


@pytest.mark.parametrize(
    ("start", "end", "moment", "opening", "closing"),
    [
        # 29 March: after 01:59 comes 03:00
        ("02:30", "06:00", "2026-03-29T00:00+01:00", "03:00+02:00", "06:00+02:00"),
        ("01:00", "02:30", "2026-03-29T00:00+01:00", "01:00+01:00", "03:00+02:00"),
        # 25 October: after 02:59 comes 02:00 again
        ("01:00", "02:30", "2026-10-25T00:00+02:00", "01:00+02:00", "02:30+02:00"),
        ("01:00", "02:30", "2026-10-25T02:45+02:00", "02:00+01:00", "02:30+01:00"),
        ("02:30", "06:00", "2026-10-25T00:00+02:00", "02:30+02:00", "02:00+01:00"),
    ],
)
def test_when_clocks_change_it_opens_and_shuts_by_what_they_show(
    start: str, end: str, moment: str, opening: str, closing: str
) -> None:
    hours = Hours(time.fromisoformat(start), time.fromisoformat(end), BRUSSELS)
    opens = hours.opens(at(moment))

    assert opens == at(f"{moment[:10]}T{opening}")
    assert hours.closes(opens) == at(f"{moment[:10]}T{closing}")


WHOLE_MINUTES = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(st.integers(0, 3 * 365 * 24 * 60), WHOLE_MINUTES, WHOLE_MINUTES)
def test_it_is_open_from_its_opening_until_it_closes(minutes: int, start: time, end: time) -> None:
    assume(start != end)
    hours = Hours(start, end, BRUSSELS)
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = hours.opens(now)
    closes = hours.closes(opens)

    assert opens == now or not hours.is_open(opens - timedelta(microseconds=1))
    assert hours.is_open(opens)
    assert hours.is_open(closes - timedelta(microseconds=1))
    assert not hours.is_open(closes)
    assert now <= opens < closes < now + timedelta(hours=50)
