from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from repermit.ledger.instants import from_micros, to_micros

zones = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones))  # noqa: DTZ001 - bounds are naive by contract
def test_an_instant_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


def test_instants_count_microseconds_since_1970() -> None:
    assert to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000
    assert from_micros(0).tzinfo is UTC


def test_none_stays_none() -> None:
    assert to_micros(None) is None
    assert from_micros(None) is None
