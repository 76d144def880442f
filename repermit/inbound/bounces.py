"""Whether a message is a bounce, and which kind."""

from __future__ import annotations

from repermit.inbound import dsn, plain
from repermit.inbound.codes import judge
from repermit.inbound.kinds import Kind
from repermit.inbound.message import DELIVERY_REPORTS, Message
from repermit.inbound.wordings import is_legible, says


def read(message: Message) -> tuple[Kind, str] | None:
    """Return the kind of a bounce and its code: the enhanced status, else the three digits of the
    reply, else nothing. None when it is no bounce.

    A delivery report is read by its fields (RFC 3464); anything else by its words.
    """
    text = plain.text_of(message)
    if found := dsn.verdict(_reports(message, depth=0), plain.reason_in(text) or text):
        return found
    if message.report_type != "delivery-status" and not plain.is_bounce(message, text):
        return None
    told = _reports(message, depth=1) or dsn.reports(text)
    return dsn.verdict(told, text) or _by_words(message, text)


def _reports(message: Message, *, depth: int) -> list[dsn.Report]:
    """Return what the reports say that stand in a message, or in one that stands in it."""
    return [
        report
        for part in message.parts
        if part.depth == depth and part.content_type in DELIVERY_REPORTS
        for report in dsn.reports(part.text)
    ]


def _by_words(message: Message, text: str) -> tuple[Kind, str]:
    reason = plain.reason_in(text)
    kind, status = judge(reason or text)
    if kind is Kind.UNCLEAR and reason:
        kind, status = judge(text)
    if kind is not Kind.UNCLEAR:
        return kind, status
    for_now, for_good = plain.flufl_says(message, text)
    if for_now:
        return Kind.TEMPORARY, status
    is_alone = for_good and not status and not says(text) and is_legible(text)
    return (Kind.HARD if is_alone else Kind.UNCLEAR), status
