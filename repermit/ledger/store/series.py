"""What happened in the course of the campaign: for the report, and for whoever watches it.

Each figure is a count that the database makes. Rows that a purge takes away are counted where they
have left a count: in the log, in `provider_hour`, in the purge itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from repermit.domain.outcome import Outcome
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import probing, tally
from repermit.ledger.store.campaign import Figures, figures
from repermit.ledger.store.probing import Looked
from repermit.ledger.store.tally import Tally
from repermit.ledger.transaction import Transaction

_HOUR: Final = 3_600_000_000  # microseconds
_QUARTER: Final = 900_000_000  # the offset of every time zone is a multiple of it
_DATED: Final = "('claimed', 'asked', 'doubtful', 'undeliverable', 'opted_in', 'opted_out')"


# A no by mail, a complaint, a list of opt-outs: of who is there and may have had a mail, as in
# `domain.outcome`, and of who is gone.
_HAD_MAIL: Final = "(recipient.restored OR recipient.intent_at IS NOT NULL)"
_THERE: Final = (
    "kind = 'opted_out' AND EXISTS (SELECT 1 FROM recipient"
    f" WHERE recipient.id = log.recipient_id AND {_HAD_MAIL})"
)
_GONE: Final = (
    "kind = 'opted_out' AND NOT EXISTS (SELECT 1 FROM recipient"
    " WHERE recipient.id = log.recipient_id)"
)


class Presses(NamedTuple):
    """So many answers of one kind within a quarter of an hour: "yes", "no", or "gone" for those of
    people who are erased since, of which nothing more is known."""

    at: datetime  # when the quarter began
    kind: str
    many: int


@dataclass(frozen=True)
class Import:
    """One list that was taken in to its end, and what became of its rows."""

    number: int
    at: datetime
    read: int
    admitted: int
    duplicates: int
    rejected: int
    suppressed: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class Purged:
    """One purge: whom it took, by what had become of them, and what it says of people's time to
    answer; `report` is None while it is not finished."""

    number: int
    started_at: datetime
    finished_at: datetime | None
    due: int
    purged: int
    gone: Tally
    report: Mapping[str, Any] | None


@dataclass(frozen=True)
class Refused:
    """A scheduled purge that refused, as those were told whom the config names."""

    at: datetime
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """The course of the campaign so far, all of one moment."""

    figures: Figures
    begun_at: datetime
    first_mail_at: datetime | None  # the hour in which it left
    mails: int  # that left, or may have
    imports: tuple[Import, ...]
    on_file: Tally
    presses: tuple[Presses, ...]
    deadlines: Mapping[datetime, int]  # the dates in the mails of those who are there: people
    probes: tuple[Looked, ...]
    purges: tuple[Purged, ...]
    refusals: tuple[Refused, ...]

    @property
    def gone(self) -> Tally:
        """Return what had become of those whom purges took."""
        found = Tally()
        for purge in self.purges:
            found = found.plus(purge.gone)
        return found


def course(tx: Transaction) -> Course:
    """Return the course of the campaign so far."""
    hour = tx.value("SELECT min(hour) FROM provider_hour WHERE mails > 0")
    first, purges = None if hour is None else from_micros(hour * _HOUR), _purges(tx)
    stopped = sum(purge.gone.outcomes()[Outcome.STOPPED] for purge in purges)
    return Course(
        figures=figures(tx),
        begun_at=from_micros(tx.value("SELECT created_at FROM campaign")),
        first_mail_at=first,
        mails=mails(tx),
        imports=_imports(tx),
        on_file=tally.on_file(tx),
        presses=_presses(tx, first, stopped),
        deadlines=_deadlines(tx),
        probes=tuple(probing.looked(tx)),
        purges=purges,
        refusals=_refusals(tx),
    )


def mails(tx: Transaction) -> int:
    """Return how many mails of the campaign have left, or may have."""
    return int(tx.value("SELECT coalesce(sum(mails), 0) FROM stretch"))


def by_hour(tx: Transaction, *, hours: int) -> list[tuple[int, int]]:
    """Return how many answered yes and no in each of the last *hours*, the present one last."""
    first = to_micros(tx.now) // _HOUR - hours + 1
    found: dict[tuple[int, str], int] = Counter()
    for hour, answer, count in tx.rows(
        f"SELECT at / {_HOUR}, answer, count(*) FROM answer WHERE at >= ? AND NOT suspect"
        f" GROUP BY at / {_HOUR}, answer",
        first * _HOUR,
    ):
        found[int(hour), answer] = count
    return [(found[hour, "yes"], found[hour, "no"]) for hour in range(first, first + hours)]


def _imports(tx: Transaction) -> tuple[Import, ...]:
    rows = tx.rows(
        "SELECT id, completed_at, read, admitted, duplicates, rejected, suppressed, reasons"
        " FROM intake WHERE completed_at IS NOT NULL ORDER BY id"
    )
    return tuple(
        Import(number, from_micros(at), read, admitted, double, rejected, stopped, json.loads(why))
        for number, at, read, admitted, double, rejected, stopped, why in rows
    )


def _presses(tx: Transaction, first: datetime | None, stopped: int) -> tuple[Presses, ...]:
    """Return every answer of people who had a mail that counted, in order; whoever changed their
    mind answered twice. The *first* mail left in that hour; purges took so many who were *stopped*
    before theirs."""
    found: dict[tuple[datetime, str], int] = Counter()
    for quarter, answer, count in tx.rows(
        f"SELECT at / {_QUARTER}, answer, count(*) FROM answer WHERE NOT suspect"
        f" GROUP BY at / {_QUARTER}, answer"
    ):
        found[from_micros(int(quarter) * _QUARTER), str(answer)] += count
    for at, count in _logged(tx, "kind = 'answered' AND payload IS NULL"):  # their rows are gone
        found[at, "gone"] += count
    for at, count in (*_logged(tx, _THERE), *_noes_of_gone(tx, first, stopped)):
        found[at, "no"] += count
    return tuple(Presses(at, kind, count) for (at, kind), count in sorted(found.items()))


def _noes_of_gone(
    tx: Transaction, first: datetime | None, stopped: int
) -> Iterator[tuple[datetime, int]]:
    """Yield when those said no otherwise whom purges took, as far as they had a mail.

    No row says any more which of them had one. None had before the *first* mail left; and as many
    as were *stopped* before theirs had none: those who said no before the others.
    """
    for at, count in _logged(tx, _GONE):
        without = count if first is None or at < first else min(count, max(stopped, 0))
        stopped -= without
        if count > without:
            yield at, count - without


def _logged(tx: Transaction, where: str) -> list[tuple[datetime, int]]:
    """Return how many entries of the log there are for each quarter of an hour, in order."""
    rows = tx.rows(
        "SELECT substr(at, 1, 13) AS hour, CAST(substr(at, 15, 2) AS INTEGER) / 15 AS quarter,"
        f" count(*) FROM log WHERE {where} GROUP BY hour, quarter ORDER BY hour, quarter"
    )
    return [
        (
            datetime.fromisoformat(f"{hour}:00:00+00:00") + int(quarter) * timedelta(minutes=15),
            count,
        )
        for hour, quarter, count in rows
    ]


def _deadlines(tx: Transaction) -> dict[datetime, int]:
    rows = tx.rows(
        f"SELECT due_at, count(*) FROM recipient WHERE standing IN {_DATED}"
        " AND due_at IS NOT NULL GROUP BY due_at ORDER BY due_at"
    )
    return {from_micros(due): people for due, people in rows}


def _purges(tx: Transaction) -> tuple[Purged, ...]:
    rows = tx.rows(
        "SELECT id, started_at, finished_at, due, purged, facts, report FROM purge ORDER BY id"
    )
    return tuple(
        Purged(
            *(number, from_micros(started), from_micros(finished), due, purged),
            gone=Tally.from_json(json.loads(report or facts).get("gone")),
            report=json.loads(report) if report else None,
        )
        for number, started, finished, due, purged, facts, report in rows
    )


def _refusals(tx: Transaction) -> tuple[Refused, ...]:
    """Return them from the notices: one for each set of reasons, whoever was told."""
    found: dict[str, Refused] = {}
    for at, said in tx.rows(
        "SELECT created_at, said FROM outbox WHERE kind = 'notice' ORDER BY id"
    ):
        told = json.loads(said)
        if told["about"] == "refused":
            codes = tuple(told["once"].partition(": ")[2].split(","))
            found.setdefault(told["once"], Refused(from_micros(at), codes))
    return tuple(found.values())
