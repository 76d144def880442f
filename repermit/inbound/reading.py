"""What one message that came in is, and whose mail it is about: nothing here writes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.token import Tokens
from repermit.inbound import arf, bounces, reply
from repermit.inbound.kinds import BOUNCES, REPLIES, Kind
from repermit.inbound.message import Message, Unreadable, parse
from repermit.inbound.whose import RETURNED, came_to, whose

__all__ = ["BOUNCES", "REPLIES", "Kind", "Reading", "Unreadable", "read"]

MOST_SUBJECT = 300  # characters
MOST_WRITTEN = 20_000
_is_mailbox = re.compile(r"[^\s<>@]{1,128}@[^\s<>@]{1,255}").fullmatch


@dataclass(frozen=True)
class Reading:
    """What a message is. `whose` is the name that we signed; None when there is none, or several
    that contradict each other. `forged`: something in it looks like such a name and is not.

    `status` is the enhanced status code, else the three digits of the reply, else empty, never any
    text (RFC 3463). What a person wrote, without what they quote, is in `text`; `sender` is the
    mailbox it says it came from.
    """

    kind: Kind
    whose: SignedName | None = None
    forged: bool = False
    status: str = ""
    sender: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)


def read(
    content: bytes, names: SignedNames, tokens: Tokens, *, is_cut: bool = False
) -> Reading | Unreadable:
    """Return what a message is and whose mail it is about; why not, when it is not read.

    *is_cut*: *content* is only the begin of the message.
    """
    message = parse(content, is_cut=is_cut)
    if isinstance(message, Unreadable):
        return message
    found = whose(message, names, tokens)
    kind, status, text = _what(message, names)
    if kind in BOUNCES and found.name is not None and found.name.of is Of.UNSUBSCRIBE:
        # no mail leaves from there: somebody else wrote it as their sender
        return Reading(kind, None, found.is_forged, status)
    if kind not in REPLIES:
        return Reading(kind, found.name, found.is_forged, status)
    return Reading(
        kind,
        found.name,
        found.is_forged,
        sender=_mailbox(message.header("from")),
        subject=message.header("subject")[:MOST_SUBJECT],
        text=text[:MOST_WRITTEN],
    )


def _what(message: Message, names: SignedNames) -> tuple[Kind, str, str]:
    """Return the kind, the status and what a person wrote.

    What comes to where one unsubscribes does so, whatever its words could be taken for, but for
    what reports about a mail: nobody wrote that.
    """
    if complaint := arf.read(message):
        return complaint, "", ""
    if _unsubscribes(message, names) and not _is_report(message):
        return Kind.UNSUBSCRIBE, "", ""
    if bounce := bounces.read(message):
        kind, status = bounce
        return (Kind.UNCLEAR if kind is Kind.HARD and _breaks_off(message) else kind), status, ""
    kind, text = reply.read(message)
    return (Kind.OTHER if kind is Kind.NO and _breaks_off(message) else kind), "", text


def _is_report(message: Message) -> bool:
    """Return whether a message is one that none may answer (RFC 5321 section 4.5.5)."""
    return bool(message.report_type) or "<>" in message.headers.get("return-path", ())


def _breaks_off(message: Message) -> bool:
    """Return whether what a message says may go on where it is cut off: what it returns may not
    be whole, but begins after that."""
    said = [part for part in message.parts if part.depth == 0]
    return message.is_cut and not (said and said[-1].content_type in RETURNED)


def _unsubscribes(message: Message, names: SignedNames) -> bool:
    """Return whether a message came to where one unsubscribes; a programme that does so for a
    person may say that it is one."""
    return any(name is not None and name.of is Of.UNSUBSCRIBE for name in came_to(message, names))


def _mailbox(sender: str) -> str:
    """Return the address in a From; empty when it holds none."""
    *_, last = sender.rpartition("<")
    address = last.partition(">")[0].partition(" (")[0].strip()
    return address if _is_mailbox(address) else ""
