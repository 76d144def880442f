"""Who is due, and whether a purge would be right now; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from repermit.domain.clock import iso
from repermit.ledger.store.due import Terms
from repermit.ledger.superseded import Superseded
from repermit.purge.window import Seen


@dataclass(frozen=True)
class Refusal:
    """One reason against purging: a code for scripts, a text for people, and from when it goes."""

    code: str
    text: str
    until: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as scripts and the report read it."""
        return {"code": self.code, "text": self.text, "until": iso(self.until)}


@dataclass(frozen=True)
class Postponed:
    """Those with one date in their mails, who do not go yet: what is known of the time that they
    had to answer, and why it was not enough."""

    date: datetime
    seen: Seen
    why: tuple[Refusal, ...]

    @property
    def people(self) -> int:
        """Return how many they are."""
        return self.seen.window.people

    def to_json(self) -> dict[str, Any]:
        """Return it as scripts and the report read it; `until` is when they go."""
        return {
            "date": iso(self.date),
            **self.seen.to_json(),
            "until": iso(self.seen.goes),
            "why": [each.to_json() for each in self.why],
        }


@dataclass(frozen=True)
class Plan:
    """What a purge would erase, by which terms and reasons, and everything that stands against it.

    Whoever is postponed is not among them. Where everybody would be, nobody is: then the purge is
    refused.
    """

    by_reason: Mapping[str, int]
    terms: Terms
    refused: tuple[Refusal, ...] = ()
    resumes: bool = False  # an earlier purge was cut off; this one finishes it
    owed: int = 0  # would be due, but a mail is still owed to them
    held: int = 0  # would be due, but are kept for another reason
    postponed: tuple[Postponed, ...] = ()  # the earliest date first
    lapsing: int = 0  # codes of people who were asked so long ago that they may be asked again
    warnings: tuple[str, ...] = ()  # what a person should think of before they go on
    readings: Mapping[str, Any] = field(default_factory=dict)  # what the guard saw, for the report

    @property
    def due(self) -> int:
        """Return how many recipients would be erased."""
        return sum(self.by_reason.values())


@dataclass(frozen=True)
class Watch:
    """What the guard is told besides the ledger: how long the answer page may have been away, as a
    share of the time to answer and before its end; the fingerprints of the keys that read links;
    how far an outside clock is ahead of ours, where one is at hand; how long before a scheduled
    purge two people must have been told; in which zone dates are said; the controller's own
    addresses, which are nobody's trace; when the newest entry of the log was made before whoever
    asks wrote to it; folders besides the ledger's that commands write to; what else no purge
    reaches (`report`); and the name of this machine, among those that share the ledger."""

    outage_percent: float = 5.0
    last_hours: timedelta = timedelta(hours=24)
    token_keys: tuple[str, ...] = ()  # none: nobody has looked
    outside: timedelta | None = None
    notice: timedelta = timedelta(days=7)
    zone: tzinfo = UTC
    own: tuple[str, ...] = ()
    latest_entry: datetime | None = None  # none: they wrote nothing
    beside: tuple[Path, ...] = ()
    beyond: tuple[str, ...] = ()
    machine: str = ""


@dataclass(frozen=True)
class Readings:
    """What the guard looks at, all of one moment."""

    now: datetime
    due: int
    claimed: int  # mails between the intent and the relay's word
    log_faults: int
    latest_entry: datetime
    older_copy: bool
    other_purge: bool
    superseded: Superseded | None = None  # by the ledger after an earlier purge
    unfinished_import: bool = False
    resumes: bool = False  # it was judged when it began, whether its people could answer
    seen: tuple[Seen, ...] = ()  # of each date of those who are due
    postponed: tuple[Postponed, ...] = ()  # of each date of those who are not due because of that
    cut_off: int = 0  # are due, and the link in their mail works no more
    cut_short: int = 0  # the same, because it was revoked before their time was over
    against_all: tuple[Refusal, ...] = ()  # erasing everybody, because the contract has ended
    unlisted_places: int = 0
    unread: int = 0  # are due, and wrote something that nobody has read
    is_paused: bool = False
    told: tuple[datetime, ...] = ()  # when each who gets notices was told of a purge
    queued: int = 0  # people whose notice of it waits for `send`
    extended: datetime | None = None  # nobody falls due before, whatever their mail prints

    def newest(self, watch: Watch) -> datetime:
        """Return when the newest entry of the log was made that does not come from this purge."""
        return watch.latest_entry or self.latest_entry

    def to_json(self, watch: Watch) -> dict[str, Any]:
        """Return what the report says of it."""
        outside = None if watch.outside is None else round(watch.outside.total_seconds())
        return {
            "clock": {"now": iso(self.now), "outside_ahead_seconds": outside},
            "extended_until": iso(self.extended),
            "leaving": self.claimed,
            "links_cut_off": self.cut_off,
            "links_revoked": self.cut_short,
            "log": {"faults": self.log_faults, "latest_entry": iso(self.newest(watch))},
            "page": {
                "outage_percent": watch.outage_percent,
                "last_hours": watch.last_hours // timedelta(hours=1),
                "windows": [each.to_json() for each in self.seen],
            },
            "places_not_listed": self.unlisted_places,
            "postponed": [each.to_json() for each in self.postponed],
            "told": [iso(each) for each in self.told],
        }


@dataclass(frozen=True)
class Order:
    """What a purge is told to do: who is meant, by whose word, and how many may go at the most."""

    terms: Terms
    by: str
    at_most: int | None
    accepted_outage: str = ""  # why a person goes on although nobody knows that people could answer
    is_scheduled: bool = False  # no person has looked at this one
    backup_to: Path | None = None  # a folder for one more copy of what remains

    @property
    def accepts(self) -> bool:
        """Return whether a person goes on although people could perhaps not answer."""
        return bool(self.accepted_outage) and not self.is_scheduled


@dataclass
class Purged:
    """What a purge did."""

    number: int = 0
    due: int = 0
    by_reason: Mapping[str, int] = field(default_factory=dict)
    owed: int = 0  # would have been due, but a mail is still owed to them
    held: int = 0  # would have been due, but are kept for another reason
    purged: int = 0
    lapsed: int = 0  # codes of people who may be asked again
    traced: Mapping[str, int] = field(default_factory=dict)  # people who are gone, by file
    destroyed: int = 0  # the generation of vault keys that is no more
    backup: str = ""  # the name of the fresh backup's file
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def traces(self) -> int:
        """Return how many traces of purged people the scan found; it must be 0."""
        return sum(self.traced.values())
