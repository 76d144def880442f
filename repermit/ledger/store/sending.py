"""Reserve, intend, settle: what makes it one mail each, whatever crashes.

A sender reserves rows by a lease; the standing stays. Just before it talks to the relay about a
row it writes the intent, guarded by the lease; the row is then `claimed`. What the relay said
settles the row, guarded by `claimed`, so that an answer that came first wins. A claimed row whose
sender is gone becomes `doubtful` and is never sent again by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.domain.standing import Standing
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store.personal import Person, open_person
from repermit.ledger.store.suppression import suppressed_among
from repermit.ledger.transaction import Transaction

_HAD_MAIL = frozenset({Standing.ASKED, Standing.DOUBTFUL, Standing.UNDELIVERABLE})
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


@dataclass(frozen=True)
class Intent:
    """That the mail of a reserved row is about to leave. *due* is the instant after the date that
    it prints, *mail* the content hash of what it shows."""

    reserved: Reserved
    due: datetime
    mail: str


def exchange(
    tx: Transaction,
    owner: str,
    *,
    settlements: Mapping[int, Settlement],
    intents: Sequence[Intent],
) -> tuple[set[int], set[int]]:
    """Settle what the relay has answered and intend what is about to leave, of all connections
    of *owner* at once; return the ids that were settled and those that were claimed.

    Crash: all of it is durable, or nothing is.
    """
    return settle(tx, owner, settlements), intend(tx, owner, intents)


def intend(tx: Transaction, owner: str, intents: Sequence[Intent]) -> set[int]:
    """Claim reserved rows because their mails are about to leave; return the ids that may leave.

    Everything is checked again here: the lease, the standing, the pause, and the suppression of
    these very addresses.

    Crash: once this is durable a row is never sent again by itself; before, nothing was sent.
    """
    now = to_micros(tx.now)
    claimed: set[int] = set()
    for (due, mail), ids in _alike(tx, intents).items():
        rows = tx.rows(
            "UPDATE recipient SET standing = 'claimed', claimed_by = ?, intent_at = ?, due_at = ?,"
            " mail = ?, attempts = attempts + 1, first_try_at = coalesce(first_try_at, ?),"
            " try_at = NULL, settled_at = NULL, relay_reply = NULL, lease_until = ?"
            " WHERE id IN (SELECT value FROM json_each(?)) AND lease_by = ? AND lease_until >= ?"
            " AND +standing IN ('listed', 'deferred')"  # by id, not by the index of standings
            " AND (SELECT paused_at FROM campaign) IS NULL RETURNING id",
            *(owner, now, to_micros(due), mail, now, to_micros(tx.now + LEASE)),
            *(json.dumps(ids), owner, now),
        )
        moved = [row[0] for row in rows]
        tx.log.moved(moved, Standing.CLAIMED, due=due)
        claimed.update(moved)
    return claimed


def _alike(tx: Transaction, intents: Sequence[Intent]) -> dict[tuple[datetime, str], list[int]]:
    """Return the ids of those who are not suppressed, by what their mail prints and shows."""
    hashes = [tx.vault.suppressions(intent.reserved.person.address.canonical) for intent in intents]
    stopped = suppressed_among(tx, [hashed for several in hashes for hashed in several])
    alike: dict[tuple[datetime, str], list[int]] = {}
    for intent, several in zip(intents, hashes, strict=True):
        if stopped.isdisjoint(several):
            alike.setdefault((intent.due, intent.mail), []).append(intent.reserved.id)
    return alike


def settle(tx: Transaction, owner: str, settlements: Mapping[int, Settlement]) -> set[int]:
    """Move claimed rows to where the relay's word puts them; return the ids that were still
    claimed.

    An answer, an opt-out or an erasure that came first wins.
    """
    alike: dict[Settlement, list[int]] = {}
    for recipient_id, settlement in settlements.items():
        alike.setdefault(settlement, []).append(recipient_id)
    settled: set[int] = set()
    for settlement, ids in alike.items():
        had_mail = settlement.standing in _HAD_MAIL
        rows = tx.rows(
            "UPDATE recipient SET standing = ?, settled_at = ?, relay_reply = ?, try_at = ?,"
            " due_at = CASE WHEN ? THEN due_at END, lease_by = NULL, lease_until = NULL,"
            " first_try_at = CASE WHEN ? THEN NULL ELSE first_try_at END"
            " WHERE id IN (SELECT value FROM json_each(?)) AND +standing = 'claimed'"
            " AND claimed_by = ? RETURNING id",
            *(str(settlement.standing), to_micros(tx.now), settlement.reply),
            *(to_micros(settlement.try_at), had_mail, settlement.standing is Standing.LISTED),
            *(json.dumps(ids), owner),
        )
        moved = [row[0] for row in rows]
        tx.log.moved(moved, settlement.standing)
        settled.update(moved)
    return settled


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
