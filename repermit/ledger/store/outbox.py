"""The outbox: mails that are owed besides the question, under the same promise of one mail.

A mail is owed in the transaction of the fact that it is owed for, and it changes nobody's
standing. It is made first, and taken just before it leaves: the intent is then durable, and
whether it is still owed was looked at again. What the relay says settles it. A mail that was taken
by a sender that is gone is doubtful, and never sent again by itself (see `outbox_doubt`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from repermit.domain.address import Address
from repermit.domain.provider import NO_CAPS, Caps
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind as Fact
from repermit.ledger.store import caps as provider_caps
from repermit.ledger.store.owing import Kind, Notice, has_complained
from repermit.ledger.store.personal import Person, open_person, own_key
from repermit.ledger.store.present import require_present
from repermit.ledger.transaction import Transaction

# Whose row may not go yet: their mail is on its way, or will be.
HOLDS = (
    "SELECT 1 FROM outbox WHERE recipient_id = recipient.id AND (outbox.standing = 'claimed'"
    " OR outbox.standing = 'waiting'"
    " AND (kind <> 'acknowledgement' OR recipient.standing = 'opted_out'))"
)
_DUE = (
    " FROM outbox WHERE standing = 'waiting' AND not_before <= ?1 AND coalesce(try_at, 0) <= ?1"
    " AND NOT EXISTS (SELECT 1 FROM recipient WHERE recipient.id = outbox.recipient_id"
    " AND EXISTS (SELECT 1 FROM json_each(?2) AS closed WHERE closed.value = provider))"
)
# Whoever paused the campaign is still told what becomes of it.
_MAY_LEAVE = "(kind = 'notice' OR (SELECT paused_at IS NULL FROM campaign))"
_NEXT = f"SELECT id, attempts, first_try_at{_DUE} AND {_MAY_LEAVE} ORDER BY not_before, id LIMIT 1"
_TRY = "attempts = attempts + 1, first_try_at = coalesce(first_try_at, ?1)"
# Before one is given up it was tried so often, whatever the calendar says: `send` may run once a
# day or more rarely. A sender that runs all the time has tried so often within eight hours.
LEAST_TRIES = 5
LEASE = timedelta(minutes=15)  # longer than the relay may take over DATA (RFC 5321 4.5.3.2.6)
_APART = timedelta(minutes=10)  # tries at a relay that is away which count as two


class Standing(StrEnum):
    """Where a mail of the outbox stands."""

    WAITING = "waiting"  # to be sent, or to be tried again
    CLAIMED = "claimed"  # an intent is durable; the mail may or may not be out
    SENT = "sent"  # the relay took it
    DOUBTFUL = "doubtful"  # the sender was lost before the relay's word
    FAILED = "failed"  # refused for good, or given up
    DROPPED = "dropped"  # not owed any more when its turn came


@dataclass(frozen=True)
class Due:
    """A mail of the outbox that may leave now; how often it was tried before, and since when."""

    id: int
    attempts: int
    first_try_at: datetime | None


@dataclass(frozen=True)
class Owed:
    """What one mail of the outbox is made of: about a recipient and to them, or a notice."""

    id: int
    kind: Kind
    language: str
    recipient_id: int | None = None
    address: Address | None = None
    had_question: bool = False  # a question was sent to them, or may have been
    receiver: str | None = None  # of a notice: their address, casefolded
    notice: Notice | None = None


@dataclass(frozen=True)
class Settled:
    """Where the relay's word leaves a mail; `reply` holds its codes, never its text."""

    standing: Standing
    reply: str
    try_at: datetime | None = None


def next_due(tx: Transaction, caps: Caps = NO_CAPS) -> Due | None:
    """Return the mail that has waited longest of those that may leave now; None when there is
    none: only notices may while the campaign is paused, and none to a provider that has had its
    share."""
    row = tx.one(_NEXT, to_micros(tx.now), _closed(tx, caps))
    return None if row is None else Due(row[0], row[1], from_micros(row[2]))


