from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.deadline import due_at, last_day

BRUSSELS = ZoneInfo("Europe/Brussels")
AZORES = ZoneInfo("Atlantic/Azores")  # where a summer begins at midnight, which is then no hour
ZONES = [BRUSSELS, AZORES, *map(ZoneInfo, ("Europe/London", "Asia/Beirut", "America/Havana"))]


def test_silence_is_a_no_from_the_end_of_the_last_day() -> None:
    intent = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

    assert due_at(intent, answer_days=30, zone=BRUSSELS) == datetime(2026, 12, 22, 23, tzinfo=UTC)


def test_the_day_of_the_intent_is_that_of_the_campaigns_zone() -> None:
    """At 23.30 UTC it is the next day in Brussels already."""
    intent = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)

    assert last_day(due_at(intent, answer_days=30, zone=BRUSSELS), zone=BRUSSELS) == date(
        2026, 12, 23
    )


@pytest.mark.parametrize(
    ("intent", "due"),
    [
        (datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 4, 11, 22, tzinfo=UTC)),
        (datetime(2026, 10, 20, 12, tzinfo=UTC), datetime(2026, 11, 4, 23, tzinfo=UTC)),
    ],
    ids=["summer begins", "summer ends"],
)
def test_a_day_of_23_or_25_hours_counts_as_one(intent: datetime, due: datetime) -> None:
    assert due_at(intent, answer_days=14, zone=BRUSSELS) == due


def test_the_last_day_is_right_where_the_midnight_after_it_does_not_exist() -> None:
    intent = datetime(2026, 3, 13, 12, tzinfo=UTC)
    due = due_at(intent, answer_days=14, zone=AZORES)

    assert due == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert last_day(due, zone=AZORES) == date(2026, 3, 28)


@given(
    intent=st.datetimes(datetime(2026, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive by contract
    answer_days=st.integers(14, 90),
    zone=st.sampled_from(ZONES),
)
def test_the_printed_day_is_whole_and_nobody_has_less_than_promised(
    intent: datetime, answer_days: int, zone: ZoneInfo
) -> None:
    due = due_at(intent, answer_days=answer_days, zone=zone)
    printed = last_day(due, zone=zone)

    assert printed == intent.astimezone(zone).date() + timedelta(days=answer_days + 1)
    assert due.astimezone(zone).date() == printed + timedelta(days=1)
    assert due - intent > timedelta(days=answer_days)
