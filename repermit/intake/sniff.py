"""What a list file is written in: its encoding, and what separates its columns."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from itertools import islice
from typing import BinaryIO

from repermit.errors import ListUnreadable

_CHUNK_BYTES = 1 << 20
_DELIMITERS = ";,\t|"  # in order of preference; a one-column file fits them all
_MOST_RECORDS = 200
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1a\x1b")
_CONTROLS_PER_BYTE = 0.01  # more than this is not text
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE_AS = "save it as CSV UTF-8 and try again"
_LONE_ADDRESS = re.compile(r"""(?:[^@<>]*<)?[^\s@<>;,|"']+@[^\s@<>;,|"']+>?""")


@dataclass(frozen=True)
class Dialect:
    """How the rows are written; `skip_lines` is 1 when the first line is Excel's `sep=;`."""

    delimiter: str
    quotechar: str = '"'
    skip_lines: int = 0


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole of *file*, a megabyte at a time, and go back to its start."""
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
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


def encoding_of(file: BinaryIO) -> str:
    """Return the codec that reads the whole of *file*: utf-8-sig, utf-8 or cp1252.

    Reads in chunks, and leaves the file at its start.

    Raises: ListUnreadable when it is not text, is UTF-16, or has a line of over a megabyte
        (so that nothing after this needs more memory than that).
    """
    file.seek(0)
    start = file.read(4)
    if start.startswith(_UTF_16):
        raise ListUnreadable("this text is in UTF-16, which is not read", hint=_SAVE_AS)
    _refuse_binary(file)
    if start.startswith(codecs.BOM_UTF8):
        if not _decodes(file, "utf-8"):
            raise ListUnreadable("this begins as UTF-8 and is not", hint=_SAVE_AS)
        return "utf-8-sig"
    for encoding in ("utf-8", "cp1252"):
        if _decodes(file, encoding):
            return encoding
    raise ListUnreadable("this is not text (binary)", hint=_SAVE_AS)


def dialect_of(sample: str) -> Dialect:
    """Return how *sample*, the beginning of a list, separates its columns.

    What counts is a column full of addresses, then rows of one width. Should quotes never
    close, so that no record shows an address, each line is taken by itself.
    """
    lines = list(StringIO(sample, newline=""))  # split where the reader does
    skip_lines = 0
    if lines and (declared := re.fullmatch(r'"?sep=(.)"?\s*', lines[0], re.IGNORECASE)):
        skip_lines = 1
        if declared[1] in _DELIMITERS:
            return Dialect(declared[1], skip_lines=skip_lines)
    lines = lines[skip_lines:]
    best = max(_DELIMITERS, key=lambda mark: _score(_records(lines, mark)))
    if not _score(_records(lines, best))[0]:
        best = max(_DELIMITERS, key=lambda mark: _score(_alone(lines, mark)))
    return Dialect(best, skip_lines=skip_lines)


def is_address_like(cell: str) -> bool:
    """Return whether *cell* holds one address and nothing else but a name before `<`."""
    return "@" in cell and _LONE_ADDRESS.fullmatch(cell.strip()) is not None


def _refuse_binary(file: BinaryIO) -> None:
    size_bytes = controls = 0
    for chunk in chunks(file):
        size_bytes += len(chunk)
        controls += len(chunk) - len(chunk.translate(None, _CONTROLS))
        if len(chunk) == _CHUNK_BYTES and b"\n" not in chunk and b"\r" not in chunk:
            raise ListUnreadable("this is no list: a line is over a megabyte", hint=_SAVE_AS)
    if controls > size_bytes * _CONTROLS_PER_BYTE:
        raise ListUnreadable("this is not text (binary)", hint=_SAVE_AS)


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks(file):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        file.seek(0)
        return False
    return True


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    records = []
    try:
        for record in islice(csv.reader(lines, delimiter=delimiter), _MOST_RECORDS):
            records.append(record)  # noqa: PERF402 - those before an error count
    except csv.Error:
        pass
    return records


def _alone(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    first = (_records([line], delimiter) for line in lines[:_MOST_RECORDS])
    return [record for records in first for record in records]


def _score(records: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Return how full of addresses the best column is, and how even a width over 1 is."""
    rows = [row for row in records if row and not row[0].startswith("#")]
    if not rows:
        return 0.0, 0.0
    full = Counter(at for row in rows for at, cell in enumerate(row) if is_address_like(cell))
    width, even = Counter(map(len, rows)).most_common(1)[0]
    most = max(full.values(), default=0)
    return round(most / len(rows), 1) or most / len(rows), even / len(rows) if width > 1 else 0.0
