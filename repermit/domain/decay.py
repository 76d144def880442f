"""How many addresses of an old list are dead by now: a rule of thumb, with where it comes from.

Nobody knows it of a list before it is mailed. Two studies wrote to addresses printed in journals,
which had been right once; what they found bounds what is told here, from below and from above.

Source: Teunis, Nota and Schwab, Clin Orthop Relat Res 473 (2015), 729-735,
doi:10.1007/s11999-014-3868-3: none of that year's addresses was dead, 49 % of those of ten years.
Source: Wren, Grissom and Conway, EMBO reports 7 (2006), 122-127, doi:10.1038/sj.embor.7400631: a
quarter within a year, about half after five.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

SOURCES = (
    "Teunis et al., Clin Orthop Relat Res 473 (2015) 729: 49 % after ten years",
    "Wren et al., EMBO reports 7 (2006) 122: a quarter within a year, about half after five",
)
SLOW_PERCENT = 6.5  # dead each year when half are after ten
FAST_FIRST_PERCENT = 25  # dead within the first year
FAST_PERCENT = 10  # and in each year after it, so that half are after five


def years_between(earlier: date, later: date) -> int:
    """Return how many whole years lie between two days; 0 when they are in the other order."""
    had_it = (later.month, later.day) >= (earlier.month, earlier.day)
    return max(0, later.year - earlier.year - (not had_it))


def expected_dead(ages: Mapping[int, int]) -> tuple[int, int]:
    """Return from how many to how many addresses are dead by now; *ages* counts them by the
    whole years since their last contact.

    The lower figure takes each for as old as its whole years and the slow rate; the upper, the
    year that has begun as well and the fast rate. Rounded to two figures.
    """
    slow = sum(count * (1 - _left(years, 1, SLOW_PERCENT)) for years, count in ages.items())
    fast = sum(
        count * (1 - _left(years, 1 - FAST_FIRST_PERCENT / 100, FAST_PERCENT))
        for years, count in ages.items()
    )
    return _rounded(slow), _rounded(fast)


def _left(years: int, after_first: float, percent: float) -> float:
    return after_first * (1 - percent / 100) ** years


def _rounded(count: float) -> int:
    digits = len(str(round(count)))
    return int(round(count, min(0, 2 - digits)))
