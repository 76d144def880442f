"""Where a recipient stands, and what a press on the answer page makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Standing(StrEnum):
    """Where a recipient stands; every recipient has exactly one."""

    LISTED = "listed"  # admitted and screened "ask"; no mail has left
    WITHHELD = "withheld"  # the policy forbids asking; the row says why and what would cure it
    EXEMPT = "exempt"  # needs no question; never purged for silence
    CLAIMED = "claimed"  # an intent is durable; the mail may or may not be out
    DEFERRED = "deferred"  # the relay said "later" before taking the mail
    DOUBTFUL = "doubtful"  # the sender was lost between the intent and the relay's word
    ASKED = "asked"  # the relay took the mail
    UNDELIVERABLE = "undeliverable"  # refused for good, or bounced hard
    OPTED_IN = "opted_in"  # a yes with proof
    OPTED_OUT = "opted_out"  # a no, an unsubscribe or a complaint; suppressed


class Answer(StrEnum):
    """What a recipient pressed."""

    YES = "yes"
    NO = "no"


class Way(StrEnum):
    """How an answer came in."""

    FORM = "form"  # a button on the answer page
    ONE_CLICK = "one_click"  # the mail program's own unsubscribe button (RFC 8058)


MAY_ANSWER = frozenset(
    {
        Standing.CLAIMED,
        Standing.DOUBTFUL,
        Standing.ASKED,
        Standing.UNDELIVERABLE,
        Standing.OPTED_IN,
        Standing.OPTED_OUT,
    }
)
CONTRARY_WINDOW = timedelta(seconds=10)


@dataclass(frozen=True)
class Presses:
    """A recipient's standing with what their earlier presses left behind.

    `before` is the standing before the present burst of presses, a burst being presses that
    follow each other within `CONTRARY_WINDOW`; None while nobody has pressed.
    """

    standing: Standing
    before: Standing | None = None
    yes_at: datetime | None = None
    no_at: datetime | None = None
    suspect: bool = False
    may_have_mail: bool = False  # an intent was written once, wherever the row stands now


def may_answer(row: Presses) -> bool:
    """Return whether the recipient had, or may have had, a mail, so that their press can count."""
    return row.standing in MAY_ANSWER or row.may_have_mail


def after_press(row: Presses, answer: Answer, *, way: Way, now: datetime) -> Presses:
    """Return what *row* becomes once the recipient's own press has come in.

    A row that never had a mail stays as it is. A yes within 10 seconds of a no or of another void
    yes, or a no within 10 seconds of a yes that counted, is contrary: all are void, the standing
    before them comes back, and the row is suspect until a press counts. A no by RFC 8058 always
    wins.

    Source: GDPR art. 4(11) (unambiguous) and 7(3) (withdrawing as easy as giving).
    """
    if not may_answer(row):
        return row
    if way is Way.ONE_CLICK:
        out = Standing.OPTED_OUT
        return replace(row, standing=out, before=out, no_at=now, suspect=False)
    before = row.before if in_burst(row, now) else row.standing
    pressed = replace(
        row,
        before=before,
        yes_at=now if answer is Answer.YES else row.yes_at,
        no_at=now if answer is Answer.NO else row.no_at,
    )
    if _is_contrary(row, answer, now):
        return replace(pressed, standing=before or row.standing, suspect=True)
    standing = Standing.OPTED_IN if answer is Answer.YES else Standing.OPTED_OUT
    return replace(pressed, standing=standing, suspect=False)


def in_burst(row: Presses, now: datetime) -> bool:
    """Return whether a press now belongs to the burst of those before it."""
    return _is_recent(row.yes_at, now) or _is_recent(row.no_at, now)


def _is_contrary(row: Presses, answer: Answer, now: datetime) -> bool:
    if answer is Answer.YES:
        return _is_recent(row.no_at, now) or (row.suspect and in_burst(row, now))
    return row.standing is Standing.OPTED_IN and _is_recent(row.yes_at, now)


def _is_recent(moment: datetime | None, now: datetime) -> bool:
    """Return whether two presses are close together; they may be filed in another order."""
    return moment is not None and abs(now - moment) <= CONTRARY_WINDOW