def _closed(tx: Transaction, caps: Caps) -> str:
    """Return the providers that get no mail now, as JSON."""
    return json.dumps([name for name, room in provider_caps.rooms(tx, caps).items() if room <= 0])


def look(tx: Transaction, owed_id: int) -> Owed | None:
    """Return what a mail that waits is to be made of; None when it is not owed any more.

    A notice always is. An acknowledgement is owed while the no stands and nobody has complained;
    it, and what a person asks for themselves, are the only mails that a suppressed address gets.
    Raises: KeysUnusable, SealBroken.
    """
    row = tx.one(
        "SELECT id, kind, language, recipient_id, receiver, said FROM outbox"
        " WHERE id = ? AND standing = 'waiting'",
        owed_id,
    )
    if row is not None and row[1] == Kind.NOTICE:
        said = Notice(**json.loads(row[5]))
        return Owed(row[0], Kind.NOTICE, row[2], receiver=row[4], notice=said)
    person = row and tx.one(
        "SELECT id, generation, sealed, relationship, country, standing, intent_at FROM recipient"
        " WHERE id = ?",
        row[3],
    )
    if person is None:
        return None
    opened = open_person(tx, person)
    owed = Owed(
        id=row[0],
        kind=Kind(row[1]),
        recipient_id=row[3],
        address=opened.address,
        language=row[2],
        had_question=person[6] is not None,
    )
    return owed if _is_still_owed(tx, owed.kind, opened, person[5]) else None


def _is_still_owed(tx: Transaction, kind: Kind, person: Person, standing: str) -> bool:
    if kind is Kind.DATA:
        return True
    return standing == "opted_out" and not has_complained(tx, person)


def drop(tx: Transaction, owed_id: int) -> bool:
    """Drop a mail that waits and is not owed any more; False when it is, or does not wait."""
    if look(tx, owed_id) is not None:
        return False
    return bool(
        tx.run(
            "UPDATE outbox SET standing = 'dropped', settled_at = ?"
            " WHERE id = ? AND standing = 'waiting'",
            *(to_micros(tx.now), owed_id),
        )
    )


def take(tx: Transaction, owner: str, owed: Owed, caps: Caps = NO_CAPS) -> bool:
    """Claim for *owner* a mail that is made, because it is about to leave; False when it may not
    leave now: everything is looked at again here.

    Raises: SendRefused when an older copy of the ledger was put back.
    Crash: once this is durable the mail is never sent again by itself; before, nothing was sent.
    """
    require_present(tx)
    now = to_micros(tx.now)
    is_due = tx.one(f"SELECT 1{_DUE} AND {_MAY_LEAVE} AND id = ?3", now, _closed(tx, caps), owed.id)
    if is_due is None or look(tx, owed.id) != owed:
        return False
    tx.run(
        f"UPDATE outbox SET standing = 'claimed', intent_at = ?1, try_at = NULL, {_TRY},"
        " claimed_by = ?2, lease_until = ?4 WHERE id = ?3",
        *(now, owner, owed.id, to_micros(tx.moment + LEASE)),
    )
    if owed.recipient_id is not None:
        provider = _provider(tx, owed.recipient_id) or provider_caps.OTHERS
        provider_caps.count(tx, {provider: 1})
    return True


def _provider(tx: Transaction, recipient_id: int | None) -> str | None:
    found: str | None = tx.value("SELECT provider FROM recipient WHERE id = ?", recipient_id)
    return found


def put_off(tx: Transaction, owed_id: int, settled: Settled) -> bool:
    """Settle a mail that could not be made, before anything of it was intended; False when it
    does not wait any more. It counts as one try."""
    return bool(
        tx.run(
            "UPDATE outbox SET standing = ?2, settled_at = ?1, relay_reply = ?3, try_at = ?4,"
            f" {_TRY} WHERE id = ?5 AND standing = 'waiting'",
            *(to_micros(tx.now), str(settled.standing), settled.reply, to_micros(settled.try_at)),
            owed_id,
        )
    )


