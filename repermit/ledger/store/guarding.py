"""What is on record for or against a purge, besides who is due and what probes found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.domain.due import Reason
from repermit.domain.standing import Way
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import due
from repermit.ledger.store.due import Terms
from repermit.ledger.store.probing import TOGETHER
from repermit.ledger.transaction import Transaction

_OVER_THE_PAGE = (str(Way.FORM), str(Way.ONE_CLICK))


@dataclass(frozen=True)
class Dated:
    """How many people are due who had the same date in their mail, and until when they had in the
    end, if everybody's was extended; nobody, where all of them are held or owed a mail."""

    printed: datetime
    until: datetime
    people: int


def dates(tx: Transaction, terms: Terms) -> list[Dated]:
    """Return the dates of those who are due because of one, the earliest first; those, too, whose
    people may all be due any moment, because a hold ends or a mail leaves."""
    found: Counter[int] = Counter()
    for reason in terms.by_date:
        sql = (
            f"SELECT due_at, count(*) FILTER (WHERE {due.FREE}) FROM recipient"
            f" WHERE {due.ended(reason)} AND due_at IS NOT NULL GROUP BY due_at"
        )
        found.update(dict(tx.connection.execute(sql, terms.values()).fetchall()))
    extended = tx.value("SELECT coalesce(extended_until, 0) FROM campaign")
    return [
        Dated(from_micros(printed), from_micros(max(printed, extended)), people)
        for printed, people in sorted(found.items())
    ]


def pressed(tx: Transaction, since: datetime) -> list[datetime]:
    """Return when people answered over the page, from *since* on, in order: of each length of
    `TOGETHER` the first and the last time, between which the others show nothing more."""
    rows = tx.rows(
        "SELECT min(at), max(at) FROM answer WHERE at >= ? AND way IN (?, ?) GROUP BY at / ?",
        *(to_micros(since), *_OVER_THE_PAGE, TOGETHER // timedelta(microseconds=1)),
    )
    return [from_micros(at) for at in sorted({at for row in rows for at in row})]


def unlisted_places(tx: Transaction, terms: Terms) -> int:
    """Return of how many places elsewhere nobody has been told since the last of those who are due
    fell due that they must be removed there, too."""
    known = int(tx.value("SELECT count(*) FROM place"))
    return known - len(listed_places(tx, terms)) if known else 0


def listed_places(tx: Transaction, terms: Terms) -> list[str]:
    """Return the names of the other places: a hand-over for them names all who are due."""
    newest = _newest(tx, terms)
    rows = tx.rows("SELECT name FROM place WHERE coalesce(handed_over_at, 0) >= ?", newest)
    return [name for (name,) in rows]


def told(tx: Transaction, reasons: Sequence[Reason]) -> list[datetime]:
    """Return when the relay took the first notice of a purge that named all of *reasons* to each
    who gets them, in order."""
    rows = tx.rows(
        "SELECT min(settled_at) FROM outbox WHERE kind = 'notice' AND standing = 'sent'"
        " AND json_extract(said, '$.about') = 'purge' AND NOT EXISTS (SELECT 1 FROM json_each(?)"
        " AS wanted WHERE NOT EXISTS (SELECT 1 FROM json_each(said, '$.reasons') AS named"
        " WHERE named.value = wanted.value))"
        " GROUP BY receiver ORDER BY 1",
        json.dumps(reasons),
    )
    return [from_micros(row[0]) for row in rows]


def queued(tx: Transaction) -> int:
    """Return how many people a notice of a purge waits for, or is on its way to."""
    return int(
        tx.value(
            "SELECT count(DISTINCT receiver) FROM outbox WHERE kind = 'notice'"
            " AND standing IN ('waiting', 'claimed') AND json_extract(said, '$.about') = 'purge'"
        )
    )


def is_paused(tx: Transaction) -> bool:
    """Return whether a person has paused the campaign."""
    return bool(tx.value("SELECT paused_at IS NOT NULL FROM campaign"))


def _newest(tx: Transaction, terms: Terms) -> int:
    """Return when the last of those who are due fell due, or said no after that; 0 when nobody
    is."""
    date = f"coalesce(max({due.FALLS_DUE}, coalesce(no_at, 0)), no_at + :window, 0)"
    newest = 0
    for reason in terms.by_date:
        sql = f"SELECT max({date}) FROM recipient WHERE {due.condition(reason)}"
        newest = max(newest, tx.connection.execute(sql, terms.values()).fetchone()[0] or 0)
    return newest
