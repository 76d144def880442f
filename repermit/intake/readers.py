"""The rows of a list file, one at a time, each with the fields that are known and no other.

Nothing is lost on the way: a row that cannot be read is yielded without an address, and a quote
that never closes does not swallow the rows after it.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TypeAlias

from repermit.errors import ListUnreadable
from repermit.intake.columns import Columns, is_header, map_columns, recognise
from repermit.intake.evidence import BETWEEN_OPT_OUTS
from repermit.intake.sniff import as_text, chunks, dialect_of, encoding_of, is_address_like

_SAMPLE_CHARACTERS = 1 << 16
_SAMPLE_ROWS = 200
_MOST_LINES = 500  # in one row, through line breaks inside quotes

_Record: TypeAlias = tuple[int, list[str] | None]  # line and cells; None if they are unreadable


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate: the line it begins on, and the text of every known field ("" if none)."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class _Shape:
    """What a whole row looks like: how wide it is at least, and where its address stands."""

    delimiter: str
    skip_lines: int
    width: int = 0
    email: int = 0


@dataclass(frozen=True)
class ListFile:
    """An open list. `name` is for display; `sha256` and `size_bytes` are of the whole file."""

    name: str
    sha256: str
    size_bytes: int
    encoding: str
    delimiter: str
    columns: Columns
    header_line: int  # 0 when there is no header
    _file: BinaryIO
    _shape: _Shape

    def __enter__(self) -> ListFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """Yield every row but header, comments and blank lines; one pass at a time.

        Raises: ListUnreadable when the file cannot be read to its end, or changed meanwhile.
        """
        fields, more = tuple(self.columns.index.items()), self.columns.more_opt_outs
        needed = max(chain(self.columns.index.values(), more)) + 1
        with _named(self.name), as_text(self._file, self.encoding) as text:
            for line, cells in _records(text, self._shape):
                if line == self.header_line:
                    continue
                if cells is None:
                    yield Row(line, dict.fromkeys(self.columns.index, ""))
                    continue
                if len(cells) < needed:
                    cells += [""] * (needed - len(cells))
                known = {field: cells[at].strip() for field, at in fields}
                if not known["email"] and not any(map(str.strip, cells)):
                    continue
                if more:
                    parts = (cells[at].strip() for at in more)
                    known["opted_out"] = BETWEEN_OPT_OUTS.join((known["opted_out"], *parts))
                yield Row(line, known)


def open_list(
    path: Path | None, *, mapping: Mapping[str, str], stdin: BinaryIO | None = None
) -> ListFile:
    """Return the list at *path*, or on *stdin* (copied to an anonymous file) without one.

    Raises: ListUnreadable when it cannot be read, is empty or binary, or has no known addresses.
    """
    name = "standard input" if path is None else path.name or "the list"
    name = "the list" if "@" in name else "".join(c if c.isprintable() else "?" for c in name)
    with _named(name), ExitStack() as stack:
        file = stack.enter_context(_twice_readable(path, stdin))
        opened = _opened(file, name, mapping)
        stack.pop_all()
        return opened


def _opened(file: BinaryIO, name: str, mapping: Mapping[str, str]) -> ListFile:
    sha256 = hashlib.sha256()
    for chunk in chunks(file):
        sha256.update(chunk)
    encoding = encoding_of(file)
    with as_text(file, encoding) as text:
        dialect = dialect_of(text.read(_SAMPLE_CHARACTERS))
    shape = _Shape(dialect.delimiter, dialect.skip_lines)
    with as_text(file, encoding) as text:
        records = _records(text, shape)
        filled = (at for at in records if at[1] is None or any(map(str.strip, at[1])))
        first = list(islice(filled, _SAMPLE_ROWS))
    rows = [cells for _, cells in first if cells is not None]
    headed = bool(rows) and first[0][1] is rows[0] and is_header(rows[0])
    if not rows or len(first) == headed:
        what = "has no rows" if rows else "is empty"
        raise ListUnreadable(f"the list {what}", hint="check that it is the right file")
    columns = map_columns(rows[0] if headed else (), mapping, rows=rows[1:] if headed else rows)
    width = max(at for at, cell in enumerate(rows[0], start=1) if cell.strip())
    return ListFile(
        name=name,
        sha256=sha256.hexdigest(),
        size_bytes=file.seek(0, os.SEEK_END),
        encoding=encoding,
        delimiter=dialect.delimiter,
        columns=columns,
        header_line=first[0][0] if headed else 0,
        _file=file,
        _shape=replace(shape, width=width, email=columns.index["email"]),
    )


def _twice_readable(path: Path | None, stdin: BinaryIO | None) -> BinaryIO:
    if path is None:
        if stdin is None:
            raise ListUnreadable("is closed", hint="name a file, or pipe a list in")
        return _copied(stdin)
    file = path.open("rb")
    if file.seekable():
        return file
    with file:  # a pipe
        return _copied(file)


def _copied(source: BinaryIO) -> BinaryIO:
    with ExitStack() as stack:
        copy = stack.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(source, copy)
        stack.pop_all()
        return copy


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Name the list in what goes wrong with it."""
    try:
        yield
    except ListUnreadable as error:
        raise ListUnreadable(f"{name}: {error}", hint=error.hint) from None
    except OSError as error:
        why = f"cannot be read ({(error.strerror or 'input error').lower()})"
        raise ListUnreadable(f"{name}: {why}", hint="check the path and who may read it") from None
    except UnicodeDecodeError:
        why = "changed while it was read"
        raise ListUnreadable(f"{name}: {why}", hint="import it again when it is complete") from None


