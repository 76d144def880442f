"""Who is due, and whether a purge would be right now; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
    held: int = 0  # would be due, but a mail is still owed to them

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


@dataclass
class Purged:
    """What a purge did."""

    due: int = 0
    by_reason: Mapping[str, int] = field(default_factory=dict)
    held: int = 0  # would have been due, but a mail is still owed to them
    purged: int = 0
    traces: int = 0  # purged people that are still readable somewhere in the ledger; must be 0
    destroyed: int = 0  # the generation of vault keys that is no more
    backup: str = ""  # the name of the fresh backup's file
