"""Holds: who is not erased yet although their date has passed or they wish it, why and until when.

Source: GDPR art. 17(3)(b), a legal obligation, and (e), legal claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from repermit.domain.clock import iso
from repermit.domain.hold import Why
from repermit.errors import PersonHeld
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.store.personal import own_key
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class OnHold:
    """A hold on one person; one whose `until` has passed counts no more."""

    kind: Why
    since: datetime
    until: datetime
    by: str
    reason: str

    def counts(self, now: datetime) -> bool:
        """Return whether it still keeps them."""
        return now < self.until


def hold(
    tx: Transaction, recipient_id: int, *, kind: Why, until: datetime, by: str, reason: str
) -> bool:
    """Hold a recipient until that instant, instead of any hold before; False when nobody is there.

    Crash: the row and its entry in the log go together or not at all.
    """
    key = own_key(tx, recipient_id)
    if key is None:
        return False
    tx.run(
        "INSERT INTO hold (recipient_id, kind, since, until, by, reason)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (recipient_id) DO UPDATE SET kind = excluded.kind,"
        " since = excluded.since, until = excluded.until, by = excluded.by,"
        " reason = excluded.reason",
        *(recipient_id, str(kind), to_micros(tx.now), to_micros(until), by, reason),
    )
    payload = {
        "recipient": recipient_id,
        "kind": str(kind),
        "until": iso(until),
        "by": by,
        "reason": reason,
    }
    tx.log.append(Kind.HELD, payload, now=tx.now, recipient=(recipient_id, key))
    return True


def release(tx: Transaction, recipient_id: int, *, by: str, reason: str) -> bool:
    """End the hold on a recipient, also one that counts no more; False when there is none.

    Crash: as `hold`.
    """
    key = own_key(tx, recipient_id)
    if key is None or not tx.run("DELETE FROM hold WHERE recipient_id = ?", recipient_id):
        return False
    payload = {"recipient": recipient_id, "by": by, "reason": reason}
    tx.log.append(Kind.RELEASED, payload, now=tx.now, recipient=(recipient_id, key))
    return True


def hold_on(tx: Transaction, recipient_id: int) -> OnHold | None:
    """Return the hold on a recipient, also one that counts no more, or None."""
    row = tx.one(
        "SELECT kind, since, until, by, reason FROM hold WHERE recipient_id = ?", recipient_id
    )
    if row is None:
        return None
    return OnHold(Why(row[0]), from_micros(row[1]), from_micros(row[2]), row[3], row[4])


def require_free(tx: Transaction, recipient_id: int) -> None:
    """Refuse what a hold that counts forbids. Raises: PersonHeld."""
    found = hold_on(tx, recipient_id)
    if found is not None and found.counts(tx.now):
        raise PersonHeld(found.kind, found.until)


def in_force(tx: Transaction) -> tuple[int, datetime | None]:
    """Return how many are held now, and when the first of those holds ends."""
    count, until = tx.one("SELECT count(*), min(until) FROM hold WHERE until > ?", _now(tx))
    return count, from_micros(until)


def forget(tx: Transaction, gone: Sequence[int]) -> None:
    """Delete the holds on people who are gone."""
    tx.many("DELETE FROM hold WHERE recipient_id = ?", [(one,) for one in gone])


def _now(tx: Transaction) -> int:
    return to_micros(tx.now)
