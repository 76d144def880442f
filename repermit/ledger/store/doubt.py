"""Rows whose mail may or may not be out: a person decides, never the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from repermit.domain.standing import Standing
from repermit.errors import DoubtRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Doubtful:
    """One row whose mail may or may not be out."""

    id: int
    intent_at: datetime
    due_at: datetime


def doubtful(tx: Transaction, *, limit: int) -> list[Doubtful]:
    """Return up to *limit* doubtful rows, in the order of their ids."""
    rows = tx.rows(
        "SELECT id, intent_at, due_at FROM recipient WHERE standing = 'doubtful'"
        " ORDER BY id LIMIT ?",
        limit,
    )
    return [Doubtful(row[0], from_micros(row[1]), from_micros(row[2])) for row in rows]


def decide_doubt(tx: Transaction, ids: Sequence[int] | None, *, expected: int, resend: bool) -> int:
    """Move doubtful rows to asked or, with *resend*, back to listed; return how many.

    *ids* None means all of them, and *expected* states how many there are.
    Raises: DoubtRefused, moving nobody, when a row is not doubtful or the count is another.
    """
    if ids is None:
        found = [row[0] for row in tx.rows("SELECT id FROM recipient WHERE standing = 'doubtful'")]
    else:
        found = [
            wanted
            for wanted in dict.fromkeys(ids)
            if tx.one("SELECT 1 FROM recipient WHERE id = ? AND standing = 'doubtful'", wanted)
        ]
    if len(found) != expected:
        raise DoubtRefused(
            f"{len(found)} of the rows named are doubtful, not {expected}",
            hint="see `repermit doubt list`, then state the ids or the count that it shows",
        )
    standing = Standing.LISTED if resend else Standing.ASKED
    for recipient_id in found:
        tx.run(
            "UPDATE recipient SET standing = ?, due_at = CASE WHEN ? THEN NULL ELSE due_at END,"
            " first_try_at = CASE WHEN ? THEN NULL ELSE first_try_at END WHERE id = ?",
            *(str(standing), resend, resend, recipient_id),
        )
    tx.log.moved(found, standing)
    return len(found)


def doubt_unsettled(tx: Transaction, *, slice_rows: int, due: datetime) -> int:
    """In a ledger that was put back: make doubtful a slice of what may have been mailed since.

    Rows that had no due date get *due*, so that they fall due like the others.
    Returns how many rows were moved; 0 when none is left.
    """
    moved = [
        row[0]
        for row in tx.rows(
            "UPDATE recipient SET standing = 'doubtful', intent_at = coalesce(intent_at, ?),"
            " due_at = coalesce(due_at, ?), try_at = NULL, lease_by = NULL, lease_until = NULL"
            " WHERE id IN (SELECT id FROM recipient"
            "  WHERE standing IN ('listed', 'deferred', 'claimed') LIMIT ?) RETURNING id",
            *(to_micros(tx.now), to_micros(due), slice_rows),
        )
    ]
    tx.log.moved(moved, Standing.DOUBTFUL, due=due)
    return len(moved)


def set_aside_restored(tx: Transaction) -> int:
    """In a ledger that was put back: keep who is withheld or exempt from ever being listed, since
    they may have been asked after the copy was made; return how many."""
    return tx.run(
        "UPDATE recipient SET restored = 1"
        " WHERE standing IN ('withheld', 'exempt') AND NOT restored"
    )
