"""Cards of an address book: vCard 3 and 4, and 2.1 as old telephones write it.

Source: RFC 6350 (vCard 4), RFC 2426 (vCard 3).
"""

from __future__ import annotations

import codecs
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import unquote

from repermit.intake.readers.lines import lines_of, name_of
from repermit.intake.readers.table import Record

_BEGIN, _END = "begin:vcard", "end:vcard"
_PROPERTY = re.compile(
    r"""\s*(?:[\w.-]*\.)?([A-Za-z0-9_-]{1,60})((?:;(?:[^:"]|"[^"]*")*)?):(.*)""", re.DOTALL
)
_UNQUOTED = re.compile(r"\s*(?:[\w.-]*\.)?([A-Za-z0-9_-]{1,60})(;[^:]*):(.*)", re.DOTALL)
_NEVER_FOLDED = re.compile(
    r"\s*(?:BEGIN|END):VCARD\s*\Z|(?:[\w-]+\.)?EMAIL[;:]", re.IGNORECASE | re.ASCII
)
_QUOTED_PRINTABLE = re.compile(r'[^:]*;(?:ENCODING=)?"?QUOTED-PRINTABLE', re.IGNORECASE)
_CHARSET = re.compile(r';CHARSET="?([\w.-]+)', re.IGNORECASE)
_CHARSETS = {"ascii", "utf-8", "iso8859-1", "iso8859-15", "cp1252", "cp1250", "cp850", "mac-roman"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PIECE = re.compile(r"(?:[^;\\]|\\.|\\$)+|;", re.DOTALL)
_STRUCTURED = {"ADR", "N", "ORG"}
# What is no text about the person. SOURCE is where the card can be fetched again, which is not
# where the address came from.
_NOT_TOLD = {"BEGIN", "END", "VERSION", "AGENT", "PHOTO", "LOGO", "SOUND", "KEY", "SOURCE"}
_VERSIONS = ("2.1", "3.0", "4.0")
_COUNTRY = 6  # its place among the parts of ADR
_MOST_NAMES = 200
_LONGEST = 1 << 20  # characters of a card that are kept; a picture is not


class CardTable:
    """The cards that hold an address, a record each; the columns are named as the properties."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file, self._encoding = file, encoding
        names: dict[str, None] = {"EMAIL": None}
        versions: set[str] = set()
        count = without = 0
        for card in _cards(lines_of(file, encoding)):
            count += 1
            without += not card.is_record
            versions.add(card.version)
            for name in card.cells:
                if len(names) < _MOST_NAMES:
                    names[name] = None
        self.header = tuple(names)
        known = " and ".join(version for version in _VERSIONS if version in versions)
        cards = _counted(count, "card")
        self.told = f"{name_of(encoding)}, {f'vCard {known}'.strip()}, {cards}"
        holds = "holds" if without == 1 else "hold"
        told = (f"{_counted(without, 'card')} {holds} no address",)
        self.notes: tuple[str, ...] = told if without else ()

    def records(self) -> Iterator[Record]:
        """Yield a record for every card with an address, at the line where it begins."""
        for card in _cards(lines_of(self._file, self._encoding)):
            if card.is_record:
                cells = [", ".join(card.cells.get(name, ())) for name in self.header]
                yield card.line, None if card.is_too_long else cells


@dataclass
class _Card:
    line: int
    cells: dict[str, list[str]] = field(default_factory=dict)
    version: str = ""
    size: int = 0
    last: str = ""  # the name of the property that was read last

    @property
    def is_too_long(self) -> bool:
        return self.size > _LONGEST

    @property
    def is_record(self) -> bool:
        return self.is_too_long or any(self.cells.get("EMAIL", ()))

    def take(self, name: str, options: str, text: str) -> None:
        """Take one property in."""
        self.last = name
        if name == "VERSION":
            self.version = text.strip()
        if name in _NOT_TOLD:
            return
        self.size += len(text)
        if self.is_too_long:
            self.cells.clear()
            return
        text = _decoded(options, text)
        if name in _STRUCTURED:
            parts = [_plain(part) for part in _parts(text)]
            self._add(name, ", ".join(filter(None, parts)))
            if name == "ADR" and len(parts) > _COUNTRY:
                self._add("COUNTRY", parts[_COUNTRY], once=True)
        else:
            self._add(name, _address(text) if name == "EMAIL" else _plain(text))

    def _add(self, name: str, text: str, *, once: bool = False) -> None:
        cells = self.cells.setdefault(name, [])
        if text and not (once and text in cells):
            cells.append(text)


def open_table(file: BinaryIO, encoding: str) -> CardTable:
    """Return the cards in *file*. Raises: ListUnreadable when *encoding* does not read it."""
    return CardTable(file, encoding)


def is_vcard(start: str) -> bool:
    """Return whether a text that begins with *start* is a file of cards."""
    return start.lstrip("\ufeff \t\r\n")[: len(_BEGIN)].casefold() == _BEGIN


def _cards(lines: Iterable[tuple[int, str]]) -> Iterator[_Card]:
    """Yield every card, also one that is not closed, or that stands inside another (2.1 and 3
    know an AGENT); an address behind the end of a card makes one by itself."""
    card: _Card | None = None
    outer: _Card | None = None
    for line, text in _unfolded(lines):
        if _is(text, _BEGIN):
            if card and card.last == "AGENT" and not outer:
                outer = card
            elif card:
                yield card
            card = _Card(line)
        elif _is(text, _END):
            if card:
                yield card
            card, outer = outer, None
        elif found := _PROPERTY.match(text) or _UNQUOTED.match(text):
            name = found[1].upper()
            if card is None and name == "EMAIL":
                card = _Card(line)
            if card:
                card.take(name, found[2], found[3])
    yield from filter(None, (card, outer))


def _unfolded(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the lines as they were before they were folded; what is too long is cut off.

    Source: RFC 6350 section 3.2; RFC 2045 section 6.7 for the soft line breaks of 2.1.
    """
    start, parts, size, is_quoted = 0, [""], 0, False
    for number, line in lines:
        is_new = _NEVER_FOLDED.match(line) is not None
        if is_quoted and parts[-1].endswith("=") and not is_new:
            more = f"\n{line}"
        elif line[:1] in (" ", "\t") and not is_new:
            more = line[1:]
        else:
            yield start, "".join(parts)
            start, parts, size, more = number, [], 0, line
            is_quoted = _QUOTED_PRINTABLE.match(line) is not None
        size += len(more)
        if size <= 2 * _LONGEST:
            parts.append(more)
    yield start, "".join(parts)


def _is(line: str, mark: str) -> bool:
    return len(line) < 99 and line.strip().casefold() == mark


def _decoded(options: str, text: str) -> str:
    """Return a value without the quoted-printable of vCard 2.1."""
    if not _QUOTED_PRINTABLE.match(options):
        return text
    value = quopri.decodestring(text.encode("utf-8", "replace"))
    for charset in (*_CHARSET.findall(options), "utf-8", "cp1252"):
        try:
            if codecs.lookup(charset).name in _CHARSETS:
                return value.decode(charset)
        except (LookupError, UnicodeError):
            continue
    return value.decode("utf-8", "replace")


def _parts(text: str) -> list[str]:
    """Return the parts of a structured value, between semicolons that are not escaped."""
    parts = [""]
    for piece in _PIECE.findall(text):
        if piece == ";":
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _plain(text: str) -> str:
    """Return *text* without its escapes."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text).strip()


def _address(text: str) -> str:
    text = _plain(text)
    if text[:7].casefold() != "mailto:":
        return text
    return unquote(text[7:].partition("?")[0]).strip()


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
