"""What separates the columns of a list, and what is an address at a glance."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from itertools import islice
from typing import BinaryIO

from repermit.errors import ListUnsure, OptionWrong

CHUNK_BYTES = 1 << 20
DELIMITER_NAMES = {";": "semicolon", ",": "comma", "\t": "tab", "|": "pipe", " ": "space"}
DELIMITERS = ";,\t|"  # in order of preference; a one-column file fits them all
_MOST_RECORDS = 200
_WIDE_AT = "\uff20"  # as East Asian programs write it
_LONE_ADDRESS = re.compile(r"""(?:[^@<>]*<)?[^\s@<>;,|"'][^\s@<>;,|"]*@[^\s@<>;,|"']+>?""")
_BETWEEN_ADDRESSES = re.compile(r"[\s;,|]+")
_QUOTED_ADDRESS = re.compile(r"'[^\s@']{1,99}@[^\s@']{1,99}'")
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How the rows are written; `skip_lines` is 1 when the first line is Excel's `sep=;`."""

    delimiter: str
    quotechar: str = '"'
    skip_lines: int = 0


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole of *file*, a megabyte at a time, and go back to its start."""
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
    file.seek(0)


@contextmanager
def as_text(file: BinaryIO, encoding: str) -> Iterator[TextIOWrapper]:
    """Read *file* as text from its start, line ends as they are; it stays open afterwards."""
    file.seek(0)
    text = TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield text
    finally:
        if not file.closed:
            text.detach()


def dialect_of(sample: str, declared: str | None = None) -> Dialect:
    """Return how *sample*, the beginning of a list, separates its columns.

    What counts is that addresses stand alone in a cell, then a column full of them, then rows of
    one width. Should quotes never close, so that no record shows an address, each line is taken
    by itself. *declared* is the delimiter that the operator names.

    Raises: ListUnreadable when *declared* is no delimiter; ListUnsure when two delimiters fit
        equally well and find other addresses.
    """
    lines = list(StringIO(sample, newline=""))  # split where the reader does
    sep_line = _SEP_LINE.fullmatch(lines[0]) if lines else None
    skip_lines = 1 if sep_line else 0
    if declared:
        return Dialect(_declared(declared), skip_lines=skip_lines)
    if sep_line and sep_line[1] in DELIMITERS:
        return Dialect(sep_line[1], skip_lines=skip_lines)
    lines = lines[skip_lines:]
    tables = {mark: records_of(lines, mark) for mark in DELIMITERS}
    if not any(_score(table)[0] for table in tables.values()):
        if _QUOTED_ADDRESS.search(sample):
            quoted = {mark: records_of(lines, mark, "'") for mark in DELIMITERS}
            return Dialect(_best(quoted), "'", skip_lines)
        tables = {mark: _alone(lines, mark) for mark in DELIMITERS}
    return Dialect(_best(tables), skip_lines=skip_lines)


def is_address_like(cell: str) -> bool:
    """Return whether *cell* holds one address and nothing else but a name before `<`."""
    if "@" not in cell:
        if _WIDE_AT not in cell:
            return False
        cell = unicodedata.normalize("NFKC", cell)
    return _LONE_ADDRESS.fullmatch(cell.strip()) is not None


def addresses_in(cell: str) -> int:
    """Return how many addresses *cell* holds, or 0 if it holds anything else as well."""
    if is_address_like(cell):
        return 1
    if cell.count("@") < 2:
        return 0
    parts = [part for part in _BETWEEN_ADDRESSES.split(cell) if part]
    return len(parts) if all(map(is_address_like, parts)) else 0


def records_of(lines: Sequence[str], delimiter: str, quotechar: str = '"') -> list[list[str]]:
    """Return the first records of *lines*, those before a broken one if one is."""
    records = []
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quotechar)
    try:
        for record in islice(reader, _MOST_RECORDS):
            records.append(record)  # noqa: PERF402 - those before an error count
    except csv.Error:
        pass
    return records


def best_column(records: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return the column in which most addresses stand alone, and how many."""
    counts: Counter[int] = Counter()
    for row in records:
        counts.update({at: addresses_in(cell) for at, cell in enumerate(row)})
    at, most = max(counts.items(), key=lambda item: item[1], default=(0, 0))
    return at, most


def _score(records: Sequence[Sequence[str]]) -> tuple[float, float, float]:
    """Return which part of the addresses stand alone in a cell, how full of them the best column
    is, and how even a width over 1 is."""
    rows = [row for row in records if row and not row[0].startswith("#")]
    if not rows:
        return 0.0, 0.0, 0.0
    ats = sum(cell.count("@") + cell.count(_WIDE_AT) for row in rows for cell in row)
    alone = sum(addresses_in(cell) for row in rows for cell in row)
    at, _ = best_column(rows)
    full = sum(1 for row in rows if len(row) > at and addresses_in(row[at])) / len(rows)
    width, even = Counter(map(len, rows)).most_common(1)[0]
    return (
        round(alone / ats, 1) if ats else 0.0,
        round(full, 1) or full,
        round(even / len(rows), 1) if width > 1 else 0.0,
    )


def _best(tables: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """Return the delimiter whose table fits best; the first of those that fit as well."""
    scores = {mark: _score(records) for mark, records in tables.items()}
    best = max(tables, key=scores.__getitem__)
    found = {mark: _addresses(tables[mark]) for mark in tables if scores[mark] == scores[best]}
    rivals = [mark for mark, addresses in found.items() if addresses != found[best]]
    if rivals and found[best] and scores[best][2]:
        readings = [(DELIMITER_NAMES[mark], _shown(tables[mark])) for mark in (best, *rivals)]
        raise ListUnsure("this", option="delimiter", readings=readings)
    return best


def _addresses(records: Sequence[Sequence[str]]) -> list[str]:
    at, _ = best_column(records)
    return [row[at] for row in records if len(row) > at and addresses_in(row[at])]


def _shown(records: Sequence[Sequence[str]]) -> str:
    width, _ = Counter(map(len, records)).most_common(1)[0]
    at, count = best_column(records)
    return f"{width} columns, the first {count} addresses in column {at + 1}"


def _alone(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    first = (records_of([line], delimiter) for line in lines[:_MOST_RECORDS])
    return [record for records in first for record in records]


def _declared(name: str) -> str:
    mark = {word: mark for mark, word in DELIMITER_NAMES.items()}.get(name.lower(), name)
    mark = "\t" if mark == "\\t" else mark
    if len(mark) != 1 or mark.isalnum() or mark in "\"'@\r\n\0":
        hint = "one character, or comma, semicolon, tab, pipe, space; text for pasted addresses"
        raise OptionWrong("--delimiter is no delimiter", hint=hint)
    return mark
