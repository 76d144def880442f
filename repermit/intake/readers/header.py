"""Which of the first rows of a list names its columns."""

from __future__ import annotations

from collections.abc import Sequence

from repermit.intake.columns import is_header, recognise
from repermit.intake.sniff import is_address_like

_MOST_ADDRESSES_ABOVE = 2  # in a title: "questions: ask ...@..."


def header_at(rows: Sequence[Sequence[str] | None]) -> int | None:
    """Return the place of the header among the first *rows* of a list, or None without one.

    It is the first row that names the column of addresses. If none does, it is the first row
    above all addresses that has several cells, so that a title is not taken for it.
    """
    above = _without_address(rows)
    passed = 0
    for at, cells in enumerate(rows):
        if cells and _is_header_of(cells, rows[at + 1 :] if passed else ()):
            return at
        passed += cells is None or any(map(is_address_like, cells))
        if passed > _MOST_ADDRESSES_ABOVE:
            break
    wide = (at for at, cells in enumerate(above) if sum(map(bool, map(str.strip, cells))) > 1)
    return next(wide, 0 if above else None)


def _without_address(rows: Sequence[Sequence[str] | None]) -> Sequence[Sequence[str]]:
    above: list[Sequence[str]] = []
    for cells in rows:
        if cells is None or not is_header(cells):
            break
        above.append(cells)
    return above


def _is_header_of(cells: Sequence[str], rows: Sequence[Sequence[str] | None]) -> bool:
    """Return whether *cells* name the column of addresses, and it has some, if there are *rows*."""
    column = recognise(cells).get("email") if is_header(cells) else None
    if column is None or not rows:
        return column is not None
    return any("@" in row[column] for row in rows if row and len(row) > column)
