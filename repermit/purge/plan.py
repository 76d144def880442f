"""Who is due, and whether a purge would be right now; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from repermit.ledger.store.due import Terms


@dataclass(frozen=True)
class Refusal:
    """One reason against purging: a code for scripts, a text for people, and from when it goes."""

    code: str
    text: str
    until: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """What a purge would erase, by reason, and everything that stands against it."""

    by_reason: Mapping[str, int]
    refused: tuple[Refusal, ...] = ()
    resumes: bool = False  # an earlier purge was cut off; this one finishes it
    owed: int = 0  # would be due, but a mail is still owed to them
    held: int = 0  # would be due, but are kept for another reason
    warnings: tuple[str, ...] = ()  # what a person should think of before they go on
    readings: Mapping[str, Any] = field(default_factory=dict)  # what the guard saw, for the report

    @property
    def due(self) -> int:
        """Return how many recipients would be erased."""
        return sum(self.by_reason.values())


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
    unfinished_import: bool = False


def refusals(readings: Readings, *, at_most: int | None) -> tuple[Refusal, ...]:
    """Return every reason against purging now, not only the first."""
    found = []
    if readings.older_copy:
        found.append(
            Refusal("older_copy", "this ledger is an older copy: run `repermit doubt restored`")
        )
    if readings.other_purge:
        found.append(Refusal("running", "another purge is running"))
    if readings.unfinished_import:
        text = "an import is running, or was cut off: run it again, or take it back"
        found.append(Refusal("import", text))
    if readings.claimed:
        found.append(Refusal("leaving", f"{readings.claimed} mails are still leaving"))
    if readings.log_faults:
        text = (
            f"the log does not verify ({readings.log_faults} faults): see `repermit proof verify`"
        )
        found.append(Refusal("log", text))
    if readings.latest_entry > readings.now:
        found.append(
            Refusal("clock", "the clock is behind the log: set it right", readings.latest_entry)
        )
    if at_most is not None and readings.due > at_most:
        text = f"{readings.due} recipients are due, but at most {at_most} may go"
        found.append(Refusal("at_most", text))
    return tuple(found)


@dataclass(frozen=True)
class Order:
    """What a purge is told to do: who is meant, by whose word, and how many may go at the most."""

    terms: Terms
    by: str
    at_most: int | None
    accepted_outage: str = ""  # why a person goes on although nobody knows that people could answer
    is_scheduled: bool = False  # no person has looked at this one
    backup_to: Path | None = None  # a folder for one more copy of what remains


@dataclass
class Purged:
    """What a purge did."""

    number: int = 0
    due: int = 0
    by_reason: Mapping[str, int] = field(default_factory=dict)
    owed: int = 0  # would have been due, but a mail is still owed to them
    held: int = 0  # would have been due, but are kept for another reason
    purged: int = 0
    traces: int = 0  # of purged people, in what the scan could read; must be 0
    destroyed: int = 0  # the generation of vault keys that is no more
    backup: str = ""  # the name of the fresh backup's file
    report: Mapping[str, Any] = field(default_factory=dict)
