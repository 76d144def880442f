"""What comes next for one person, and when; data only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from repermit.domain.deadline import last_day
from repermit.domain.policy import CURES
from repermit.domain.standing import Standing
from repermit.ledger.store.reading import OnFile
from repermit.report.life import Life

MAILS: Final[Mapping[str, str]] = {
    "acknowledgement": "the confirmation of their no",
    "data": "the mail with everything that is held about them",
}
_CURES: Final = {str(reason): cure for reason, cure in CURES.items()}
_FALLS_DUE: Final = frozenset(
    {Standing.ASKED, Standing.DOUBTFUL, Standing.OPTED_OUT, Standing.UNDELIVERABLE}
)


@dataclass(frozen=True)
class Step:
    """Something that comes next: a code, when (None: no date is known), and in words."""

    what: str
    at: datetime | None
    says: str


def next_steps(told: Life, *, now: datetime, zone: ZoneInfo) -> tuple[Step, ...]:
    """Return what comes next for a person, the soonest first."""
    return tuple(_next(told, now, zone))


def _next(told: Life, now: datetime, zone: ZoneInfo) -> Iterator[Step]:
    found = told.found
    if found is None:
        if told.never is not None:
            yield Step(
                "only_a_code",
                None,
                "nothing: only an unreadable code is kept, so that no import and no command asks"
                " or mails them again, until you destroy this ledger or keys/keep",
            )
        return
    for kind in told.owed:
        yield Step("mail_owed", None, f"{MAILS[kind]} leaves with the next `send` or `run`")
    if found.suspect:
        yield Step("asked_on_the_page", None, "their page asks again; the next lone press counts")
    yield from _by_standing(found, now, zone)
    if told.is_untold:
        yield Step(
            "told_elsewhere",
            None,
            "an export has carried their yes out, and none has said since that they must stop:"
            " `repermit export --opt-outs`",
        )


def _by_standing(found: OnFile, now: datetime, zone: ZoneInfo) -> Iterator[Step]:
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
    if found.standing in _FALLS_DUE and found.due_at is not None:
        yield from _deadline(found, found.due_at, now, zone)
    elif found.standing is Standing.OPTED_OUT:
        yield Step("none", None, "they are never mailed; the row stays until the campaign ends")


def _deadline(found: OnFile, due: datetime, now: datetime, zone: ZoneInfo) -> Iterator[Step]:
    last = last_day(due, zone=zone)
    if now < due:
        change = "they may still change their no" if _has_said_no(found) else "they may answer"
        yield Step("answer", due, f"{change}, to the end of {last:%Y-%m-%d}; no reminder leaves")
        yield Step("purge", due, "from then on the next `purge` erases them")
    else:
        yield Step("purge", due, f"due since the end of {last:%Y-%m-%d}: the next `purge` erases")
    yield Step(
        "code",
        None,
        "after that only an unreadable code stays, so that nobody asks them a second time",
    )


def _has_said_no(found: OnFile) -> bool:
    return found.standing is Standing.OPTED_OUT
