"""The yes that stands, with what proves it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from repermit.domain.record import Consent
from repermit.ledger.binding import require_theirs
from repermit.ledger.instants import from_micros
from repermit.ledger.merkle import Frontier
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction


def standing_consent(tx: Transaction, recipient_id: int) -> Consent | None:
    """Return the consent of a recipient who stands as opted in, with the facts of the approval
    that was in force at that yes; None for everybody else.

    Raises: KeysUnusable, SealBroken; ProofBroken when the address is not that of the yes.
    """
    row = tx.one(
        "SELECT id, generation, sealed, relationship, country, intent_at, purposes FROM recipient"
        " WHERE id = ? AND standing = 'opted_in'",
        recipient_id,
    )
    given = tx.one(
        "SELECT answer.at, button, language, way, page, mail, notice, release, leaf, log.hash"
        " FROM answer"
        ' JOIN log ON log."index" = leaf WHERE answer.recipient_id = ? AND leaf ='
        " (SELECT yes_leaf FROM recipient WHERE id = answer.recipient_id)",
        recipient_id,
    )
    if row is None or given is None:
        return None
    person = open_person(tx, row)
    require_theirs(tx, recipient_id, person.address.canonical)
    size, frontier = tx.one("SELECT size, frontier FROM log_head")
    return Consent(
        campaign=tx.value("SELECT uuid FROM campaign"),
        recipient_id=recipient_id,
        masked=person.address.masked,
        country=row[4],
        purposes=tuple(json.loads(row[6])) if row[6] else (),
        asked_at=from_micros(row[5]),
        answered_at=from_micros(given[0]),
        button=given[1],
        language=given[2],
        way=given[3],
        page=given[4],
        mail=given[5],
        notice=given[6],
        release=given[7],
        leaf=given[8],
        leaf_hash=given[9].hex(),
        log_size=size,
        log_root=_root(size, frontier),
        approved=_approved(tx, given[8]),
    )


def _approved(tx: Transaction, leaf: int) -> dict[str, Any] | None:
    """Return the facts of the latest approval before the entry *leaf*; None without one."""
    facts = tx.value("SELECT facts FROM approval WHERE log_size < ? ORDER BY id DESC LIMIT 1", leaf)
    return None if facts is None else _read(facts)


@lru_cache(maxsize=64)  # a campaign has few approvals, and many a yes
def _read(facts: str) -> dict[str, Any]:
    return json.loads(facts)  # type: ignore[no-any-return]  # the facts of an approval


@lru_cache(maxsize=1)  # the records of one snapshot have one root
def _root(size: int, frontier: bytes) -> str:
    return Frontier.from_bytes(size, frontier).root().hex()
