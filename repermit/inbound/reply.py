"""Whether a person wrote a plain no, a plain yes or anything else, or nobody wrote it at all.

Doubt is something else, which a person reads: a no that is not seen is not lost then, and no yes
ever counts (see promise 6).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto

from repermit.inbound import automatic, flat, sayings
from repermit.inbound.fresh import fresh
from repermit.inbound.message import Message, Part
from repermit.inbound.reading import Kind
from repermit.inbound.sayings import TELLING

_LONGEST_PLAIN = 1_000  # characters: a plain answer, and a name with an address below it
_MOST_AFTER = 12  # lines of a signature
_HTML_READ = 1_000_000  # characters
_STOPS = re.compile(r"[.,!;:()\[\]\"«»„“”‚‘*_~…–—/\\|•·<>=+]|(?<!\w)-|-(?!\w)")
_WORD = re.compile(r"\w+|\S")
_ABBREVIATED = re.compile(r"\b(?:\w\.){2,}")
_NAME = re.compile(r"[^\W\d_]\.?|[^\W\d_]+(?:['-][^\W\d_]+)*")
_PARTICLES = frozenset("van de der den von zu du le la di da dos ter ten el al".split())
_MOST_NAMES = 5  # words
_REPEATED = re.compile(r"\b(\w+)(?: \1)+\b")
_PIECES = re.compile(r"[,!;:]|(?<=\w\w)\.\s")


class _Said(Enum):
    NO = auto()
    YES = auto()
    NOTHING = auto()  # a greeting, thanks
    CLOSING = auto()
    ELSE = auto()


_ANSWERS = {_Said.NO: Kind.NO, _Said.YES: Kind.YES}


def read(message: Message) -> tuple[Kind, str]:
    """Return what a message that is no bounce and no complaint is, and what is new in its text, as
    a person is to read it: AUTOMATIC, NO, YES or OTHER.

    An empty text is no answer, but for a subject of the writer's own that is nothing but a no:
    whoever writes a mail "Unsubscribe" says nothing below it.
    """
    text = _fresh_text(message)
    if automatic.by_headers(message):
        return Kind.AUTOMATIC, text
    if not text:
        subject = message.header("subject").strip()
        return (Kind.NO if verdict(subject) is Kind.NO else Kind.OTHER), text
    kind = verdict(text)
    if kind is Kind.OTHER and automatic.by_words(_plain(text)):
        kind = Kind.AUTOMATIC
    return kind, text


def verdict(text: str) -> Kind:
    """Return NO or YES when *text*, in which nothing is quoted, is nothing but that; else OTHER."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(text) > _LONGEST_PLAIN or "?" in text:
        return Kind.OTHER
    said = set[_Said]()
    while lines and _Said.CLOSING not in said:
        said |= _line_says(lines.pop(0), is_answered=bool(said & _ANSWERS.keys()))
    if _Said.ELSE in said or len(lines) > _MOST_AFTER or any(_tells(_plain(one)) for one in lines):
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


def _fresh_text(message: Message) -> str:
    """Return what is new in the text that the writer's own program wrote: of the plain one, or when
    nothing is new in that, of the HTML."""
    own = [part for part in message.parts if part.depth == 0 and not _is_attached(part)]
    plain = "\n".join(part.text for part in own if part.content_type == "text/plain")
    if text := fresh(plain):
        return text
    rich = (part.text for part in own if part.content_type == "text/html")
    return fresh("\n".join(flat.lines_of(each[:_HTML_READ]) for each in rich))


def _is_attached(part: Part) -> bool:
    return part.headers.get("content-disposition", "").strip().lower().startswith("attachment")


def _segments(line: str) -> Iterator[str]:
    """Yield the words between the stops of *line*, plain, with one space between them."""
    together = _ABBREVIATED.sub(lambda found: found[0].replace(".", ""), line)
    for segment in _STOPS.split(together):
        if plain := _plain(segment):
            yield plain


def _plain(text: str) -> str:
    """Return *text* in small letters, without accents, its words with one space between them; what
    is neither a word nor a stop, such as a smiley, is a word of its own."""
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(character) and unicodedata.category(character) != "Cf"
    )
    words = _WORD.findall(_STOPS.sub(" ", bare).replace("'", " ").replace("’", " "))
    return " ".join(word for word in words if word not in ("-", "_"))


def _said(segment: str) -> _Said:
    """Return what one segment says."""
    words = _REPEATED.sub(r"\1", segment) + " "
    if sayings.plain_no().fullmatch(words):
        return _Said.NO
    if sayings.plain_yes().fullmatch(words):
        return _Said.YES
    if sayings.nothing().fullmatch(words):
        return _Said.NOTHING
    if _tells(segment):
        return _Said.ELSE
    if sayings.closing().match(words):
        return _Said.CLOSING
    greets = sayings.greeting().match(words) and len(words.split()) <= _MOST_NAMES + 1
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
        and all(word in _PARTICLES or _is_titled(word) for word in words)
        and any(map(_is_titled, words))
        and not _tells(_plain(name))
    )
    return ", ".join(pieces[:-1]) if is_name else None


def _is_titled(word: str) -> bool:
    is_capital = word[:1].isupper() and (len(word) < 3 or not word.isupper())
    return is_capital and _NAME.fullmatch(word) is not None
