"""What one message that came in is, and whose mail it is about: nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from repermit.domain.envelope import SignedName


class Kind(StrEnum):
    """What a message is."""

    HARD = "hard"  # the address is dead: refused for good because of the address itself
    TEMPORARY = "temporary"  # put off, full, greylisted, given up: says nothing of the address
    ABOUT_US = "about_us"  # refused because of us: policy, blocklist, DMARC
    UNCLEAR = "unclear"  # a bounce that says nothing that we know
    DELIVERED = "delivered"  # it arrived, or was handed on to where nothing more is reported
    COMPLAINT = "complaint"  # the recipient, or who acts for them, called the mail spam
    UNSUBSCRIBE = "unsubscribe"  # a mail to the signed address that the mail offers
    NO = "no"  # a person wrote no, and nothing else
    YES = "yes"  # a person wrote yes; never an answer, see promise 6
    OTHER = "other"  # a person wrote something else
    AUTOMATIC = "automatic"  # out of office, a ticket number: nobody wrote it


BOUNCES = frozenset({Kind.HARD, Kind.TEMPORARY, Kind.ABOUT_US, Kind.UNCLEAR, Kind.DELIVERED})
REPLIES = frozenset({Kind.NO, Kind.YES, Kind.OTHER})


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


@dataclass(frozen=True)
class Unreadable:
    """A message that is not read, and why, in words without anything that stands in it."""

    why: str
