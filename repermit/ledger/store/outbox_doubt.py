"""Mails of the outbox that may or may not be out: a person decides, never the program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store.leases import begun_until
from repermit.ledger.store.outbox import LEASE, prove_sent
from repermit.ledger.store.owing import Kind
from repermit.ledger.transaction import Transaction

_NAMED = "WHERE id IN (SELECT value FROM json_each(?)) AND standing = 'doubtful'"
# Sent again for nobody: who has gone, or has asked for their data once more since.
_IS_OVER = (
    "recipient_id IS NULL AND kind <> 'notice' OR kind = 'data' AND EXISTS"
    " (SELECT 1 FROM outbox AS newer WHERE newer.recipient_id = outbox.recipient_id"
    " AND newer.kind = 'data'"
    " AND newer.id > outbox.id)"
)


@dataclass(frozen=True)
class DoubtfulMail:
    """One mail of the outbox that may or may not be out."""

    id: int
    kind: Kind
    intent_at: datetime


def owners(tx: Transaction) -> list[str]:
    """Return the senders that have taken mails and not settled them."""
    rows = tx.rows("SELECT DISTINCT claimed_by FROM outbox WHERE standing = 'claimed'")
    return [row[0] for row in rows]


def doubt(tx: Transaction, dead_owners: Sequence[str], *, grace: timedelta | None = None) -> int:
    """Make doubtful what senders that are gone had taken, at least *grace* ago, or any sender too
    long ago; return how many mails. They are never sent again by themselves."""
    changed = "UPDATE outbox SET standing = 'doubtful', settled_at = ? WHERE standing = 'claimed'"
    now, begun = to_micros(tx.now), begun_until(tx, LEASE, grace)
    doubted = sum(
        tx.run(f"{changed} AND claimed_by = ? AND lease_until <= ?", now, owner, begun)
        for owner in dead_owners
    )
    return doubted + tx.run(f"{changed} AND lease_until < ?", now, to_micros(tx.moment))


def doubt_restored(tx: Transaction) -> int:
    """In a ledger that was put back: make doubtful everything that may have left since the copy
    was made; return how many mails."""
    return tx.run(
        "UPDATE outbox SET standing = 'doubtful', settled_at = ?1,"
        " intent_at = coalesce(intent_at, ?1) WHERE standing IN ('waiting', 'claimed')",
        to_micros(tx.now),
    )


def doubtful(tx: Transaction, *, after: int = 0, limit: int) -> list[DoubtfulMail]:
    """Return up to *limit* doubtful mails with ids over *after*, in the order of their ids."""
    rows = tx.rows(
        "SELECT id, kind, intent_at FROM outbox WHERE standing = 'doubtful' AND id > ?"
        " ORDER BY id LIMIT ?",
        *(after, limit),
    )
    return [DoubtfulMail(row[0], Kind(row[1]), from_micros(row[2])) for row in rows]


def count_doubtful(tx: Transaction, ids: Sequence[int] | None = None) -> int:
    """Return how many are doubtful, or how many of *ids*."""
    if ids is None:
        return int(tx.value("SELECT count(*) FROM outbox WHERE standing = 'doubtful'"))
    return int(tx.value(f"SELECT count(*) FROM outbox {_NAMED}", json.dumps(list(ids))))


def decide_doubt(tx: Transaction, ids: Sequence[int], *, resend: bool) -> int:
    """Take those of *ids* that are doubtful as sent or, with *resend*, let them leave anew; return
    how many. What is then not owed any more is dropped."""
    named = json.dumps(list(ids))
    if resend:
        return tx.run(
            f"UPDATE outbox SET standing = CASE WHEN {_IS_OVER} THEN 'dropped' ELSE 'waiting' END,"
            f" attempts = 0, first_try_at = NULL, try_at = NULL {_NAMED}",
            named,
        )
    rows = tx.rows(
        f"UPDATE outbox SET standing = 'sent' {_NAMED} RETURNING recipient_id, kind, language",
        named,
    )
    for row in rows:
        prove_sent(tx, *row, assumed=True)
    return len(rows)
