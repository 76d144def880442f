"""Who is never mailed: keyed hashes of addresses, above every policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repermit.domain.address import Address
from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind
from repermit.ledger.store.personal import lookups
from repermit.ledger.transaction import Transaction


def is_suppressed(tx: Transaction, canonical: str) -> bool:
    """Return whether the address is never to be mailed."""
    hashed = tx.vault.suppression(canonical)
    return tx.one("SELECT 1 FROM suppression WHERE hash = ?", hashed) is not None


@dataclass(frozen=True)
class Suppressed:
    """How many addresses are newly suppressed, how many recipients that moved, and how many of
    those had a mail on its way at that moment, which nobody can call back."""

    added: int
    moved: int
    leaving: int


def suppress(
    tx: Transaction, addresses: Sequence[Address], *, source: str, reason: str
) -> Suppressed:
    """Suppress *addresses*; recipients among them become opted out, whatever their standing."""
    hashes = [tx.vault.suppression(address.canonical) for address in addresses]
    added = suppress_hashes(tx, hashes, source=source, reason=reason)
    moved = [_opt_out(tx, address, source=source) for address in addresses]
    return Suppressed(
        added=added,
        moved=sum(before is not None for before in moved),
        leaving=moved.count(Standing.CLAIMED),
    )


def suppress_hashes(tx: Transaction, hashes: Sequence[bytes], *, source: str, reason: str) -> int:
    """Add keyed hashes to the suppression list and return how many were new."""
    added = [
        hashed
        for hashed in dict.fromkeys(hashes)
        if tx.run(
            "INSERT INTO suppression (hash, at, source, reason) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (hash) DO NOTHING",
            *(hashed, to_micros(tx.now), source, reason),
        )
    ]
    if added:
        payload = {"source": source, "reason": reason, "hashes": [one.hex() for one in added]}
        tx.log.append(Kind.SUPPRESSED, payload, now=tx.now)
    return len(added)


def _opt_out(tx: Transaction, address: Address, *, source: str) -> str | None:
    """Move the recipient with that address to opted_out; return where they stood, or None when
    there was nobody to move."""
    row = None
    for lookup in lookups(tx, address):
        row = row or tx.one(
            "SELECT id, leaf_key, standing FROM recipient"
            " WHERE lookup = ? AND standing <> 'opted_out'",
            lookup,
        )
    if row is None:
        return None
    tx.run(
        "UPDATE recipient SET standing = 'opted_out', suspect = 0, before = 'opted_out',"
        " purposes = NULL, purposes_before = NULL, lease_by = NULL, lease_until = NULL"
        " WHERE id = ?",
        row[0],
    )
    payload = {"recipient": row[0], "standing": str(Standing.OPTED_OUT), "source": source}
    tx.log.append(Kind.OPTED_OUT, payload, now=tx.now, recipient=(row[0], row[1]))
    return str(row[2])
