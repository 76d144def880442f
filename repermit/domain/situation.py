"""Where a campaign stands, as far as it decides what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Approval(StrEnum):
    """Whether what would leave is what was approved."""

    NONE = "none"
    VOID = "void"
    GIVEN = "given"


@dataclass(frozen=True)
class Situation:
    """One campaign at one moment; what is not known yet is as it was on the first evening."""

    now: datetime
    has_config: bool = True
    unfinished_config: str = ""  # what in it is not the operator's own yet, and what to do
    # the list
    admitted: int = 0
    is_importing: bool = False  # an import runs, or was cut off
    knows_opt_outs: bool = False  # it was said who opted out before
    listed: int = 0
    deferred: int = 0
    withheld: int = 0
    has_asked: bool = False  # a mail has left, be it to somebody who is erased
    # the approval
    is_tried: bool = False  # a mail was sent to see whether bounces come back, or none need be
    is_previewed: bool = False
    approval: Approval = Approval.NONE
    why_void: str = ""
    # the sending
    is_paused: bool = False
    why_stopped: str = ""
    look_at: str = ""  # what to look at before it goes on
    is_page_up: bool = False  # the answer page was seen to work just now
    why_page: str = ""  # why it did not, where the newest look at it failed
    is_sending: bool = False  # a sender lives
    in_hand: int = 0  # mails between the intent and the relay's word
    next_mail: datetime | None = None  # None: now
    why_later: str = ""  # what that mail waits for
    # what comes back
    doubtful: int = 0  # also of what is owed
    owed: int = 0
    replies: int = 0
    has_inbound: bool = False  # something says where bounces and replies come in
    is_unread: bool = False  # what came back was not read for a while
    bad_trial: str = ""  # what to do, where the mail that tried whether bounces come back failed
    # the end
    open: int = 0  # people who can still answer in time
    first_due: datetime | None = None
    due: int = 0
    must_hand_over: bool = False  # those who are due, for a place elsewhere, before they go
    is_purge_cut_off: bool = False
    yes: int = 0
    is_exported: bool = False
    why_hand_over: str = ""  # why there is no hand-over of how things are now
    undone_place: str = ""  # the first place elsewhere that is not cleaned
    is_closed: bool = False
    may_certify: bool = False  # the contract has ended, and everybody is erased

    @property
    def to_ask(self) -> int:
        """Return how many wait for their mail."""
        return self.listed + self.deferred
