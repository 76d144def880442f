"""Addresses in running text, as they are pasted from a mail client or written one on a line.

`Peeters, An <…>; bob@…` on one line or on many. Each address is a record of one cell; so is what
stands between two `;`, or on a line, without any, so that it is counted and can be looked at. A
name in front of an address belongs to it, also where a comma parts the two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from repermit.intake.cells import tells_opt_outs
from repermit.intake.columns import recognise
from repermit.intake.encoding import Decoding
from repermit.intake.readers.table import Record
from repermit.intake.sniff import (
    DELIMITERS,
    addresses_in,
    as_text,
    best_column,
    is_address_like,
    records_of,
)

PASTED = "addresses as pasted from a mail client"
ONE_A_LINE = "one address a line"

# What a separator does not part. Lengths are limited so that no line takes long to search.
_STRING = r'"(?:\\.|[^"\\]){0,200}+"'
_NAME = r'"(?:\\.|[^"\\<>]){0,200}+"(?=\s{0,20}[<(])'
_END = r"(?=\s{0,20}(?:[;,<(]|$))"
_CELL = rf'"[^"@]{{0,200}}+"{_END}|"[^"<>;,]{{0,200}}+"{_END}'
_WHOLE = rf"{_STRING}(?=@)|{_NAME}|{_CELL}|<[^<>]{{0,500}}+>|\([^()@]{{0,200}}\)"
_PART = re.compile(rf"(?:{_WHOLE}|([;,]))", re.DOTALL)
_ADDRESS = re.compile(
    rf"<([^<>]{{0,500}}+)>|({_STRING}@[^\s<>]+)|{_NAME}|(?<![^\s<>])([^\s<>]*@[^\s<>]*)", re.DOTALL
)
_PLAIN = re.compile(r"[\w.+-]+@[\w.-]+\s*")
_JOINED = re.compile(r"[/|&]")
_SIGNS_BETWEEN = {"/", "|", "&", "+", "-", ":::"}
_BETWEEN = _SIGNS_BETWEEN | {"en", "et", "und", "and", "of", "ou", "oder", "or"}
_AROUND = "()[]{}\"'"
_WIDE = {0xFF20: "@", 0xFE6B: "@"}
_MOST_NAME_PARTS = 8
_HEADER_ROWS = 30
_OTHERS_PER_ADDRESS = 0.25  # with more that is no address, this is no list of addresses ...
_OTHERS_BESIDE_NAMES = 1.0  # ... or with so many, when names stand before addresses in <>


class TextTable:
    """The addresses in a text."""

    header: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, decoding: Decoding, manner: str) -> None:
        self._decoding = decoding
        self.told = f"{decoding.told}, {manner}"

    def records(self) -> Iterator[Record]:
        """Yield every address, and every piece without one."""
        with as_text(self._decoding.file, self._decoding.encoding) as text:
            for line, piece in _pieces(text):
                yield line, [piece]


def open_table(decoding: Decoding, *, manner: str = PASTED) -> TextTable:
    """Return the addresses in a text file; *manner* is how they stand there."""
    return TextTable(decoding, manner)


def manner_of(sample: str) -> str | None:
    """Return how addresses stand in *sample*, the beginning of a text, or None for a table.

    A text has no header of several columns and hardly anything but addresses, and these stand in
    no one column; or it has one address on a line and nothing else.
    """
    lines = [line for line in StringIO(sample, newline="") if line.strip() and line[0] != "#"]
    pieces = [piece for _, piece in _pieces(lines)]
    count = sum("@" in piece for piece in pieces)
    named = any("<" in line for line in lines)
    others = count * (_OTHERS_BESIDE_NAMES if named else _OTHERS_PER_ADDRESS)
    if not count or len(pieces) - count > others:
        return None
    tables = [records_of(lines, mark) for mark in DELIMITERS]
    if all(len(row) == 1 for records in tables for row in records) and count <= len(lines):
        return ONE_A_LINE
    return None if any(_is_table(records, count) for records in tables) else PASTED


def _is_table(records: Sequence[Sequence[str]], count: int) -> bool:
    """Return whether *records* have columns, and a header or all *count* addresses in one."""
    headers = (row for row in records[:_HEADER_ROWS] if len(row) > 1)
    if any("email" in recognise(row) for row in headers):
        return True
    if Counter(map(len, records)).most_common(1)[0][0] == 1:
        return False
    at, _ = best_column(records)
    return sum(1 for row in records if len(row) > at and addresses_in(row[at]) == 1) >= count


def columns_of_addresses(sample: str) -> dict[str, int]:
    """Return the delimiters by which *sample* is a table with addresses in every cell of its
    several columns, and how many columns: the text may be a table after all."""
    lines = [line for line in StringIO(sample, newline="") if line.strip()]
    found = {}
    for mark in DELIMITERS:
        records = records_of(lines, mark)
        width, bare = len(records[0]) if records else 0, "<" not in "".join(lines)
        even = all(len(row) == width and all(map(is_address_like, row)) for row in records)
        if len(records) > 1 < width and bare and even:
            found[mark] = width
    return found


def addresses_of(cell: str) -> list[str]:
    """Return the addresses in a cell of a table that holds several, or one behind a name.

    A cell that holds words beside them is returned as it is: they might say something about one
    of the addresses. Quoted local parts and display names stay whole.
    """
    found: list[str] = []
    for _, piece in _pieces([" ".join(cell.split())], only_addresses=True):
        if "@" not in piece:
            return [cell]
        found.append(piece)
    return found or [cell]


def _pieces(lines: Iterable[str], *, only_addresses: bool = False) -> Iterator[tuple[int, str]]:
    """Yield each address, and each piece without one, with the line it begins on."""
    names: list[str] = []
    began, goes_on, headed, plain = 0, False, False, _PLAIN.fullmatch
    for number, line in enumerate(lines, start=1):
        if not names and plain(line):
            headed = True
            yield number, line.strip()
            continue
        blank = not line.strip() or line[0] == "#"
        if names and (blank or not (goes_on or line.lstrip()[:1] == "<")):
            yield began, ", ".join(names)
            names = []
        if blank:
            continue
        if not headed and not only_addresses:
            headed = True
            if _is_heading(line):
                continue
        for part, separator in _parts(line.translate(_WIDE)):
            if "@" in part:
                named, names = names, []
                for address in _addresses(part, only_addresses=only_addresses):
                    yield began if named else number, address
            elif part:
                began = began if names else number
                names.append(part)
            goes_on = separator == ","
            if names and (separator == ";" or len(names) > _MOST_NAME_PARTS):
                yield began, ", ".join(names)
                names = []
    if names:
        yield began, ", ".join(names)


def _is_heading(line: str) -> bool:
    return "@" not in line and "email" in recognise([line.strip("\"';:, \t\r\n\ufeff")])


def _parts(line: str) -> Iterator[tuple[str, str]]:
    """Yield what separators part, stripped, with the separator after it ("" at the end)."""
    start = 0
    for found in _PART.finditer(line):
        if found[1]:
            yield line[start : found.start()].strip(), found[1]
            start = found.end()
    if rest := line[start:].strip():
        yield rest, ""


def _addresses(part: str, *, only_addresses: bool) -> list[str]:
    """Return the addresses in *part*, without the names in front of them.

    The part itself comes back when it says that somebody left, when a space breaks the address,
    or, if there are to be *only_addresses*, for any word that is no name before `<`.
    """
    found: list[str] = []
    behind = False
    matches = list(_ADDRESS.finditer(part))
    for match, following in zip(matches, [*matches[1:], None], strict=True):
        if match[1] is not None and "@" in match[1]:
            found.append(match[1].strip())
            behind = True
        elif match[2]:
            found.append(match[2])
        elif match[3] and not _is_name_of(match, following, part):
            found += _parted(match[3])
    words = [word for word in _ADDRESS.sub(" ", part).split() if word not in _BETWEEN]
    broken = len(found) == 1 and (found[0][:1] == "@" or found[0][-1:] == "@")
    doubtful = bool(words) and (only_addresses and not behind)
    if not found or broken or doubtful or any(map(tells_opt_outs, words)):
        return [part]
    return found


def _is_name_of(match: re.Match[str], following: re.Match[str] | None, part: str) -> bool:
    """Return whether an address is written as a display name: `an@… <an@…>`."""
    if following is None or not following[1] or "@" not in following[1]:
        return False
    return not part[match.end() : following.start()].strip()


def _parted(token: str) -> list[str]:
    parts = [part.strip(_AROUND) for part in _JOINED.split(token)]
    return parts if all("@" in part for part in parts) else [token.strip(_AROUND)]
