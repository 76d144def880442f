"""The lists that were taken in, as files: which of them are destroyed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from repermit.ledger.instants import from_micros
from repermit.ledger.log import Kind
from repermit.ledger.transaction import Transaction

_COUNTS = "completed_at IS NOT NULL AND undone_at IS NULL"


@dataclass(frozen=True)
class Import:
    """The import of one list: its number, when it was complete, how many rows were read."""

    id: int
    at: datetime
    rows: int
    sha256: str


def import_of(tx: Transaction, sha256: str) -> Import | None:
    """Return the latest import of the list with that hash that counts, or None."""
    row = tx.one(
        f"SELECT id, completed_at, read FROM intake WHERE sha256 = ? AND {_COUNTS}"
        " ORDER BY id DESC LIMIT 1",
        sha256,
    )
    return None if row is None else Import(row[0], from_micros(row[1]), row[2], sha256)


def note_destroyed(tx: Transaction, one: Import) -> None:
    """Put into the log that the file of that list is overwritten; once."""
    if one.sha256 not in _destroyed(tx):
        payload = {"import": one.id, "sha256": one.sha256}
        tx.log.append(Kind.DESTROYED, payload, now=tx.now)


def count_left(tx: Transaction) -> int:
    """Return of how many lists nobody has said that their file is destroyed."""
    there = {row[0] for row in tx.rows(f"SELECT sha256 FROM intake WHERE {_COUNTS}")}
    return len(there - _destroyed(tx))


def _destroyed(tx: Transaction) -> set[str]:
    rows = tx.rows("SELECT payload FROM log WHERE kind = 'destroyed'")
    return {json.loads(row[0])["sha256"] for row in rows}
