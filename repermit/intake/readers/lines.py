"""The lines of a text list, none of them so long that it would fill the memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

from repermit.errors import ListUnreadable
from repermit.intake.sniff import as_text

_LONGEST_LINE = 1 << 20


def name_of(encoding: str) -> str:
    """Return a codec's name for display."""
    return encoding.removesuffix("-sig").upper()


def lines_of(file: BinaryIO, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield each line of *file* with its number, from 1, and without its end.

    Raises: ListUnreadable when *encoding* does not read it, or a line is over a megabyte.
    """
    with as_text(file, encoding) as text:
        for number in count(1):
            try:
                line = text.readline(_LONGEST_LINE + 2)
            except UnicodeError:
                raise ListUnreadable(
                    f"is not text in {name_of(encoding)}", hint="pass another --encoding"
                ) from None
            if not line:
                return
            line = line.rstrip("\r\n")
            if len(line) > _LONGEST_LINE:
                raise ListUnreadable(
                    "is no list: a line is over a megabyte", hint="check that it is the right file"
                )
            yield number, line.lstrip("\ufeff") if number == 1 else line
