"""Finds columns that say who left, where no header says so.

A column that is read as nothing else, and in which some cell is "unsubscribed", "uitgeschreven" or
the like, counts for those cells, wherever in the list the first of them stands.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import BinaryIO

from repermit.intake.cells import says_left
from repermit.intake.readers.table import Table
from repermit.intake.sniff import chunks

# A part of each word that is said of those who left, the same in every 8-bit encoding.
_PARTS = tuple(
    part.encode()
    for part in """tgeschreven fgemeld nsubscribed sinscri sabonn bgemeldet ptout pt-out pt_out pted
    locklist lacklist leaned opgezegd gestopt geweigerd ingetrokken verwijderd refus retir voqu
    ndigt abgelehnt widerrufen gesperrt withdrawn revoked declined stopped removed complain spam
    bounce abbestellt stop""".split()  # noqa: SIM905 - a list of them would take a line each
)
_LONGEST = 16  # of the parts: they may lie across two chunks
_LONGEST_CELL = 40


def may_hold_any(file: BinaryIO) -> bool:
    """Return whether the content could hold such a word; cheap, so that most lists need no
    further look. What is no 8-bit text always could."""
    before = b""
    for chunk in chunks(file):
        text = before + chunk.lower()
        if b"\0" in chunk or any(part in text for part in _PARTS):
            return True
        before = text[-_LONGEST:]
    return False


def columns_of(table: Table, *, width: int, used: Collection[int]) -> list[int]:
    """Return the columns, other than those that are *used*, in which some cell says so."""
    free = [at for at in range(width) if at not in used]
    found: set[int] = set()
    for _, cells in table.records():
        present = [] if cells is None else [(at, cells[at]) for at in free if at < len(cells)]
        found.update(
            at for at, cell in present if cell and len(cell) < _LONGEST_CELL and says_left(cell)
        )
    return sorted(found)
