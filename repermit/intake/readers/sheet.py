"""The list in a workbook: XLSX, XLSM, XLSB, XLS or ODS."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import BinaryIO

from repermit.errors import ListUnreadable, ListUnsure
from repermit.intake.readers.header import header_at
from repermit.intake.readers.sheet_kind import SAVE_AS, kind_of, seconds_for
from repermit.intake.readers.table import Record
from repermit.intake.readers.workbook import Sheet, Workbook, named, read_workbook
from repermit.intake.sniff import is_address_like

_HEADER_ROWS = 30  # the header is one of the first
_BETWEEN = re.compile(r"[,;/|\n]")  # of several addresses in one cell


class SheetTable:
    """The rows of one sheet. What was read of the workbook is gone with the table."""

    def __init__(
        self, workbook: Workbook, sheet: Sheet, *, kind: str, notes: Sequence[str]
    ) -> None:
        self._workbook, self._sheet = workbook, sheet
        first = list(islice(workbook.records(sheet), _HEADER_ROWS))
        titles, header = _above(first)
        self._passed = {line for line, _ in titles}
        self.header: tuple[str, ...] = ()
        headed = "no header"
        if header:
            line, cells = header
            self.header = tuple(map(str.strip, cells or ()))
            self._passed.add(line)
            headed = f"header on row {line}"
        rows = "1 row" if len(titles) == 1 else f"{len(titles)} rows"
        above = f", {rows} above it passed over" if titles else ""
        self.told = f"{kind}, {sheet}, {headed}{above}"
        self.notes = tuple(notes)
        self.close = weakref.finalize(self, workbook.spool.close)

    def records(self) -> Iterator[Record]:
        """Yield the rows that are filled, but for the header and a title above it, by the
        sheet's own numbers."""
        for record in self._workbook.records(self._sheet):
            if record[0] not in self._passed:
                yield record


def is_sheet(file: BinaryIO) -> bool:
    """Return whether *file* is a workbook, by what is in it. It stands at its start afterwards."""
    return kind_of(file) is not None


def open_table(file: BinaryIO, *, sheet: str | None) -> SheetTable:
    """Return the rows of the sheet that holds the addresses, or of the one that *sheet* names.

    Raises: ListUnreadable when the workbook is damaged, locked or could take the machine down,
        holds no addresses or no such sheet; ListUnsure when several sheets hold addresses.
    """
    kind = kind_of(file)
    if kind is None:
        raise ListUnreadable("is no spreadsheet that can be read", hint=SAVE_AS)
    workbook = read_workbook(file, sheet=sheet, seconds=seconds_for(file, kind))
    with ExitStack() as stack:
        stack.callback(workbook.spool.close)
        chosen, notes = _chosen(workbook)
        table = SheetTable(workbook, chosen, kind=kind, notes=notes)
        stack.pop_all()
        return table


def _chosen(workbook: Workbook) -> tuple[Sheet, list[str]]:
    """Return the sheet of addresses, and what is to be said of the others."""
    filled = [sheet for sheet in workbook.sheets if sheet.rows]
    if len(filled) < 2:
        if not filled:
            raise ListUnreadable("is empty", hint="check that it is the right file")
        return filled[0], []
    counts = {sheet: _counts(workbook, sheet) for sheet in filled}
    holding = [sheet for sheet in filled if counts[sheet][1]]
    if not holding:
        raise ListUnreadable(
            "no sheet holds addresses",
            hint=f"{named(filled)}: pass --sheet if one is a list all the same",
        )
    if len(holding) > 1:
        readings = [(sheet.choice, _told(sheet, *counts[sheet])) for sheet in holding]
        raise ListUnsure("the workbook", option="sheet", readings=readings)
    others = [sheet for sheet in filled if sheet != holding[0]]
    return holding[0], [f"not read: {sheet} (no addresses)" for sheet in others]


def _counts(workbook: Workbook, sheet: Sheet) -> tuple[int, int]:
    """Return how many rows *sheet* has below its header, and how many hold an address."""
    first = list(islice(workbook.records(sheet), _HEADER_ROWS))
    titles, header = _above(first)
    rows = sheet.rows - len(titles) - (header is not None)
    return rows, sum(_holds_address(cells) for _, cells in workbook.records(sheet))


def _told(sheet: Sheet, rows: int, addresses: int) -> str:
    hidden = ", hidden" if sheet.hidden else ""
    return f"{rows} rows, {addresses} addresses{hidden}"


def _above(first: Sequence[Record]) -> tuple[list[Record], Record | None]:
    """Return the header among the *first* rows, and those above it that hold no address."""
    at = header_at([cells for _, cells in first])
    if at is None:
        return [], None
    titles = [record for record in first[:at] if not _holds_at(record[1])]
    return titles, first[at]


def _holds_at(cells: Sequence[str] | None) -> bool:
    return cells is None or any("@" in cell for cell in cells)


def _holds_address(cells: Sequence[str] | None) -> bool:
    """Return whether a row holds an address, also one of several in a cell."""
    for cell in cells or ():
        if "@" in cell and any(map(is_address_like, _BETWEEN.split(cell))):
            return True
    return False
