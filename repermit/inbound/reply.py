"""Whether a person wrote a plain no, a plain yes or anything else, or nobody wrote it at all.

Doubt is something else, which a person reads: a no that is not seen is not lost then, and no yes
ever counts (see promise 6).
"""

from __future__ import annotations

from repermit.inbound import automatic, flat
from repermit.inbound.fresh import fresh
from repermit.inbound.kinds import Kind
from repermit.inbound.message import Message, Part
from repermit.inbound.said import plain, verdict

_HTML_READ = 1_000_000  # characters


def read(message: Message) -> tuple[Kind, str]:
    """Return what a message that is no bounce and no complaint is, and what is new in its text, as
    a person is to read it: AUTOMATIC, NO, YES or OTHER.

    What people write may have headers and subjects, too, of what machines write: these, and words
    of theirs, make only that automatic which is no plain answer and wants nothing. An empty text
    is no answer, but for a subject of the writer's own that is nothing but a no: whoever writes a
    mail "Unsubscribe" says nothing below it.
    """
    text = _fresh_text(message)
    if automatic.is_surely(message):
        return Kind.AUTOMATIC, text
    kind = verdict(text) if text else _of_subject(message)
    if kind is Kind.OTHER and _is_automatic(message, text):
        kind = Kind.AUTOMATIC
    return kind, text


def _of_subject(message: Message) -> Kind:
    """Return NO when the subject is nothing but a no; else OTHER."""
    return Kind.NO if verdict(message.header("subject").strip()) is Kind.NO else Kind.OTHER


def _is_automatic(message: Message, text: str) -> bool:
    said = plain(text)
    if automatic.wants_something(said):
        return False
    return automatic.is_perhaps(message) or ("?" not in text and automatic.by_words(said))


def _fresh_text(message: Message) -> str:
    """Return what is new in the text that the writer's own program wrote: of the plain one, or when
    nothing is new in that, of the HTML."""
    own = [part for part in message.parts if part.depth == 0 and not _is_attached(part)]
    bare = "\n".join(part.text for part in own if part.content_type == "text/plain")
    if text := fresh(bare):
        return text
    rich = (part.html for part in own if part.content_type == "text/html")
    return fresh("\n".join(flat.lines_of(each[:_HTML_READ]) for each in rich))


def _is_attached(part: Part) -> bool:
    return part.headers.get("content-disposition", "").strip().lower().startswith("attachment")
