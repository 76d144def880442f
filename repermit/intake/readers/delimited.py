"""The rows of a delimited list: CSV, TSV and their kin.

Nothing is lost on the way: a row that cannot be read is yielded without cells, and a quote that
never closes does not swallow the rows after it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from typing import Protocol

from repermit.intake.columns import recognise
from repermit.intake.encoding import Decoding
from repermit.intake.readers.header import header_at
from repermit.intake.readers.sample import first_of
from repermit.intake.readers.table import Record
from repermit.intake.sniff import DELIMITER_NAMES, Dialect, as_text, best_column, is_address_like

_HEADER_ROWS = 30  # a header is among these
_MOST_LINES = 500  # in one row, through line breaks inside quotes
_LONGEST_RECORD = 1 << 20  # characters
_BATCH_CHARACTERS = 1 << 16


class _Reader(Protocol):
    """What `csv.reader` returns, which has no name of its own."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class _Shape:
    """What a whole row looks like: how wide it is at least, and where its address stands."""

    dialect: Dialect
    width: int = 0
    email: int = 0

    def reader(self, lines: Iterable[str]) -> _Reader:
        """Return the reader of *lines*."""
        dialect = self.dialect
        return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quotechar)


class DelimitedTable:
    """The rows of a delimited file."""

    notes: tuple[str, ...] = ()

    def __init__(self, decoding: Decoding, dialect: Dialect) -> None:
        self._decoding, self._shape = decoding, _Shape(dialect)
        first = self._first()
        at = header_at([cells for _, cells in first[:_HEADER_ROWS]])
        rows = [cells or [] for _, cells in first]
        titles = [] if at is None else [row for row in range(at) if not _holds_address(rows[row])]
        passed = titles if at is None else [*titles, at]
        self._passed_over = frozenset(first[row][0] for row in passed)  # lines
        self.header = () if at is None else tuple(rows[at])
        width = _width(rows[at or 0]) if rows else 0
        self._shape = _Shape(dialect, width=width, email=best_column(rows)[0])
        parted = DELIMITER_NAMES.get(dialect.delimiter, dialect.delimiter)
        headed = "no header" if at is None else f"header on line {first[at][0]}"
        above = f", {_lines(len(titles))} above it passed over" if titles else ""
        self.told = f"{decoding.told}, columns parted by {parted}, {headed}{above}"

    def records(self) -> Iterator[Record]:
        """Yield every row but header, titles, comments and blank lines; one pass at a time."""
        last = max(self._passed_over, default=0)
        with as_text(self._decoding.file, self._decoding.encoding) as text:
            records = _records(text, self._shape)
            for record in records:
                if record[0] not in self._passed_over:
                    yield record
                if record[0] >= last:
                    break
            yield from records

    def _first(self) -> list[Record]:
        with as_text(self._decoding.file, self._decoding.encoding) as text:
            records = _records(text, self._shape)
            return first_of(at for at in records if at[1] is None or any(map(str.strip, at[1])))


def open_table(decoding: Decoding, dialect: Dialect) -> DelimitedTable:
    """Return the rows of a delimited file, its header looked for among the first of them."""
    return DelimitedTable(decoding, dialect)


def _holds_address(cells: Sequence[str]) -> bool:
    return any(map(is_address_like, cells))


def _width(cells: Sequence[str]) -> int:
    return max((at for at, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _records(text: TextIOWrapper, shape: _Shape) -> Iterator[Record]:
    """Yield every record that is no comment.

    Lines are read in batches; a record that is open at the end of one begins the next.
    """
    line = 1 + sum(1 for _ in islice(text, shape.dialect.skip_lines))
    rest: list[str] = []
    while (more := text.readlines(_BATCH_CHARACTERS)) or rest:
        lines, rest, done = rest + more, [], 0
        reader, last = shape.reader(lines), len(lines)
        try:
            for cells in reader:
                end = reader.line_num
                if end == done + 1 and end != last and not (cells and cells[0][:1] == "#"):
                    if cells:
                        yield line + done, cells
                elif end == last and more and _goes_on(lines[done:], shape):
                    break
                else:
                    yield from _looked_at(line + done, lines[done:end], cells, shape)
                done = end
        except csv.Error:  # a cell is too long
            end = max(reader.line_num, done + 1)
            yield from _alone(line + done, lines[done:end], shape)
            done = end
        rest = lines[done:]
        line += done


def _looked_at(
    line: int, pending: Sequence[str], cells: list[str], shape: _Shape
) -> Iterator[Record]:
    if _is_torn(pending, shape) if len(pending) > 1 else _is_open(pending, shape):
        yield from _alone(line, pending, shape)
    elif cells and not _is_comment(pending[0], cells):
        yield line, cells


def _goes_on(pending: Sequence[str], shape: _Shape) -> bool:
    """Return whether the next line may belong to the last record of a batch."""
    short = len(pending) < _MOST_LINES and sum(map(len, pending)) < _LONGEST_RECORD
    return short and _is_open(pending, shape)


def _is_torn(pending: Sequence[str], shape: _Shape) -> bool:
    """Return whether a stray quote made one record of several: it has too many lines, its quote
    is open at the end of the file, it joins a header or a comment to what follows, or two of
    its lines are whole rows by themselves."""
    if len(pending) >= _MOST_LINES or pending[0][0] == "#" or _is_open(pending, shape):
        return True
    if "email" in recognise(pending[0].split(shape.dialect.delimiter)):
        return any("@" in line for line in pending[1:])
    return sum(_is_whole(_cells(line, shape), shape) for line in pending) > 1


def _is_open(lines: Sequence[str], shape: _Shape) -> bool:
    """Return whether a quote in *lines* would swallow the line after them."""
    if not any(shape.dialect.quotechar in line for line in lines):
        return False
    return sum(1 for _ in shape.reader([*lines, "x"])) == 1


def _is_whole(cells: Sequence[str] | None, shape: _Shape) -> bool:
    if not cells or not shape.width or len(cells) < shape.width or len(cells) <= shape.email:
        return False
    return is_address_like(cells[shape.email].strip("\"' \r\n"))


def _alone(line: int, pending: Sequence[str], shape: _Shape) -> Iterator[Record]:
    """Yield each of the lines as a record of its own."""
    for number, text in enumerate(pending, start=line):
        cells = _cells(text, shape)
        if text.strip() and not (cells and _is_comment(text, cells)):
            yield number, cells


def _cells(line: str, shape: _Shape) -> list[str] | None:
    """Return the cells of one line; its quotes are plain characters when they do not close."""
    try:
        cells = next(shape.reader([line]), [])
        if len(cells) >= shape.width and not _is_open([line], shape):
            return cells
    except csv.Error:
        return None
    return line.rstrip("\r\n").split(shape.dialect.delimiter)


def _is_comment(line: str, cells: Sequence[str]) -> bool:
    return line[0] == "#" and "email" not in recognise(cells)
