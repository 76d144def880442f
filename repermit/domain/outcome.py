"""What became of a recipient, as a report tells it: finer than a standing, and never more than one
for each, so that the counts add up."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from repermit.domain.standing import Standing


class Outcome(StrEnum):
    """What became of a recipient so far."""

    WITHHELD = "withheld"  # may not be asked
    EXEMPT = "exempt"  # needs no question
    STOPPED = "stopped"  # said no, or was suppressed, before any mail had left
    WAITING = "waiting"  # may be asked; no mail has left, or the relay said "later"
    LEAVING = "leaving"  # the mail is on its way to the relay at this moment
    DOUBTFUL = "doubtful"  # nobody knows whether the mail arrived
    UNDELIVERABLE = "undeliverable"
    YES = "yes"
    NO = "no"
    SUSPECT = "suspect"  # a yes and a no at once, and nothing since: neither counts
    SILENT = "silent"  # has the mail, and has said nothing


DELIVERED: Final = (Outcome.YES, Outcome.NO, Outcome.SUSPECT, Outcome.SILENT)
ASKED: Final = (*DELIVERED, Outcome.UNDELIVERABLE, Outcome.DOUBTFUL)
_OF: Final = {
    Standing.WITHHELD: Outcome.WITHHELD,
    Standing.EXEMPT: Outcome.EXEMPT,
    Standing.LISTED: Outcome.WAITING,
    Standing.DEFERRED: Outcome.WAITING,
    Standing.CLAIMED: Outcome.LEAVING,
    Standing.DOUBTFUL: Outcome.DOUBTFUL,
    Standing.UNDELIVERABLE: Outcome.UNDELIVERABLE,
    Standing.ASKED: Outcome.SILENT,
    Standing.OPTED_IN: Outcome.YES,
    Standing.OPTED_OUT: Outcome.NO,
}


def outcome(standing: Standing, *, suspect: bool, may_have_mail: bool) -> Outcome:
    """Return what became of a recipient at *standing*, with what their presses and mail left.

    Whoever pressed has the mail, whatever came back: their contrary presses tell more than that.
    """
    found = _OF[standing]
    if found is Outcome.NO and not may_have_mail:
        return Outcome.STOPPED
    if suspect and found in (Outcome.SILENT, Outcome.DOUBTFUL, Outcome.UNDELIVERABLE):
        return Outcome.SUSPECT
    return found
