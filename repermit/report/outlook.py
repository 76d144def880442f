"""What comes next for one person, and when; data only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

from repermit.domain.deadline import last_day
from repermit.domain.due import Reason
from repermit.domain.policy import CURES
from repermit.domain.standing import Standing
from repermit.ledger.store.due import Due
from repermit.ledger.store.holding import OnHold
from repermit.ledger.store.reading import OnFile, SuppressedOnFile
from repermit.report.life import Life

MAILS: Final[Mapping[str, str]] = {
    "acknowledgement": "the confirmation of their no",
    "data": "the mail with everything that is held about them",
}
_CURES: Final = {str(reason): cure for reason, cure in CURES.items()}


@dataclass(frozen=True)
class Step:
    """Something that comes next: a code, when (None: no date is known), and in words."""

    what: str
    at: datetime | None
    says: str


@dataclass(frozen=True)
class At:
    """The moment at which it is told, in which zone; `ask_again` is how long it is known of
    whoever stayed silent that they were asked."""

    now: datetime
    zone: ZoneInfo
    ask_again: timedelta

    def last_day(self, until: datetime) -> str:
        """Return the last day before *until*."""
        return f"{last_day(until, zone=self.zone):%Y-%m-%d}"

    def code_until(self, never: SuppressedOnFile) -> datetime | None:
        """Return up to when a code is kept; None: for as long as the keys are."""
        return never.since + self.ask_again if never.source == "asked" else None


def next_steps(told: Life, at: At) -> tuple[Step, ...]:
    """Return what comes next for a person; what has a date in the order of the dates."""
    steps = tuple(_next(told, at))
    dated = iter(sorted((each for each in steps if each.at), key=attrgetter("at")))
    return tuple(next(dated) if each.at else each for each in steps)


def _next(told: Life, at: At) -> Iterator[Step]:
    found = told.found
    if found is None:
        if told.never is not None:
            yield _only_a_code(told.never, at)
        return
    for kind in told.owed:
        yield Step("mail_owed", None, f"{MAILS[kind]} leaves with the next `send` or `run`")
    if found.suspect:
        yield Step("asked_on_the_page", None, "their page asks again; the next lone press counts")
    if told.hold is not None:
        yield _held(told.hold, at)
    yield from _by_standing(told, found, at)
    if told.is_untold:
        yield Step(
            "told_elsewhere",
            None,
            "an export has carried their yes out, and none has said since that they must stop:"
            " `repermit export --opt-outs`",
        )


def _only_a_code(never: SuppressedOnFile, at: At) -> Step:
    until = at.code_until(never)
    if until is None:
        return Step(
            "only_a_code",
            None,
            "nothing: only an unreadable code is kept, so that no import and no command asks"
            " or mails them again, until you destroy this ledger or keys/keep",
        )
    return Step(
        "only_a_code",
        until,
        "up to then only an unreadable code is kept, so that no import and no command asks them"
        " again; the next `purge` after that deletes it, too",
    )


def _held(hold: OnHold, at: At) -> Step:
    last = at.last_day(hold.until)
    if not hold.counts(at.now):
        return Step("hold_ended", None, f"the hold on them ended with {last}, and counts no more")
    return Step(
        "hold",
        hold.until,
        f"held to the end of {last} because of a {hold.kind} ({hold.reason}): no purge and no wish"
        " of theirs erases them before; `repermit person --release` ends it",
    )


def _by_standing(told: Life, found: OnFile, at: At) -> Iterator[Step]:
    match found.standing:
        case Standing.LISTED | Standing.DEFERRED:
            yield Step("mail", None, "their one mail leaves with `send`, if the approval stands")
        case Standing.CLAIMED:
            yield Step("mail", None, "their mail is leaving now")
        case Standing.WITHHELD:
            cure = _CURES.get(found.reason, "")
            yield Step("none", None, "no mail ever leaves" + (f", unless: {cure}" if cure else ""))
        case Standing.EXEMPT:
            yield Step("none", None, "they are not asked, and never erased for their silence")
        case Standing.OPTED_IN:
            yield Step("withdrawal", None, "they may withdraw at any time, from their link")
            yield Step("kept", None, "row and proof are kept for as long as the yes stands")
        case Standing.DOUBTFUL:
            yield Step("decision", None, "a person decides whether it left: `repermit doubt list`")
    if told.due is not None:
        yield from _deadline(found, told.due, at)


def _deadline(found: OnFile, due: Due, at: At) -> Iterator[Step]:
    no = found.standing is Standing.OPTED_OUT
    until = found.falls_due
    if until is not None and at.now < until:
        change = "they may still change their no" if no else "they may answer"
        last = at.last_day(until)
        yield Step("answer", until, f"{change}, to the end of {last}; no reminder leaves")
    if due.reason is Reason.WITHDRAWN and at.now < due.at:
        last = at.last_day(due.at)
        yield Step("proof", due.at, f"the proof of the yes they took back is kept to {last}")
    if at.now < due.at:
        yield Step("purge", due.at, "from then on the next `purge` erases them")
    else:
        since = at.last_day(due.at)
        yield Step("purge", due.at, f"due since the end of {since}: the next `purge` erases")
    long = "" if no else f" for at least {at.ask_again.days:,} days"
    yield Step(
        "code",
        None,
        f"after that only an unreadable code stays{long}, so that nobody asks them a second time",
    )
