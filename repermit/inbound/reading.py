"""What one message that came in is, and whose mail it is about: nothing here writes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from repermit.domain.envelope import SignedName, SignedNames
from repermit.domain.token import Tokens
from repermit.inbound.kinds import BOUNCES, REPLIES, Kind
from repermit.inbound.message import Message, Unreadable, parse
from repermit.inbound.whose import whose

__all__ = ["BOUNCES", "REPLIES", "Kind", "Reading", "Unreadable", "read"]


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
    kind, status = _bounce(message) or (Kind.OTHER, "")
    return Reading(kind, found.name, found.is_forged, status)


def _bounce(message: Message) -> tuple[Kind, str] | None:
    for part in message.parts:
        if part.content_type == "message/delivery-status" and part.depth == 0:
            status = re.search(r"^Status: *([245]\.\d{1,3}\.\d{1,3})", part.text, re.MULTILINE)
            if status:
                return Kind.HARD if status[1].startswith("5.1.") else Kind.UNCLEAR, status[1]
    return None
