"""What senders hold, and what becomes of it once they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.store import sending
from repermit.ledger.transaction import Transaction

_EVER = 2**63 - 1


def begun_until(tx: Transaction, lease: timedelta, grace: timedelta | None) -> int:
    """Return the end, as the ledger keeps it, of a *lease* that was begun *grace* ago; without a
    grace that of any."""
    return _EVER if grace is None else to_micros(tx.moment + lease - grace)


def claim_owners(tx: Transaction) -> list[str]:
    """Return the senders that hold claimed rows."""
    return [
        row[0]
        for row in tx.rows("SELECT DISTINCT claimed_by FROM recipient WHERE standing = 'claimed'")
    ]


def doubt_claims(
    tx: Transaction, dead_owners: Sequence[str], *, grace: timedelta | None = None
) -> int:
    """Make doubtful what was claimed by senders that are gone, at least *grace* ago, or whose lease
    has run out.

    Returns how many rows; they are never sent again by themselves.
    """
    begun = begun_until(tx, sending.LEASE, grace)
    moved = [
        row[0]
        for owner in dead_owners
        for row in tx.rows(
            "UPDATE recipient SET standing = 'doubtful', lease_by = NULL, lease_until = NULL"
            " WHERE standing = 'claimed' AND claimed_by = ? AND lease_until <= ? RETURNING id",
            *(owner, begun),
        )
    ]
    moved += [
        row[0]
        for row in tx.rows(
            "UPDATE recipient SET standing = 'doubtful', lease_by = NULL, lease_until = NULL"
            " WHERE standing = 'claimed' AND lease_until < ? RETURNING id",
            to_micros(tx.moment),
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
