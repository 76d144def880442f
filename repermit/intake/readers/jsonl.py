"""JSON Lines: one object a line, as newsletter tools and databases export it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any, BinaryIO, TypeAlias

from repermit.intake.readers.lines import lines_of, name_of
from repermit.intake.readers.table import Record

_MOST_KEYS = 200
_LONGEST_KEY = 200
_MOST_COUNTED = 10_000  # of the keys beyond those
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_BEGINNING = re.compile(r'\s*\{\s*"[^"]*"\s*:')
_TRIED_LINES = 20

_Cells: TypeAlias = dict[str, list[str]]


# An object becomes a tuple of its keys and values, in order, also a key that stands in it twice;
# a list stays a list; numbers stay as they are written.
_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=str, strict=False
)


class ObjectTable:
    """The objects of a file, a record each; the columns are named as the keys."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file, self._encoding = file, encoding
        keys: dict[str, None] = {}
        more: set[int] = set()
        for _, cells in self._objects():
            for key in cells or ():
                if key in keys:
                    continue
                if len(keys) < _MOST_KEYS and len(key) <= _LONGEST_KEY:
                    keys[key] = None
                elif len(more) < _MOST_COUNTED:
                    more.add(hash(key))
        self.header = tuple(keys)
        self.told = f"{name_of(encoding)}, JSON Lines, {len(keys)} keys"
        least = "at least " if len(more) == _MOST_COUNTED else ""
        told = (f"not read: {least}{len(more)} further keys",)
        self.notes: tuple[str, ...] = told if more else ()

    def records(self) -> Iterator[Record]:
        """Yield a record for every line that is not blank, without cells if it is no object."""
        for line, cells in self._objects():
            if cells is None:
                yield line, None
            else:
                yield line, [", ".join(cells.get(key, ())) for key in self.header]

    def _objects(self) -> Iterator[tuple[int, _Cells | None]]:
        for number, line in lines_of(self._file, self._encoding):
            if line.strip():
                yield number, _cells(line)


def open_table(file: BinaryIO, encoding: str) -> ObjectTable:
    """Return the objects in *file*.

    Raises: ListUnreadable when *encoding* does not read it, or a line is over a megabyte.
    """
    return ObjectTable(file, encoding)


def is_jsonl(start: str) -> bool:
    """Return whether a text that begins with *start* is mostly one JSON object a line."""
    lines = [line for line in StringIO(start.lstrip("\ufeff"), newline="") if line.strip()]
    if len(lines) == 1 and lines[0][-1] not in "\r\n":
        return _BEGINNING.match(lines[0]) is not None
    if lines and lines[-1][-1] not in "\r\n":
        lines.pop()  # it may go on behind *start*
    lines = lines[:_TRIED_LINES]
    return 2 * sum(_cells(line) is not None for line in lines) > len(lines)


def _cells(line: str) -> _Cells | None:
    """Return what an object holds by key, or None when *line* holds no object."""
    cells: _Cells = {}
    try:
        value = _DECODER.decode(line.strip())
        if not isinstance(value, tuple):
            return None
        for key, item in value:
            _add(cells, key, item, is_nested=False)
    except (ValueError, RecursionError):
        return None
    if _SURROGATE.search(line):
        return {_whole(key): [_whole(text) for text in cells[key]] for key in cells}
    return cells


def _add(cells: _Cells, key: str, item: Any, *, is_nested: bool) -> None:
    """Put *item* under *key*: an object under its own keys as well, unless it is nested deeper."""
    if isinstance(item, tuple):
        for inner, one in item if not is_nested else ():
            _add(cells, f"{key}.{inner}", one, is_nested=True)
    elif isinstance(item, list):
        for one in item:
            _add(cells, key, one, is_nested=is_nested)
    else:
        texts = cells.setdefault(key, [])
        if item is not None and item != "":
            texts.append(item if isinstance(item, str) else "true" if item else "false")


def _whole(text: str) -> str:
    """Return *text* without halves of characters, which no encoding can write."""
    return text.encode("utf-8", "replace").decode()
