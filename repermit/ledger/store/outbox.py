"""The outbox: mails that are owed besides the question, under the same promise of one mail.

A mail is owed in the transaction of the fact that it is owed for, and it changes nobody's
standing. Just before it leaves it is taken: the intent is then durable, and whether it is still
owed was looked at again. What the relay says settles it. A mail that was taken by a sender that
is gone is doubtful, and never sent again by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from repermit.domain.address import Address
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind as Fact
from repermit.ledger.store.owing import Kind, has_complained
from repermit.ledger.store.personal import Person, open_person
from repermit.ledger.store.present import require_present
from repermit.ledger.transaction import Transaction

LEASE = timedelta(minutes=15)  # longer than the relay may take over DATA (RFC 5321 4.5.3.2.6)
# Whose row may not go yet: their mail is on its way, or will be.
HOLDS = (
    "SELECT 1 FROM outbox WHERE recipient_id = recipient.id AND (outbox.standing = 'claimed'"
    " OR outbox.standing = 'waiting'"
    " AND (kind <> 'acknowledgement' OR recipient.standing = 'opted_out'))"
)
_DUE = " FROM outbox WHERE standing = 'waiting' AND not_before <= ?1 AND coalesce(try_at, 0) <= ?1"
_IS_DUE = f"SELECT (SELECT paused_at IS NULL FROM campaign) AND EXISTS (SELECT 1{_DUE})"
_NEXT = (
    f"SELECT id, recipient_id, kind, language, attempts, first_try_at{_DUE}"
    " ORDER BY not_before, id LIMIT 1"
)
_TRIED = (
    f"UPDATE outbox SET first_try_at = ?1 WHERE first_try_at IS NULL AND id IN (SELECT id{_DUE})"
)


class Standing(StrEnum):
    """Where a mail of the outbox stands."""

    WAITING = "waiting"  # to be sent, or to be tried again
    CLAIMED = "claimed"  # an intent is durable; the mail may or may not be out
    SENT = "sent"  # the relay took it
    DOUBTFUL = "doubtful"  # the sender was lost before the relay's word
    FAILED = "failed"  # refused for good, or given up
    DROPPED = "dropped"  # not owed any more when its turn came


@dataclass(frozen=True)
class Owed:
    """One mail of the outbox that was taken and is about to leave."""

    id: int
    kind: Kind
    recipient_id: int
    address: Address
    language: str
    attempts: int
    first_try_at: datetime
    had_question: bool  # a question was sent to them, or may have been


@dataclass(frozen=True)
class Settled:
    """Where the relay's word leaves a mail; `reply` holds its codes, never its text."""

    standing: Standing
    reply: str
    try_at: datetime | None = None


def is_due(tx: Transaction) -> bool:
    """Return whether a mail may leave now; none may while the campaign is paused."""
    return bool(tx.value(_IS_DUE, to_micros(tx.now)))


def take(tx: Transaction, owner: str) -> Owed | None:
    """Claim for *owner* the mail that has waited longest, because it is about to leave; None when
    none is due, or the one that was is not owed any more and is now dropped.

    An acknowledgement is owed while the no stands and nobody has complained; it, and what a person
    asks for themselves, are the only mails that a suppressed address gets.
    Raises: SendRefused when an older copy of the ledger was put back.
    Crash: once this is durable the mail is never sent again by itself; before, nothing was sent.
    """
    if not is_due(tx):
        return None
    require_present(tx)
    owed_id, recipient_id, kind, language, attempts, first_try_at = tx.one(_NEXT, to_micros(tx.now))
    now = to_micros(tx.now)
    row = tx.one(
        "SELECT id, generation, sealed, relationship, country, standing, intent_at FROM recipient"
        " WHERE id = ?",
        recipient_id,
    )
    person = open_person(tx, row) if row else None
    if person is None or not _is_still_owed(tx, Kind(kind), person, row[5]):
        tx.run("UPDATE outbox SET standing = 'dropped', settled_at = ? WHERE id = ?", now, owed_id)
        return None
    tx.run(
        "UPDATE outbox SET standing = 'claimed', claimed_by = ?, intent_at = ?, try_at = NULL,"
        " attempts = attempts + 1, first_try_at = coalesce(first_try_at, ?) WHERE id = ?",
        *(owner, now, now, owed_id),
    )
    return Owed(
        id=owed_id,
        kind=Kind(kind),
        recipient_id=recipient_id,
        address=person.address,
        language=language,
        attempts=attempts,
        first_try_at=from_micros(first_try_at) or tx.now,
        had_question=row[6] is not None,
    )


