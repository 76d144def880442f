from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.decay import expected_dead, years_between

DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("earlier", "later", "years"),
    [
        (date(2020, 5, 10), date(2026, 5, 9), 5),
        (date(2020, 5, 10), date(2026, 5, 10), 6),
        (date(2020, 2, 29), date(2021, 2, 28), 0),
        (date(2020, 2, 29), date(2021, 3, 1), 1),
        (date(2026, 5, 10), date(2026, 5, 10), 0),
        (date(2026, 5, 10), date(2019, 5, 10), 0),
    ],
)
def test_whole_years_are_counted(earlier: date, later: date, years: int) -> None:
    assert years_between(earlier, later) == years


@given(earlier=DAYS, later=DAYS)
def test_a_later_day_is_never_fewer_years_away(earlier: date, later: date) -> None:
    assert years_between(earlier, later) <= years_between(earlier, date(2041, 1, 1))


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ({}, (0, 0)),
        ({0: 10_000}, (0, 2_500)),  # a quarter within the first year, at the most
        ({4: 10_000}, (2_400, 5_100)),  # about half after five
        ({10: 10_000}, (4_900, 7_400)),  # half after ten, at the least
        ({1: 6_000, 3: 6_000}, (1_500, 4_700)),
        ({2: 7}, (1, 3)),
    ],
)
def test_the_expected_share_lies_between_the_two_studies(
    ages: dict[int, int], expected: tuple[int, int]
) -> None:
    assert expected_dead(ages) == expected


@given(st.dictionaries(st.integers(0, 60), st.integers(0, 2_000_000), max_size=20))
def test_the_lower_figure_is_never_above_the_upper(ages: dict[int, int]) -> None:
    low, high = expected_dead(ages)

    assert 0 <= low <= high
