"""The sheets of a workbook, read by a process of its own (`sheet_child.py`) into a spool."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from repermit.errors import ListUnreadable
from repermit.intake.readers.sheet_child import DAMAGED, MOST_SECONDS
from repermit.intake.readers.sheet_kind import SAVE_AS, unsafe
from repermit.intake.readers.table import Record

_CHILD = Path(__file__).with_name("sheet_child.py")
_PASSED_ON = ("HOME", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")  # no secret of ours
_LONGEST_SHOWN = 40
_MOST_NAMED = 30
_MOST_REPORTED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its place in the workbook, from 1, and its `rows` from byte `start` of the spool."""

    number: int
    name: str
    hidden: bool
    start: int = 0
    rows: int = 0

    @property
    def choice(self) -> str:
        """What `--sheet` takes for it: its name, or its number if that cannot be displayed."""
        fit = self.name.isprintable() and 0 < len(self.name) <= _LONGEST_SHOWN
        return self.name if fit and "@" not in self.name else str(self.number)

    def __str__(self) -> str:
        return f"sheet {self.name!r}" if self.choice == self.name else f"sheet {self.number}"


@dataclass(frozen=True)
class Workbook:
    """What was read of a workbook."""

    sheets: tuple[Sheet, ...]
    spool: BinaryIO

    def records(self, sheet: Sheet) -> Iterator[Record]:
        """Yield the filled rows of *sheet*, with the numbers they have in it."""
        self.spool.seek(sheet.start)
        text = TextIOWrapper(self.spool, "utf-8", newline="")
        try:
            for line, *cells in islice(csv.reader(text), sheet.rows):
                yield int(line), cells or None
        finally:
            if not self.spool.closed:
                text.detach()


def read_workbook(file: BinaryIO, *, sheet: str | None, seconds: int) -> Workbook:
    """Read the whole workbook, or only the sheet that has the name or the number *sheet*.

    It may take so many *seconds* of processor time. The spool is for the caller to close.

    Raises: ListUnreadable when it is damaged, has no such sheet, or would take more memory or
        time than a list needs.
    Crash: the process that reads it ends by itself, within `MOST_SECONDS`.
    """
    with ExitStack() as stack:
        spool = stack.enter_context(tempfile.TemporaryFile())
        if sheet is None:
            sheets = _read(file, spool, "all", seconds)
        else:
            chosen = _chosen(_read(file, spool, "none", seconds), sheet)
            sheets = _read(file, spool, str(chosen.number), seconds)
            sheets = [other for other in sheets if other.number == chosen.number]
        stack.pop_all()
        return Workbook(tuple(sheets), spool)


def named(sheets: Sequence[Sheet]) -> str:
    """Return the sheets as a message may name them."""
    names = [
        f"{sheet.number} {sheet.name!r}" if sheet.choice == sheet.name else str(sheet.number)
        for sheet in sheets[:_MOST_NAMED]
    ]
    more = f" and {len(sheets) - _MOST_NAMED} more" if len(sheets) > _MOST_NAMED else ""
    return f"its sheets are {', '.join(names)}{more}"


def _chosen(sheets: Sequence[Sheet], wanted: str) -> Sheet:
    """Return the sheet of that name, whatever its case, or else of that number."""
    for names in (
        [sheet.name for sheet in sheets],
        [sheet.name.strip().casefold() for sheet in sheets],
        [str(sheet.number) for sheet in sheets],
    ):
        for text in (wanted, wanted.strip().casefold()):
            if text in names:
                return sheets[names.index(text)]
    raise ListUnreadable("has no sheet of that name or number", hint=named(sheets))


def _read(file: BinaryIO, spool: BinaryIO, which: str, seconds: int) -> list[Sheet]:
    """Return all sheets, those that *which* asks for with their rows in the spool."""
    with tempfile.TemporaryFile() as report:
        status = _run([which, str(seconds)], file, spool, report)
        report.seek(0)
        lines = report.read(_MOST_REPORTED_BYTES).splitlines(keepends=True)
    facts = [json.loads(line) for line in lines if line.endswith(b"\n")]
    sheets = [Sheet(*fact) for fact in facts[0]] if facts else []
    read = {number: (start, rows) for number, start, rows in facts[1:]}
    if status:
        raise _refusal(status, [sheet for sheet in sheets if sheet.number not in read], sheets)
    return [
        replace(sheet, start=start, rows=rows)
        for sheet in sheets
        for start, rows in [read.get(sheet.number, (0, 0))]
    ]


def _run(words: Sequence[str], file: BinaryIO, spool: BinaryIO, report: BinaryIO) -> int:
    """Return the exit status of the process that reads *file*; negative if it was killed."""
    command = [sys.executable, "-P", str(_CHILD), str(report.fileno()), *words]
    descriptor = file.fileno()
    place = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, 0, os.SEEK_SET)  # the process shares the place with us
    try:
        return subprocess.run(
            command,
            stdin=descriptor,
            stdout=spool,
            stderr=subprocess.DEVNULL,
            pass_fds=[report.fileno()],
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            timeout=MOST_SECONDS,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return -signal.SIGALRM
    finally:
        os.lseek(descriptor, place, os.SEEK_SET)


def _refusal(status: int, unread: Sequence[Sheet], sheets: Sequence[Sheet]) -> ListUnreadable:
    if status == DAMAGED:
        return ListUnreadable("is damaged, or no spreadsheet that can be read", hint=SAVE_AS)
    why = "it takes more memory or time than a list needs"
    if not unread or len(sheets) < 2:
        return unsafe(why)
    hint = f"pass --sheet if the list is on another sheet, or {SAVE_AS}"
    return unsafe(f"{why} (at {unread[0]})", hint=hint)
