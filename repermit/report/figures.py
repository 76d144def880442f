"""The figures of a campaign at one moment, as its page shows them and `--json` tells them.

Every figure is of people unless its name says otherwise, and the parts of the funnel always add up
to those imported: those who are there, those whom a purge took, and those erased on their wish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from repermit.domain.deadline import last_day
from repermit.domain.outcome import ASKED, DELIVERED, Outcome
from repermit.ledger.store.series import Course, Purged
from repermit.ledger.store.tally import LEAST, Groups, asked_of

KINDS: Final = ("yes", "no", "gone")  # of answers
_FIRST_HOURS: Final = 48
_GROUP: Final = (Outcome.YES, Outcome.NO, Outcome.SILENT, Outcome.UNDELIVERABLE)


class State(StrEnum):
    """Where the campaign stands, in a word."""

    EMPTY = "empty"  # nobody is imported yet
    PREPARED = "prepared"  # nobody is asked yet
    ASKING = "asking"  # mails are to leave
    OPEN = "open"  # everybody has their mail, and somebody still has time to answer
    DUE = "due"  # somebody's time is over, and they are still there
    DONE = "done"  # whoever is left stays
    CLOSED = "closed"


@dataclass(frozen=True)
class Step:
    """One step of the funnel: those who are there, those whom a purge took, and both."""

    name: str
    on_file: int
    purged: int

    @property
    def people(self) -> int:
        """Return both together."""
        return self.on_file + self.purged


@dataclass(frozen=True)
class Answers:
    """How many answered within an hour or on a day."""

    at: datetime | date
    yes: int = 0
    no: int = 0
    gone: int = 0  # the answers of people who are erased since


@dataclass(frozen=True)
class Group:
    """People of one relationship or provider; shares are told from `LEAST` people on."""

    name: str
    asked: int
    yes: int
    no: int
    silent: int
    undeliverable: int
    unclear: int  # doubtful or suspect

    @property
    def has_shares(self) -> bool:
        """Return whether there are enough people for a share to say anything, and to hide them."""
        return self.asked >= LEAST


@dataclass(frozen=True)
class Outage:
    """Time in which a probe found, again and again, that nobody could answer."""

    since: datetime
    until: datetime
    vantage: str
    code: str


@dataclass(frozen=True)
class Report:
    """All figures of a campaign, at the moment `made`."""

    made: datetime
    state: State
    course: Course
    funnel: Mapping[str, Step]
    untold: int  # purged, and nothing more is known of them
    days: tuple[Answers, ...]  # one after the other, without a gap
    hours: tuple[Answers, ...]  # the first after the first mail
    deadlines: Mapping[date, int]  # the last days to answer: people who are there
    extended: date | None  # before which nobody's silence is a no
    providers: tuple[Group, ...]
    relationships: tuple[Group, ...]
    outages: tuple[Outage, ...]


def report(course: Course, *, now: datetime, zone: ZoneInfo) -> Report:
    """Return the figures of *course* at *now*, with days as they are in *zone*."""
    deadlines = Counter[date]()
    for due, people in course.deadlines.items():
        deadlines[last_day(due, zone=zone)] += people
    for purge in course.purges:
        deadlines.update(dict.fromkeys(_purged_days(purge, zone), 0))
    gone = course.gone
    both = course.on_file.plus(gone).folded()
    extended = course.figures.extended_until
    return Report(
        made=now,
        state=_state(course, now),
        course=course,
        funnel=_funnel(course),
        untold=course.figures.purged - sum(gone.outcomes().values()),
        days=tuple(_days(course, deadlines, zone)),
        hours=tuple(_hours(course, now)),
        deadlines=dict(sorted(deadlines.items())),
        extended=extended and last_day(extended, zone=zone),
        providers=tuple(_groups(both.providers)),
        relationships=tuple(_groups(both.relationships)),
        outages=tuple(
            Outage(each.since, each.until, str(each.vantage), each.code)
            for each in course.probes
            if each.code
        ),
    )


def _state(course: Course, now: datetime) -> State:
    figures, there = course.figures, course.on_file.outcomes()
    if figures.closed_at:
        return State.CLOSED
    if not figures.admitted:
        return State.EMPTY
    if not course.mails:
        return State.PREPARED
    if there[Outcome.WAITING] or there[Outcome.LEAVING]:
        return State.ASKING
    left = any(there[name] for name in ASKED if name is not Outcome.YES)
    if not left:
        return State.DONE
    return State.OPEN if figures.last_due and figures.last_due > now else State.DUE


def _funnel(course: Course) -> dict[str, Step]:
    """Return every step; the parts are in order of the path, the sums stand before their parts."""
    there, gone = course.on_file.outcomes(), course.gone.outcomes()

    def step(name: str, *outcomes: Outcome) -> Step:
        parts = outcomes or (Outcome(name),)
        return Step(name, sum(there[each] for each in parts), sum(gone[each] for each in parts))

    before = (Outcome.WITHHELD, Outcome.EXEMPT, Outcome.STOPPED, Outcome.WAITING, Outcome.LEAVING)
    steps = [
        *(step(name) for name in before),
        step("asked", *ASKED),
        *(step(name) for name in (Outcome.UNDELIVERABLE, Outcome.DOUBTFUL)),
        step("delivered", *DELIVERED),
        *(step(name) for name in DELIVERED),
    ]
    return {each.name: each for each in steps}


def _days(course: Course, deadlines: Iterable[date], zone: ZoneInfo) -> Iterable[Answers]:
    """Yield every day from the first mail to the last day to answer, also where that is to come;
    and as far as anybody answered before or after."""
    found: dict[date, Counter[str]] = {}
    for presses in course.presses:
        day = presses.at.astimezone(zone).date()
        found.setdefault(day, Counter())[presses.kind] += presses.many
    first = min([*found, *_day_of(course.first_mail_at, zone)], default=None)
    if first is None:
        return
    last = max([first, *found, *deadlines])
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield Answers(day, **found.get(day, Counter()))


def _day_of(moment: datetime | None, zone: ZoneInfo) -> list[date]:
    return [] if moment is None else [moment.astimezone(zone).date()]


def _hours(course: Course, now: datetime) -> Iterable[Answers]:
    first = course.first_mail_at
    if first is None:
        return
    found: dict[int, Counter[str]] = {}
    for presses in course.presses:
        hour = (presses.at - first) // timedelta(hours=1)
        found.setdefault(hour, Counter())[presses.kind] += presses.many
    for hour in range(_FIRST_HOURS):
        at = first + timedelta(hours=hour)
        if at > now:
            return
        yield Answers(at, **found.get(hour, Counter()))


def _purged_days(purge: Purged, zone: ZoneInfo) -> Iterable[date]:
    """Yield the last days to answer of those whom a purge took, as its guard looked at them."""
    page = (purge.report or {}).get("readings", {}).get("page", {})
    for window in page.get("windows", ()):
        yield last_day(datetime.fromisoformat(window["to"]), zone=zone)


def _groups(groups: Groups) -> Iterable[Group]:
    for name, counts in groups.items():
        if asked := asked_of(counts):
            told = {str(each): counts.get(str(each), 0) for each in _GROUP}
            yield Group(name, asked, **told, unclear=asked - sum(told.values()))


def postponed(found: Purged) -> int:
    """Return how many a purge has put off, because they may have been unable to answer."""
    readings = (found.report or {}).get("readings", {})
    return sum(each["people"] for each in readings.get("postponed", ()))