def _is_still_owed(tx: Transaction, kind: Kind, person: Person, standing: str) -> bool:
    if kind is Kind.DATA:
        return True
    return standing == "opted_out" and not has_complained(tx, person)


def settle(tx: Transaction, owner: str, owed_id: int, settled: Settled) -> bool:
    """Settle a mail that *owner* has taken with the relay's word; False when it was not claimed
    any more. What the relay took goes into the log, unless its recipient is gone."""
    row = tx.one(
        "UPDATE outbox SET standing = ?, settled_at = ?, relay_reply = ?, try_at = ?"
        " WHERE id = ? AND standing = 'claimed' AND claimed_by = ? RETURNING recipient_id, kind,"
        " language",
        *(str(settled.standing), to_micros(tx.now), settled.reply, to_micros(settled.try_at)),
        *(owed_id, owner),
    )
    if row is not None and settled.standing is Standing.SENT:
        _prove_sent(tx, *row)
    return row is not None


def _prove_sent(tx: Transaction, recipient_id: int | None, kind: str, language: str) -> None:
    own_key = tx.value("SELECT leaf_key FROM recipient WHERE id = ?", recipient_id)
    if own_key is not None and recipient_id is not None:
        payload = {"recipient": recipient_id, "mail": kind, "language": language}
        tx.log.append(Fact.MAILED, payload, now=tx.now, recipient=(recipient_id, own_key))


def relay_was_away(tx: Transaction, *, give_up: timedelta) -> int:
    """Note that the relay could not be reached for what is due, give up what has tried for so
    long, and return how many mails that is."""
    now = to_micros(tx.now)
    tx.run(_TRIED, now)
    return tx.run(
        "UPDATE outbox SET standing = 'failed', settled_at = ?,"
        " relay_reply = 'gave up: no relay' WHERE standing = 'waiting' AND first_try_at <= ?",
        *(now, to_micros(tx.now - give_up)),
    )


def owners(tx: Transaction) -> list[str]:
    """Return the senders that have taken mails and not settled them."""
    rows = tx.rows("SELECT DISTINCT claimed_by FROM outbox WHERE standing = 'claimed'")
    return [row[0] for row in rows]


def doubt(tx: Transaction, dead_owners: Sequence[str]) -> int:
    """Make doubtful what senders that are gone had taken, or any sender too long ago; return how
    many mails. They are never sent again by themselves."""
    changed = "UPDATE outbox SET standing = 'doubtful', settled_at = ? WHERE standing = 'claimed'"
    now = to_micros(tx.now)
    doubted = sum(tx.run(f"{changed} AND claimed_by = ?", now, owner) for owner in dead_owners)
    return doubted + tx.run(f"{changed} AND intent_at < ?", now, to_micros(tx.now - LEASE))


def doubt_restored(tx: Transaction) -> int:
    """In a ledger that was put back: make doubtful everything that may have left since the copy
    was made; return how many mails."""
    return tx.run(
        "UPDATE outbox SET standing = 'doubtful', settled_at = ?"
        " WHERE standing IN ('waiting', 'claimed')",
        to_micros(tx.now),
    )


def forget(tx: Transaction, gone: Sequence[int]) -> None:
    """Let the outbox name none of *gone*: what has not left goes with them, and of what has, only
    when and how stays."""
    ids: list[tuple[Any, ...]] = [(one,) for one in gone]
    tx.many("DELETE FROM outbox WHERE recipient_id = ? AND standing IN ('waiting', 'dropped')", ids)
    tx.many("UPDATE outbox SET recipient_id = NULL WHERE recipient_id = ?", ids)


def counts(tx: Transaction) -> dict[str, int]:
    """Return how many mails are owed, and how many of those that were are doubtful or failed."""
    waiting, doubtful, failed = tx.one(
        "SELECT count(*) FILTER (WHERE standing IN ('waiting', 'claimed')),"
        " count(*) FILTER (WHERE standing = 'doubtful'),"
        " count(*) FILTER (WHERE standing = 'failed') FROM outbox"
    )
    return {"owed": waiting, "doubtful": doubtful, "failed": failed}