def settle(tx: Transaction, owner: str, owed_id: int, settled: Settled) -> bool:
    """Settle a mail that *owner* has taken with the relay's word; False when it was not claimed
    any more. What the relay took goes into the log, unless its recipient is gone; what it put off
    does not count for a provider."""
    row = tx.one(
        "UPDATE outbox SET standing = ?, settled_at = ?, relay_reply = ?, try_at = ?"
        " WHERE id = ? AND standing = 'claimed' AND claimed_by = ? RETURNING recipient_id, kind,"
        " language, intent_at",
        *(str(settled.standing), to_micros(tx.now), settled.reply, to_micros(settled.try_at)),
        *(owed_id, owner),
    )
    if row is not None and settled.standing is Standing.SENT:
        prove_sent(tx, *row[:3])
    if row is not None and row[0] is not None and settled.standing is Standing.WAITING:
        provider_caps.give_back(tx, [(_provider(tx, row[0]), row[3])])
    return row is not None


def prove_sent(
    tx: Transaction, recipient_id: int | None, kind: str, language: str, *, assumed: bool = False
) -> None:
    """Put into the log that a mail has left, unless its recipient is gone."""
    key = own_key(tx, recipient_id)
    if key is not None and recipient_id is not None:
        payload = {"recipient": recipient_id, "mail": kind, "language": language}
        payload |= {"assumed": True} if assumed else {}
        tx.log.append(Fact.MAILED, payload, now=tx.now, recipient=(recipient_id, key))


def relay_was_away(tx: Transaction, *, give_up: timedelta) -> int:
    """Note that the relay could not be reached for what is due, give up what has been tried for so
    long and often enough, and return how many mails that is."""
    now = to_micros(tx.now)
    tx.run(
        f"UPDATE outbox SET settled_at = ?1, {_TRY} WHERE id IN (SELECT id{_DUE})"
        " AND coalesce(settled_at, 0) <= ?3",
        *(now, _closed(tx, NO_CAPS), to_micros(tx.now - _APART)),
    )
    return tx.run(
        "UPDATE outbox SET standing = 'failed', settled_at = ?,"
        " relay_reply = 'gave up: no relay' WHERE standing = 'waiting' AND first_try_at <= ?"
        " AND attempts >= ?",
        *(now, to_micros(tx.now - give_up), LEAST_TRIES),
    )


def forget(tx: Transaction, gone: Sequence[int]) -> None:
    """Let the outbox name none of *gone*: what has not left goes with them, and of what has, only
    when and how stays."""
    ids = json.dumps(gone)
    theirs = "recipient_id IN (SELECT value FROM json_each(?))"
    tx.run(f"DELETE FROM outbox WHERE {theirs} AND standing IN ('waiting', 'dropped')", ids)
    tx.run(f"UPDATE outbox SET recipient_id = NULL WHERE {theirs}", ids)


def owed_to_people(tx: Transaction) -> int:
    """Return how many mails are owed to people of the list: no notice to the operator is one."""
    sql = (
        "SELECT count(*) FROM outbox WHERE standing IN ('waiting', 'claimed') AND kind <> 'notice'"
    )
    return int(tx.value(sql))


def counts(tx: Transaction) -> dict[str, int]:
    """Return how many mails are owed, and how many of those that were are doubtful or failed."""
    waiting, doubtful, failed = tx.one(
        "SELECT count(*) FILTER (WHERE standing IN ('waiting', 'claimed')),"
        " count(*) FILTER (WHERE standing = 'doubtful'),"
        " count(*) FILTER (WHERE standing = 'failed') FROM outbox"
    )
    return {"owed": waiting, "doubtful": doubtful, "failed": failed}
