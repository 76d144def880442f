"""What a message that came in can be."""

from __future__ import annotations

from enum import StrEnum


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
