"""Whether a message is a bounce, and which kind."""

from __future__ import annotations

from repermit.inbound import dsn, plain
from repermit.inbound.codes import judge
from repermit.inbound.message import Message
from repermit.inbound.reading import Kind


def read(message: Message) -> tuple[Kind, str] | None:
    """Return the kind of a bounce and its code: the enhanced status, else the three digits of the
    reply, else nothing. None when it is no bounce.

    A delivery report is read by its fields (RFC 3464); anything else by its words.
    """
    text = plain.text_of(message)
    told = [
        report
        for part in message.parts
        if part.depth == 0 and part.content_type in dsn.CONTENT_TYPES
        for report in dsn.reports(part.text)
    ]
    if found := dsn.verdict(told, text):
        return found
    if message.report_type != "delivery-status" and not plain.is_bounce(message):
        return None
    return dsn.verdict(dsn.reports(text), text) or _by_words(message, text)


def _by_words(message: Message, text: str) -> tuple[Kind, str]:
    kind, status = judge(text)
    if kind is not Kind.UNCLEAR:
        return kind, status
    for_now, for_good = plain.flufl_says(message)
    if for_now:
        return Kind.TEMPORARY, status
    return (Kind.HARD if for_good else Kind.UNCLEAR), status
