"""The first records of a list, from which the rest is understood."""

from __future__ import annotations

from collections.abc import Iterable

from repermit.intake.readers.table import Record

_MOST_ROWS = 200
_MOST_CHARACTERS = 1 << 22


def first_of(records: Iterable[Record]) -> list[Record]:
    """Return the first of *records*, fewer of them when they are very long."""
    first: list[Record] = []
    size = 0
    for line, cells in records:
        first.append((line, cells))
        size += sum(map(len, cells or ())) + len(cells or ())
        if len(first) == _MOST_ROWS or size > _MOST_CHARACTERS:
            break
    return first
