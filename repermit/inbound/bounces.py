"""Whether a message is a bounce, and which kind."""

from __future__ import annotations

from repermit.inbound import dsn, plain
from repermit.inbound.codes import judge
from repermit.inbound.message import Message
from repermit.inbound.kinds import Kind
from repermit.inbound.wordings import says


def read(message: Message) -> tuple[Kind, str] | None:
    """Return the kind of a bounce and its code: the enhanced status, else the three digits of the
    reply, else nothing. None when it is no bounce.

    A delivery report is read by its fields (RFC 3464); anything else by its words.
    """
    text = plain.text_of(message)
    told = _reports(message)
    is_report = message.report_type == "delivery-status"
    if found := dsn.verdict(told, plain.reason_in(text) or text):
        return found
    if not is_report and not plain.is_bounce(message, text):
        return None
    return dsn.verdict(dsn.reports(text), text) or _by_words(message, text)


def _reports(message: Message) -> list[dsn.Report]:
    """Return what the parts of a report say; those of a report that stands in this one only when
    this one calls itself a report."""
    parts = [part for part in message.parts if part.content_type in dsn.CONTENT_TYPES]
    deepest = 1 if message.report_type == "delivery-status" else 0
    depth = min((part.depth for part in parts), default=0)
    if depth > deepest:
        return []
    return [report for part in parts if part.depth == depth for report in dsn.reports(part.text)]


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
    return (Kind.HARD if for_good and not says(text) else Kind.UNCLEAR), status
