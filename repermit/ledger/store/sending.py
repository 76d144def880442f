"""Reserve, intend, settle: what makes it one mail each, whatever crashes.

A sender reserves rows by a lease; the standing stays. Just before it talks to the relay about a
row it writes the intent, guarded by the lease; the row is then `claimed`. What the relay said
settles the row, guarded by `claimed`, so that an answer that came first wins. A claimed row whose
sender is gone becomes `doubtful` and is never sent again by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.domain.standing import Standing
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store.personal import Person, open_person
from repermit.ledger.transaction import Transaction

LEASE = timedelta(minutes=15)  # longer than the relay may take over DATA (RFC 5321 4.5.3.2.6)


@dataclass(frozen=True)
class Reserved:
    """One recipient that a sender holds by a lease."""

    id: int
    person: Person
    language: str | None
    attempts: int
    first_try_at: datetime | None


@dataclass(frozen=True)
class Settlement:
    """Where the relay's word leaves a claimed row; `reply` holds its codes, never its text."""

    standing: Standing
    reply: str
    try_at: datetime | None = None


def reserve(tx: Transaction, owner: str, *, approved_size: int, limit: int) -> list[Reserved]:
    """Lease up to *limit* rows that may leave now to *owner*, and return them.

    Only rows that were listed before the approval was given are taken. Returns none while the
    campaign is paused. Crash: the lease runs out and the rows are free again; nothing was sent.
    """
    if tx.value("SELECT paused_at FROM campaign") is not None:
        return []
    now = to_micros(tx.now)
    rows = tx.rows(
        "UPDATE recipient SET lease_by = ?, lease_until = ? WHERE id IN ("
        " SELECT id FROM recipient WHERE standing = 'listed' AND listed_at_leaf < ?"
        "  AND (lease_until IS NULL OR lease_until < ?)"
        " UNION ALL SELECT id FROM recipient WHERE standing = 'deferred' AND try_at <= ?"
        "  AND (lease_until IS NULL OR lease_until < ?) LIMIT ?)"
        " RETURNING id, generation, sealed, relationship, country, language, attempts,"
        " first_try_at",
        *(owner, to_micros(tx.now + LEASE), approved_size, now, now, now, limit),
    )
    return [
        Reserved(
            id=row[0],
            person=open_person(tx, row),
            language=row[5],
            attempts=row[6],
            first_try_at=from_micros(row[7]),
        )
        for row in rows
    ]


def intend(tx: Transaction, reserved: Reserved, owner: str, *, due: datetime, mail: str) -> bool:
    """Claim a reserved row because its mail is about to leave; return whether it may leave.

    Everything is checked again here: the lease, the standing, the pause, and the suppression of
    this very address. *due* is the instant after the date printed in the mail, *mail* the
    content hash of what is shown.

    Crash: once this is durable the row is never sent again by itself; before, nothing was sent.
    """
    now = to_micros(tx.now)
    claimed = tx.run(
        "UPDATE recipient SET standing = 'claimed', claimed_by = ?, intent_at = ?, due_at = ?,"
        " mail = ?, attempts = attempts + 1, first_try_at = coalesce(first_try_at, ?),"
        " try_at = NULL, settled_at = NULL, relay_reply = NULL, lease_until = ?"
        " WHERE id = ? AND lease_by = ? AND lease_until >= ?"
        " AND standing IN ('listed', 'deferred')"
        " AND NOT EXISTS (SELECT 1 FROM suppression WHERE hash = ?)"
        " AND (SELECT paused_at FROM campaign) IS NULL",
        *(owner, now, to_micros(due), mail, now, to_micros(tx.now + LEASE)),
        *(reserved.id, owner, now),
        tx.vault.suppression(reserved.person.address.canonical),
    )
    if claimed:
        tx.log.moved([reserved.id], Standing.CLAIMED, due=due)
    return claimed == 1


def settle(tx: Transaction, recipient_id: int, owner: str, settlement: Settlement) -> bool:
    """Move a claimed row to where the relay's word puts it; return whether it was still claimed.

    An answer, an opt-out or an erasure that came first wins, and False is returned.
    """
    had_mail = settlement.standing in (
        Standing.ASKED,
        Standing.DOUBTFUL,
        Standing.UNDELIVERABLE,
    )
    settled = tx.run(
        "UPDATE recipient SET standing = ?, settled_at = ?, relay_reply = ?, try_at = ?,"
        " due_at = CASE WHEN ? THEN due_at END, lease_by = NULL, lease_until = NULL,"
        " first_try_at = CASE WHEN ? THEN NULL ELSE first_try_at END"
        " WHERE id = ? AND standing = 'claimed' AND claimed_by = ?",
        *(str(settlement.standing), to_micros(tx.now), settlement.reply),
        *(to_micros(settlement.try_at), had_mail, settlement.standing is Standing.LISTED),
        *(recipient_id, owner),
    )
    if settled:
        tx.log.moved([recipient_id], settlement.standing)
    return settled == 1


def relist(tx: Transaction, ids: Sequence[int]) -> int:
    """Put back to listed the undeliverable among *ids*, because the relay refused us and not
    them; return how many."""
    returned = [
        recipient_id
        for recipient_id in ids
        if tx.run(
            "UPDATE recipient SET standing = 'listed', due_at = NULL, first_try_at = NULL"
            " WHERE id = ? AND standing = 'undeliverable'",
            recipient_id,
        )
    ]
    tx.log.moved(returned, Standing.LISTED)
    return len(returned)


def release(tx: Transaction, owner: str) -> int:
    """Give back the rows that *owner* reserved and did not claim; return how many."""
    return tx.run(
        "UPDATE recipient SET lease_by = NULL, lease_until = NULL"
        " WHERE lease_by = ? AND standing IN ('listed', 'deferred')",
        owner,
    )


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
        release(tx, owner)


def lease_owners(tx: Transaction) -> list[str]:
    """Return the senders that hold reserved rows."""
    return [
        row[0]
        for row in tx.rows(
            "SELECT DISTINCT lease_by FROM recipient"
            " WHERE standing IN ('listed', 'deferred') AND lease_by IS NOT NULL"
        )
    ]