def _records(text: Iterator[str], shape: _Shape) -> Iterator[_Record]:
    """Yield every record that is no comment."""
    pending: list[str] = []
    line = 1 + sum(1 for _ in islice(text, shape.skip_lines))
    while (first := next(text, None)) is not None:
        reader = csv.reader(_kept(chain((first,), text), pending), delimiter=shape.delimiter)
        try:
            for cells in reader:
                if len(pending) > 1 and _is_torn(pending, shape):
                    yield from _alone(line, pending, shape)
                elif pending[0][0] != "#" or not _is_comment(pending[0], cells):
                    yield line, cells
                line += len(pending)
                pending.clear()
        except csv.Error:  # a cell is too long
            yield from _alone(line, pending, shape)
            line += len(pending)
            pending.clear()


def _kept(lines: Iterator[str], pending: list[str]) -> Iterator[str]:
    """Yield *lines*, keeping those of the present record, until it has too many."""
    for line in lines:
        pending.append(line)
        yield line
        if len(pending) >= _MOST_LINES:
            return


def _is_torn(pending: Sequence[str], shape: _Shape) -> bool:
    """Return whether a stray quote made one record of several: it has too many lines, its quote
    is open at the end of the file, it joins a header or a comment to what follows, or two of
    its lines are whole rows by themselves."""
    if len(pending) >= _MOST_LINES or pending[0][0] == "#" or _is_open(pending, shape):
        return True
    if "email" in recognise(pending[0].split(shape.delimiter)):
        return any("@" in line for line in pending[1:])
    return sum(_is_whole(_cells(line, shape), shape) for line in pending) > 1


def _is_open(lines: Sequence[str], shape: _Shape) -> bool:
    """Return whether a quote in *lines* would swallow the line after them."""
    return sum(1 for _ in csv.reader([*lines, "x"], delimiter=shape.delimiter)) == 1


def _is_whole(cells: Sequence[str] | None, shape: _Shape) -> bool:
    if not cells or not shape.width or len(cells) < shape.width or len(cells) <= shape.email:
        return False
    return is_address_like(cells[shape.email].strip('" \r\n'))


def _alone(line: int, pending: Sequence[str], shape: _Shape) -> Iterator[_Record]:
    """Yield each of the lines as a record of its own."""
    for number, text in enumerate(pending, start=line):
        cells = _cells(text, shape)
        if text.strip() and not (cells and _is_comment(text, cells)):
            yield number, cells


def _cells(line: str, shape: _Shape) -> list[str] | None:
    """Return the cells of one line; its quotes are plain characters when they do not close."""
    try:
        cells = next(csv.reader([line], delimiter=shape.delimiter), [])
        if len(cells) >= shape.width and not _is_open([line], shape):
            return cells
    except csv.Error:
        return None
    return line.rstrip("\r\n").split(shape.delimiter)


def _is_comment(line: str, cells: Sequence[str]) -> bool:
    return line[0] == "#" and "email" not in recognise(cells)
