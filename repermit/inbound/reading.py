"""What one message that came in is, and whose mail it is about: nothing here writes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.token import Tokens
from repermit.inbound import arf, bounces, reply
from repermit.inbound.kinds import BOUNCES, REPLIES, Kind
from repermit.inbound.message import Message, Unreadable, parse
from repermit.inbound.whose import Whose, came_to, is_of_another, whose

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
    if kind in BOUNCES and _is_astray(found, message, names, tokens):
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

    Reports come first: nobody wrote them, whatever they quote and wherever they were sent.
    """
    if complaint := arf.read(message):
        return complaint, "", ""
    if bounce := bounces.read(message):
        return *bounce, ""
    if _unsubscribes(message, names):
        return Kind.UNSUBSCRIBE, "", ""
    written = reply.read(message)
    return (written[0], "", written[1]) if written else (Kind.AUTOMATIC, "", "")


def _is_astray(found: Whose, message: Message, names: SignedNames, tokens: Tokens) -> bool:
    """Return whether a report is not about the mail that it seems to be about: it returns another,
    or came to an address that no mail leaves from."""
    is_way_out = found.name is not None and found.name.of is Of.UNSUBSCRIBE
    return is_way_out or is_of_another(message, names, tokens)


def _unsubscribes(message: Message, names: SignedNames) -> bool:
    """Return whether a message came to where one unsubscribes; a programme that does so for a
    person may say that it is one."""
    return any(name is not None and name.of is Of.UNSUBSCRIBE for name in came_to(message, names))


def _mailbox(sender: str) -> str:
    """Return the address in a From; empty when it holds none."""
    *_, last = sender.rpartition("<")
    address = last.partition(">")[0].partition(" (")[0].strip()
    return address if _is_mailbox(address) else ""
