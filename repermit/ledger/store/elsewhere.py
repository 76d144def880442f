"""What exports have carried out of the ledger, so that whoever received it can be told.

Source: GDPR art. 19, an erasure is told to each recipient of the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from repermit.domain.standing import Standing
from repermit.errors import FileRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Seen:
    """The ledger as an export has seen it: when, the size of its log, how many were erased."""

    at: datetime
    log_size: int
    erased: int


@dataclass(frozen=True)
class ToRemove:
    """One yes that an export has carried out and whose person is erased: its entry in the log is
    the `proof` of that export."""

    proof: int
    erased_at: datetime


def seen(tx: Transaction) -> Seen:
    """Return the ledger as an export that is made in this transaction sees it."""
    size, erased = tx.one("SELECT size, erased FROM log_head, campaign")
    return Seen(tx.now, size, erased)


def note_export(
    tx: Transaction, sight: Seen, *, standing: Standing, rows: int, purpose: str | None
) -> None:
    """Note that an export of *sight* was made, never to which file.

    Raises: FileRefused when a yes that may stand in it was erased since.
    """
    if standing is Standing.OPTED_IN and seen(tx).erased != sight.erased:
        raise FileRefused(
            "somebody was erased while this was written; no file is left", hint="export again"
        )
    tx.run(
        "INSERT INTO export (at, standing, purpose, log_size) VALUES (?, ?, ?, ?)",
        *(to_micros(sight.at), str(standing), purpose, sight.log_size),
    )
    payload = {"standing": str(standing), "rows": rows, "purpose": purpose}
    tx.log.append(Kind.EXPORTED, payload, now=tx.now)


def note_erased(tx: Transaction, recipient_id: int) -> tuple[int, ...]:
    """Note what exports have carried out of somebody who is about to be erased, and return the
    entries of those yeses in the log; no address, and nothing that leads to one."""
    found = tuple(sorted(set(_carried_out(tx, recipient_id))))
    now = to_micros(tx.now)
    tx.many("INSERT INTO to_remove (proof, erased_at) VALUES (?, ?)", [(one, now) for one in found])
    return found


def _carried_out(tx: Transaction, recipient_id: int) -> Iterator[int]:
    """Yield the yes that stood when each export was made, if it was of that purpose."""
    sql = "SELECT purpose, log_size FROM export WHERE standing = 'opted_in'"
    for purpose, log_size in tx.rows(sql):
        latest = tx.one(
            'SELECT "index", answer.standing, purposes, suspect FROM log'
            ' LEFT JOIN answer ON leaf = "index" WHERE log.recipient_id = ? AND "index" < ?'
            " AND log.kind IN ('answered', 'opted_out') ORDER BY \"index\" DESC LIMIT 1",
            *(recipient_id, log_size),
        )
        if latest is None or latest[1] != "opted_in":
            continue
        restored = latest[3]  # a void press left the yes for what it was for before
        if restored or purpose is None or purpose in json.loads(latest[2]):
            yield latest[0]


def to_remove(tx: Transaction) -> list[ToRemove]:
    """Return every yes of somebody erased that an export had carried out, the oldest first."""
    rows = tx.rows("SELECT proof, erased_at FROM to_remove ORDER BY erased_at, proof")
    return [ToRemove(proof, from_micros(at)) for proof, at in rows]


def untold(tx: Transaction) -> int:
    """Return how many of them no export of those who must stop has named yet."""
    return int(
        tx.value(
            "SELECT count(*) FROM to_remove WHERE erased_at >="
            " (SELECT coalesce(max(at), 0) FROM export WHERE standing = 'opted_out')"
        )
    )
