"""Whether a text is nothing but a no, or nothing but a yes.

It is cut at its stops into segments, each of which must be an answer, a greeting or thanks; below
the answer may stand a name and an address, as long as no word of them could say something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from functools import cache

from repermit.inbound.kinds import Kind
from repermit.inbound.politeness import CLOSINGS, GREETINGS, POLITE, TELLING
from repermit.inbound.sayings import NO, YES

_LONGEST_PLAIN = 1_000  # characters: a plain answer, and a name with an address below it
_MOST_AFTER = 12  # lines of a signature
_STOPS = re.compile(r"[.,!;:()\[\]\"«»„“”‚‘*_~…–—/\\|•·<>=+]|(?<!\w)-|-(?!\w)")
_WORD = re.compile(r"\w+|\S")
_ABBREVIATED = re.compile(r"\b(?:\w\.){2,}")
_NAME = re.compile(r"[^\W\d_]\.?|[^\W\d_]+(?:['-][^\W\d_]+)*")
_PARTICLES = re.compile("van|de|der|den|von|zu|du|le|la|di|da|dos|ter|ten|el|al").fullmatch
_MOST_NAMES = 5  # words
_REPEATED = re.compile(r"\b(\w+)(?: \1)+\b")
_PIECES = re.compile(r"[,!;:]|(?<=\w\w)\.\s")
_PIECE = re.compile(r"[^][()| ]+|[][( )]")
_WRITTEN = {"[": "(?:", "(": "(?:", "]": ")?", ")": ")", " ": ""}


class _Said(Enum):
    NO = auto()
    YES = auto()
    NOTHING = auto()  # a greeting, thanks
    CLOSING = auto()
    ELSE = auto()


_ANSWERS = {_Said.NO: Kind.NO, _Said.YES: Kind.YES}


def verdict(text: str) -> Kind:
    """Return NO or YES when *text*, in which nothing is quoted, is nothing but that; else OTHER."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(text) > _LONGEST_PLAIN or "?" in text:
        return Kind.OTHER
    said = set[_Said]()
    while lines and _Said.CLOSING not in said:
        said |= _line_says(lines.pop(0), is_answered=bool(said & _ANSWERS.keys()))
    if _Said.ELSE in said or len(lines) > _MOST_AFTER or any(_tells(plain(one)) for one in lines):
        return Kind.OTHER
    answers = [kind for one, kind in _ANSWERS.items() if one in said]
    return answers[0] if len(answers) == 1 else Kind.OTHER


def _line_says(line: str, *, is_answered: bool) -> set[_Said]:
    """Return what a line says; a name ends what is said, if it was answered before that."""
    found = _segments_say(line)
    if _Said.ELSE not in found or (before := _without_name(line)) is None:
        return found
    found = _segments_say(before)
    return found | {_Said.CLOSING} if is_answered or found & _ANSWERS.keys() else {_Said.ELSE}


def _segments_say(line: str) -> set[_Said]:
    found, segments = set[_Said](), list(_segments(line))
    while segments and _Said.CLOSING not in found:
        found.add(_said(segments.pop(0)))
    return found | {_Said.ELSE} if any(map(_tells, segments)) else found


def plain(text: str) -> str:
    """Return *text* in small letters, without accents, its words with one space between them; what
    is neither a word nor a stop, such as a smiley, is a word of its own."""
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(character) and unicodedata.category(character) != "Cf"
    )
    words = _WORD.findall(_STOPS.sub(" ", bare).replace("'", " ").replace("’", " "))
    return " ".join(word for word in words if word not in ("-", "_"))


def _segments(line: str) -> Iterator[str]:
    """Yield the words between the stops of *line*, plain, with one space between them."""
    together = _ABBREVIATED.sub(lambda found: found[0].replace(".", ""), line)
    for segment in _STOPS.split(together):
        if bare := plain(segment):
            yield bare


def _said(segment: str) -> _Said:
    """Return what one segment says."""
    words = _REPEATED.sub(r"\1", segment) + " "
    if _plain_no().fullmatch(words):
        return _Said.NO
    if _plain_yes().fullmatch(words):
        return _Said.YES
    if _nothing().fullmatch(words):
        return _Said.NOTHING
    if _tells(segment):
        return _Said.ELSE
    if _closing().match(words):
        return _Said.CLOSING
    greets = _greeting().match(words) and len(words.split()) <= _MOST_NAMES + 1
    return _Said.NOTHING if greets else _Said.ELSE


def _tells(plain: str) -> bool:
    """Return whether any of the words says something, as no name and no address does."""
    return not TELLING.isdisjoint(plain.split())


def _without_name(line: str) -> str | None:
    """Return *line* without the name at its end; None when none is there."""
    pieces = [piece.strip() for piece in _PIECES.split(line) if piece.strip()]
    name = pieces[-1].rstrip(".") if pieces else ""
    words = name.split()
    is_name = (
        len(words) <= _MOST_NAMES
        and all(_PARTICLES(word) or _is_titled(word) for word in words)
        and any(map(_is_titled, words))
        and not _tells(plain(name))
    )
    return ", ".join(pieces[:-1]) if is_name else None


def _is_titled(word: str) -> bool:
    is_capital = word[:1].isupper() and (len(word) < 3 or not word.isupper())
    return is_capital and _NAME.fullmatch(word) is not None


@cache
def _plain_no() -> re.Pattern[str]:
    """Return what matches a text that is a no and nothing else, as `_only` does."""
    return _only(NO)


@cache
def _plain_yes() -> re.Pattern[str]:
    """Return what matches a text that is a yes and nothing else, as `_only` does."""
    return _only(YES)


@cache
def _nothing() -> re.Pattern[str]:
    """Return what matches a text that is a greeting or thanks and nothing else."""
    return re.compile(f"(?:{_any_of((*POLITE, *GREETINGS))})*")


@cache
def _greeting() -> re.Pattern[str]:
    """Return what matches the begin of a text that greets."""
    return re.compile(_any_of(GREETINGS))


@cache
def _closing() -> re.Pattern[str]:
    """Return what matches the begin of a text that takes leave."""
    return re.compile(_any_of(CLOSINGS))


def _only(languages: Mapping[str, Iterable[str]]) -> re.Pattern[str]:
    """Return what matches one of these, perhaps with a greeting before it and thanks around it, in
    a text with a space behind every word."""
    said = _any_of(each for patterns in languages.values() for each in patterns)
    before, around = _any_of((*GREETINGS, *POLITE)), _any_of(POLITE)
    return re.compile(f"(?:{before})*(?:{said})(?:{around})*")


def _any_of(patterns: Iterable[str]) -> str:
    return "|".join(
        _PIECE.sub(lambda found: _WRITTEN.get(found[0], f"{found[0]} "), each) for each in patterns
    )
