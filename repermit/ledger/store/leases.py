"""What senders hold, and what becomes of it once they are gone."""

from __future__ import annotations

from collections.abc import Sequence

from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.store import sending
from repermit.ledger.transaction import Transaction


def claim_owners(tx: Transaction) -> list[str]:
    """Return the senders that hold claimed rows."""
    return [
        row[0]
        for row in tx.rows("SELECT DISTINCT claimed_by FROM recipient WHERE standing = 'claimed'")
    ]


def doubt_claims(tx: Transaction, dead_owners: Sequence[str]) -> int:
    """Make doubtful what was claimed by senders that are gone, or whose lease has run out.

    Returns how many rows; they are never sent again by themselves.
    """
    moved = [
        row[0]
        for owner in dead_owners
        for row in tx.rows(
            "UPDATE recipient SET standing = 'doubtful', lease_by = NULL, lease_until = NULL"
            " WHERE standing = 'claimed' AND claimed_by = ? RETURNING id",
            owner,
        )
    ]
    moved += [
        row[0]
        for row in tx.rows(
            "UPDATE recipient SET standing = 'doubtful', lease_by = NULL, lease_until = NULL"
            " WHERE standing = 'claimed' AND lease_until < ? RETURNING id",
            to_micros(tx.now),
        )
    ]
    tx.log.moved(moved, Standing.DOUBTFUL)
    return len(moved)


def free_leases(tx: Transaction, dead_owners: Sequence[str]) -> None:
    """Give back at once what senders that are gone had reserved and not claimed."""
    for owner in dead_owners:
        sending.release(tx, owner)


def lease_owners(tx: Transaction) -> list[str]:
    """Return the senders that hold reserved rows."""
    return [
        row[0]
        for row in tx.rows(
            "SELECT DISTINCT lease_by FROM recipient"
            " WHERE standing IN ('listed', 'deferred') AND lease_by IS NOT NULL"
        )
    ]
