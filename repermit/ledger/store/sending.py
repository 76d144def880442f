"""Reserve, intend, settle: what makes it one mail each, whatever crashes.

A sender reserves rows by a lease; the standing stays. Just before it talks to the relay about a
row it writes the intent, guarded by the lease; the row is then `claimed`. What the relay said
settles the row, guarded by `claimed`, so that an answer that came first wins. A claimed row whose
sender is gone becomes `doubtful` and is never sent again by itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.domain.provider import Caps
from repermit.domain.standing import Standing
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import caps as provider_caps
from repermit.ledger.store import stretches, waiting, waves
from repermit.ledger.store.allowed import allowed
from repermit.ledger.store.personal import Person, open_person
from repermit.ledger.store.present import require_present
from repermit.ledger.transaction import Transaction

_HAD_MAIL = frozenset({Standing.ASKED, Standing.DOUBTFUL, Standing.UNDELIVERABLE})
_MAY_LEAVE = "SELECT paused_at IS NULL AND stopped_at IS NULL AND closed_at IS NULL FROM campaign"
LEASE = timedelta(minutes=20)  # longer than the relay may take over DATA (RFC 5321 4.5.3.2.6)


@dataclass(frozen=True)
class Reserved:
    """One recipient that a sender holds by a lease."""

    id: int
    person: Person
    language: str | None
    attempts: int
    first_try_at: datetime | None
    provider: str | None = None

    @property
    def was_returned(self) -> bool:
        """Return whether a relay has refused *us* over this mail before."""
        return self.attempts > 0 and self.first_try_at is None


@dataclass(frozen=True)
class Settlement:
    """Where the relay's word leaves a claimed row; `reply` holds its codes, never its text."""

    standing: Standing
    reply: str
    try_at: datetime | None = None


def reserve(
    tx: Transaction, owner: str, *, approved_size: int, limit: int, caps: Caps
) -> list[Reserved]:
    """Lease up to *limit* rows that may leave now to *owner*, and return them in no order.

    Only rows that were listed before the approval was given are taken, and only those of the wave
    that is open. Returns none while the campaign is paused, stopped or closed. It may share the
    ledger with others: each gets rows that no other has in hand.
    Raises: SendRefused when an older copy of the ledger was put back.
    Crash: the lease runs out and the rows are free again; nothing was sent.
    """
    require_present(tx)
    if not tx.value(_MAY_LEAVE):
        return []
    rooms = provider_caps.rooms(tx, caps)
    ids = waiting.due(tx, rooms, limit)
    if len(ids) < limit:
        left = _left(tx, rooms, ids)
        ids += _listed(tx, left, limit - len(ids), approved=approved_size)
    rows = tx.rows(
        "UPDATE recipient SET lease_by = ?, lease_until = ?"
        " WHERE id IN (SELECT value FROM json_each(?))"
        " RETURNING id, generation, sealed, relationship, country, language, attempts,"
        " first_try_at, provider",
        *(owner, to_micros(tx.moment + LEASE), json.dumps(ids)),
    )
    return [
        Reserved(
            id=row[0],
            person=open_person(tx, row),
            language=row[5],
            attempts=row[6],
            first_try_at=from_micros(row[7]),
            provider=row[8],
        )
        for row in rows
    ]


def _left(tx: Transaction, rooms: Mapping[str, int], ids: Sequence[int]) -> Mapping[str, int]:
    """Return the rooms once the rows *ids* have had theirs."""
    if not rooms or not ids:
        return rooms
    taken = dict(
        tx.rows(
            "SELECT provider, count(*) FROM recipient"
            " WHERE id IN (SELECT value FROM json_each(?)) GROUP BY provider",
            json.dumps(ids),
        )
    )
    return {name: room - taken.get(name, 0) for name, room in rooms.items()}


def _listed(tx: Transaction, rooms: Mapping[str, int], limit: int, *, approved: int) -> list[int]:
    """Return the listed rows that come next in the wave that is open."""
    wave = waves.opened(tx)
    limit = limit if wave.left is None else min(limit, wave.left)
    if wave.drawn is not None:
        return waiting.drawn(tx, wave.drawn, rooms, limit, approved=approved)
    return waiting.newest(tx, rooms, limit, approved=approved) if limit else []


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
    caps: Caps,
) -> tuple[set[int], set[int]]:
    """Settle what the relay has answered and intend what is about to leave, of all connections
    of *owner* at once; return the ids that were settled and those that were claimed.

    Crash: all of it is durable, or nothing is.
    """
    return settle(tx, owner, settlements), intend(tx, owner, intents, caps)


