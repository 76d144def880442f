"""Finding people by a part of their address: addresses are sealed, so every row is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repermit.domain.address import Address
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Match:
    """Somebody whose address holds what was looked for."""

    id: int
    address: Address
    standing: str


def count(tx: Transaction) -> int:
    """Return how many rows a search opens."""
    return int(tx.value("SELECT count(*) FROM recipient"))


def search(
    tx: Transaction, parts: Sequence[str], *, after_id: int, slice_rows: int
) -> tuple[int, int, list[Match]]:
    """Look through the next recipients for addresses that hold every one of *parts*, which are
    case-folded; return the last id seen (0 at the end), how many rows were opened, and who.

    Raises: KeysUnusable, SealBroken.
    """
    rows = tx.rows(
        "SELECT id, generation, sealed, relationship, country, standing FROM recipient"
        " WHERE id > ? ORDER BY id LIMIT ?",
        *(after_id, slice_rows),
    )
    found = []
    for row in rows:
        address = open_person(tx, row).address
        if all(part in address.canonical for part in parts):
            found.append(Match(row[0], address, row[5]))
    return (rows[-1][0] if rows else 0), len(rows), found
