from datetime import UTC, datetime, timedelta, timezone

from repermit.domain.clock import SystemClock, iso


def test_the_system_clock_tells_aware_utc() -> None:
    before = datetime.now(UTC)
    told = SystemClock().now()

    assert before <= told <= datetime.now(UTC)
    assert told.utcoffset() == timedelta(0)


def test_an_instant_is_written_in_utc_with_seconds() -> None:
    summer = timezone(timedelta(hours=2))

    assert iso(datetime(2026, 7, 1, 0, 30, 5, 999_999, tzinfo=summer)) == "2026-06-30T22:30:05Z"


def test_no_instant_is_written_as_none() -> None:
    assert iso(None) is None