def intend(tx: Transaction, owner: str, intents: Sequence[Intent], caps: Caps) -> set[int]:
    """Claim reserved rows because their mails are about to leave; return the ids that may leave.

    Everything is checked again here: the lease, the standing, the pause, the wave, the caps, and
    the suppression of these very addresses. The mails count at once; for a cap, until the relay
    has not taken them.

    Raises: SendRefused when an older copy of the ledger was put back.
    Crash: once this is durable a row is never sent again by itself; before, nothing was sent.
    """
    if not intents:
        return set()
    require_present(tx)
    if not tx.value(_MAY_LEAVE):
        return set()
    now, wave, stretch = to_micros(tx.now), waves.opened(tx), stretches.coming(tx)
    claimed: set[int] = set()
    providers, first_mails = Counter[str](), Counter[int]()
    for (due, mail), ids in _alike(allowed(tx, intents, wave, caps)).items():
        rows = tx.rows(
            "UPDATE recipient SET standing = 'claimed', claimed_by = ?, intent_at = ?, due_at = ?,"
            " mail = ?, attempts = attempts + 1, first_try_at = coalesce(first_try_at, ?),"
            " try_at = NULL, settled_at = NULL, relay_reply = NULL, lease_until = ?,"
            " stretch = coalesce(stretch, ?)"
            " WHERE id IN (SELECT value FROM json_each(?)) AND lease_by = ? AND lease_until >= ?"
            " AND +standing IN ('listed', 'deferred')"
            " RETURNING id, provider, first_try_at = intent_at, stretch",
            *(owner, now, to_micros(due), mail, now, to_micros(tx.moment + LEASE), stretch),
            *(json.dumps(ids), owner, to_micros(tx.moment)),
        )
        moved = [row[0] for row in rows]
        tx.log.moved(moved, Standing.CLAIMED, due=due, mail=mail)
        claimed.update(moved)
        providers.update(row[1] or provider_caps.OTHERS for row in rows)
        first_mails.update(row[3] for row in rows if row[2])
    provider_caps.count(tx, providers)
    _count_first(tx, first_mails, by=1)
    return claimed


def _count_first(tx: Transaction, first_mails: Mapping[int, int], *, by: int) -> None:
    """Count so many first mails of each stretch for it and for the wave that is open; *by* -1
    takes them back, because the relay refused us and they will leave again."""
    waves.count_mails(tx, by * sum(first_mails.values()))
    for stretch, mails in first_mails.items():
        stretches.count_mails(tx, stretch, by * mails)


def _alike(intents: Sequence[Intent]) -> dict[tuple[datetime, str], list[int]]:
    """Return the ids by what their mail prints and shows."""
    alike: dict[tuple[datetime, str], list[int]] = {}
    for intent in intents:
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
            " AND claimed_by = ? RETURNING id, stretch, provider, intent_at",
            *(str(settlement.standing), to_micros(tx.now), settlement.reply),
            *(to_micros(settlement.try_at), had_mail, settlement.standing is Standing.LISTED),
            *(json.dumps(ids), owner),
        )
        moved = [row[0] for row in rows]
        tx.log.moved(moved, settlement.standing)
        settled.update(moved)
        if settlement.standing is Standing.LISTED:
            _count_first(tx, Counter(row[1] for row in rows), by=-1)
        if settlement.standing is Standing.UNDELIVERABLE:
            stretches.count_undeliverable(tx, [(row[1], settlement.reply) for row in rows])
            if stretches.is_bounce(settlement.reply):
                for row in rows:
                    provider_caps.count_back(tx, row[2], provider_caps.Back.HARD)
        elif not had_mail:
            provider_caps.give_back(tx, [(row[2], row[3]) for row in rows])
    return settled


def relist(tx: Transaction, ids: Sequence[int]) -> int:
    """Put back to listed the undeliverable among *ids*, because the relay refused us and not
    them; return how many."""
    rows = tx.rows(
        "UPDATE recipient SET standing = 'listed', due_at = NULL, first_try_at = NULL"
        " WHERE id IN (SELECT value FROM json_each(?)) AND +standing = 'undeliverable'"
        " RETURNING id, stretch, relay_reply, provider, settled_at",
        json.dumps(list(ids)),
    )
    returned = [row[0] for row in rows]
    stretches.count_undeliverable(tx, [(row[1], row[2]) for row in rows], by=-1)
    _count_first(tx, Counter(row[1] for row in rows), by=-1)
    for _, _, reply, provider, settled_at in rows:
        if stretches.is_bounce(reply):
            provider_caps.take_back(tx, provider, provider_caps.Back.HARD, counted_at=settled_at)
    tx.log.moved(returned, Standing.LISTED)
    return len(returned)


def release(tx: Transaction, owner: str, ids: Sequence[int] | None = None) -> int:
    """Give back the rows that *owner* reserved and did not claim; return how many. Which ones is
    looked for in the whole ledger unless *ids* says it.

    It may share the ledger with others, and waits for none of them: what another machine changes
    at this moment is given back once *owner* is gone.
    """
    named = "" if ids is None else " AND id IN (SELECT value FROM json_each(?))"
    held = (
        "SELECT id FROM recipient WHERE lease_by = ? AND standing IN ('listed', 'deferred')"
        f"{named}{' FOR UPDATE SKIP LOCKED' if tx.is_shared else ''}"
    )
    return tx.run(
        f"UPDATE recipient SET lease_by = NULL, lease_until = NULL WHERE id IN ({held})",
        *(owner, *([] if ids is None else [json.dumps(ids)])),
    )
