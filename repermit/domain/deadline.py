"""The last day on which an answer is in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo


def due_at(intent_at: datetime, *, answer_days: int, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, from which silence is a no: the end of the last day.

    The last day is *answer_days* + 1 calendar days after the intent, in the campaign's zone,
    so that nobody has less than the days they were promised; a day that is 23 or 25 hours long
    counts as one day.
    """
    day = intent_at.astimezone(zone).date() + timedelta(days=answer_days + 1)
    midnight_after = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
    return midnight_after.astimezone(UTC)


def last_day(due: datetime, *, zone: tzinfo) -> date:
    """Return the date printed in the mail: the last whole day before *due*, in *zone*."""
    return (due - timedelta(microseconds=1)).astimezone(zone).date()
