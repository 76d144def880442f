"""Reads a workbook, in a process of its own: `python sheet_child.py FD WHICH SECONDS`.

A hostile or a broken workbook can make the library abort the process, take all memory or run for
ever; here it takes down only this one, which limits itself first. Nothing of repermit is
imported, so that the process has nothing but the workbook.

Standard input is the workbook. Standard output, a file, gets the rows as CSV: the number of the
row, then its cells up to the last filled one (the number alone when a cell is too long to be
read). FD gets a line of JSON with the sheets, then one for each sheet that was read. WHICH is
"all", "none" or the number of one; SECONDS of processor time is what it may take.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, TextIO, TypeAlias

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

MOST_SECONDS = 300  # by the clock
DAMAGED = 3  # exit status: the library cannot read it
_LIMITS = {
    # Measured for rows x columns: 100,000 x 10 needs 120 MB, 1,000,000 x 3 480 MB.
    resource.RLIMIT_AS: 1 << 30,
    resource.RLIMIT_FSIZE: 4 << 30,
    resource.RLIMIT_CORE: 0,  # a core file would hold the list
}
_MOST_SHEETS = 500
_LONGEST_CELL = 100_000  # Excel itself stops at 32,767; csv at 131,072

_Cell: TypeAlias = str | int | float | bool | time | date | datetime | timedelta


def main() -> None:
    """Read the sheets that are asked for."""
    report_fd, which, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    _limit(seconds)
    from python_calamine import CalamineError, SheetTypeEnum, SheetVisibleEnum, load_workbook

    with open(report_fd, "w", encoding="utf-8") as report:
        try:
            workbook = load_workbook(sys.stdin.buffer)
            sheets = [
                (number, sheet.name, sheet.visible != SheetVisibleEnum.Visible)
                for number, sheet in enumerate(workbook.sheets_metadata, start=1)
                if sheet.typ == SheetTypeEnum.WorkSheet
            ]
            if len(sheets) > _MOST_SHEETS:
                sys.exit(DAMAGED)
            _tell(report, sheets)
            for number, _, _ in sheets:
                if which in ("all", str(number)):
                    _write(workbook.get_sheet_by_index(number - 1), number, report)
        except CalamineError:
            sys.exit(DAMAGED)


def _limit(seconds: int) -> None:
    """Limit this process, also for when its parent is killed and waits for it no more."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(MOST_SECONDS)
    for kind, most in (*_LIMITS.items(), (resource.RLIMIT_CPU, seconds)):
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):  # some systems know no limit of memory
            resource.setrlimit(kind, (least, least))


def _write(sheet: CalamineSheet, number: int, report: TextIO) -> None:
    start = os.lseek(1, 0, os.SEEK_CUR)
    count = 0
    with open(1, "w", encoding="utf-8", newline="", closefd=False) as spool:
        rows = csv.writer(spool)
        for count, row in enumerate(_rows(sheet), start=1):  # noqa: B007 - told below
            rows.writerow(row)
    _tell(report, (number, start, count))


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    if sheet.start is None:
        return
    before = [""] * sheet.start[1]  # the library leaves out the columns before the first filled
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        row = [cell if type(cell) is str else _text(cell) for cell in cells]
        while row and not row[-1].strip():
            row.pop()
        if row:
            long = max(map(len, row)) > _LONGEST_CELL
            yield [str(line)] if long else [str(line), *before, *row]


def _text(cell: _Cell) -> str:
    """Return a cell as text: dates in ISO 8601, whole numbers without a point."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds") if cell.time() != time() else _day(cell)
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _tell(report: TextIO, fact: object) -> None:
    print(json.dumps(fact), file=report, flush=True)


if __name__ == "__main__":
    main()
