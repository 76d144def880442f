"""Settles in the ledger what a message says, once."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a message."""

    SETTLED = "settled"  # it moved somebody, or stopped the sending
    COUNTED = "counted"  # it says nothing that moves anybody, or they stand there already
    LISTED = "listed"  # a person must read it: `inbound review`
    REPEATED = "repeated"  # the same was handled before
    FORGED = "forged"  # it names a mail with a signature that is not ours
    NOT_OURS = "not_ours"  # it names no mail of this campaign
    LATER = "later"  # the mail is leaving at this moment: kept, and handled with the next look
