"""What exports have carried out of the ledger, so that whoever received it can be told.

Source: GDPR art. 19, an erasure is told to each recipient of the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from repermit.domain.standing import Standing
from repermit.errors import FileRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Seen:
    """The ledger as an export has seen it: when, the size of its log, how many are gone from it."""

    at: datetime
    log_size: int
    gone: int


@dataclass(frozen=True)
class ToRemove:
    """One yes that an export has carried out and whose person is erased: its entry in the log is
    the `proof` of that export."""

    proof: int
    erased_at: datetime


def seen(tx: Transaction) -> Seen:
    """Return the ledger as an export that is made in this transaction sees it."""
    size, gone = tx.one("SELECT size, erased + purged FROM log_head, campaign")
    return Seen(tx.now, size, gone)


def note_export(
    tx: Transaction, sight: Seen, *, standing: Standing, rows: int, purpose: str | None
) -> None:
    """Note that an export of *sight* was made, never to which file.

    Raises: FileRefused when a yes that may stand in it was erased since.
    """
    if standing is Standing.OPTED_IN and seen(tx).gone != sight.gone:
        raise FileRefused(
            "somebody was erased while this was written; no file is left", hint="export again"
        )
    tx.run(
        "INSERT INTO export (at, standing, purpose, log_size) VALUES (?, ?, ?, ?)",
        *(to_micros(sight.at), str(standing), purpose, sight.log_size),
    )
    payload = {"standing": str(standing), "rows": rows, "purpose": purpose}
    tx.log.append(Kind.EXPORTED, payload, now=tx.now)


def note_gone(tx: Transaction, ids: Sequence[int]) -> None:
    """Do the same for many."""
    if tx.value("SELECT 1 FROM export WHERE standing = 'opted_in'"):
        said_yes = "SELECT DISTINCT recipient_id FROM answer WHERE recipient_id IN (SELECT value"
        for (recipient_id,) in tx.rows(f"{said_yes} FROM json_each(?))", json.dumps(list(ids))):
            note_erased(tx, recipient_id)


def note_erased(tx: Transaction, recipient_id: int) -> tuple[int, ...]:
    """Note what exports have carried out of somebody who is about to be erased, and return the
    entries of those yeses in the log; no address, and nothing that leads to one. Nothing when a
    later export has named them among those who must stop."""
    if _was_told(tx, recipient_id):
        return ()
    found = tuple(sorted(set(_carried_out(tx, recipient_id))))
    now = to_micros(tx.now)
    tx.many("INSERT INTO to_remove (proof, erased_at) VALUES (?, ?)", [(one, now) for one in found])
    return found


def _was_told(tx: Transaction, recipient_id: int) -> bool:
    """Return whether an export of those who must stop has named somebody after their last act."""
    last = tx.one(
        "SELECT \"index\", coalesce(answer.standing, 'opted_out') FROM log LEFT JOIN answer"
        ' ON answer.recipient_id = log.recipient_id AND leaf = "index" WHERE log.recipient_id = ?'
        " AND log.kind IN ('answered', 'opted_out') ORDER BY \"index\" DESC LIMIT 1",
        recipient_id,
    )
    if last is None or last[1] != "opted_out":
        return False
    sql = "SELECT 1 FROM export WHERE standing = 'opted_out' AND log_size > ?"
    return tx.value(sql, last[0]) is not None


def _carried_out(tx: Transaction, recipient_id: int) -> Iterator[int]:
    """Yield the yes that stood when each export was made, if it was of that purpose."""
    sql = "SELECT purpose, log_size FROM export WHERE standing = 'opted_in'"
    for purpose, log_size in tx.rows(sql):
        latest = tx.value(
            "SELECT answer.yes_leaf FROM log LEFT JOIN answer"
            ' ON answer.recipient_id = log.recipient_id AND leaf = "index"'
            ' WHERE log.recipient_id = ? AND "index" < ?'
            " AND log.kind IN ('answered', 'opted_out') ORDER BY \"index\" DESC LIMIT 1",
            *(recipient_id, log_size),
        )
        yes = tx.one(
            "SELECT leaf, purposes FROM answer WHERE recipient_id = ? AND leaf = ?",
            *(recipient_id, latest),
        )
        if yes is not None and (purpose is None or purpose in json.loads(yes[1])):
            yield yes[0]


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
