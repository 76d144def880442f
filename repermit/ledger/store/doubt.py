"""Rows whose mail may or may not be out: a person decides, never the program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from repermit.domain.standing import Standing
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store.due import FALLS_DUE
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Doubtful:
    """One row whose mail may or may not be out."""

    id: int
    mailbox: str = field(repr=False)
    intent_at: datetime
    due_at: datetime  # the date in their mail, or the one to which it was moved


def doubtful(tx: Transaction, *, after: int = 0, limit: int) -> list[Doubtful]:
    """Return up to *limit* doubtful rows with ids over *after*, in the order of their ids."""
    rows = tx.rows(
        f"SELECT id, generation, sealed, relationship, country, intent_at, {FALLS_DUE}"
        " FROM recipient"
        " WHERE standing = 'doubtful' AND id > ? ORDER BY id LIMIT ?",
        *(after, limit),
    )
    return [
        Doubtful(
            id=row[0],
            mailbox=open_person(tx, row).address.mailbox,
            intent_at=from_micros(row[5]),
            due_at=from_micros(row[6]),
        )
        for row in rows
    ]


def count_doubtful(tx: Transaction, ids: Sequence[int] | None = None) -> int:
    """Return how many are doubtful, or how many of *ids*."""
    if ids is None:
        return int(tx.value("SELECT count(*) FROM recipient WHERE standing = 'doubtful'"))
    return int(
        tx.value(
            "SELECT count(*) FROM recipient WHERE id IN (SELECT value FROM json_each(?))"
            " AND +standing = 'doubtful'",
            json.dumps(list(ids)),
        )
    )


def decide_doubt(tx: Transaction, ids: Sequence[int], *, resend: bool) -> int:
    """Move those of *ids* that are doubtful to asked or, with *resend*, back to listed; return
    how many."""
    standing = Standing.LISTED if resend else Standing.ASKED
    moved = [
        row[0]
        for row in tx.rows(
            "UPDATE recipient SET standing = ?, due_at = CASE WHEN ? THEN NULL ELSE due_at END,"
            " first_try_at = CASE WHEN ? THEN NULL ELSE first_try_at END"
            " WHERE id IN (SELECT value FROM json_each(?)) AND +standing = 'doubtful' RETURNING id",
            *(str(standing), resend, resend, json.dumps(list(ids))),
        )
    ]
    tx.log.moved(moved, standing)
    return len(moved)


def doubt_unsettled(tx: Transaction, *, slice_rows: int, due: datetime) -> int:
    """In a ledger that was put back: make doubtful a slice of what may have been mailed since.

    Rows that had no due date get *due*, so that they fall due like the others.
    Returns how many rows were moved; 0 when none is left.
    """
    rows = tx.rows(
        "UPDATE recipient SET standing = 'doubtful', intent_at = coalesce(intent_at, ?),"
        " due_at = coalesce(due_at, ?), try_at = NULL, lease_by = NULL, lease_until = NULL"
        " WHERE id IN (SELECT id FROM recipient"
        "  WHERE standing IN ('listed', 'deferred', 'claimed') LIMIT ?) RETURNING id, due_at",
        *(to_micros(tx.now), to_micros(due), slice_rows),
    )
    for recipient_id, due_at in rows:
        tx.log.moved([recipient_id], Standing.DOUBTFUL, due=from_micros(due_at))
    return len(rows)


def set_aside_restored(tx: Transaction) -> int:
    """In a ledger that was put back: keep who is withheld or exempt from ever being listed, since
    they may have been asked after the copy was made; return how many."""
    return tx.run(
        "UPDATE recipient SET restored = TRUE"
        " WHERE standing IN ('withheld', 'exempt') AND NOT restored"
    )
