"""Taking back what an import admitted: one that did not complete, or that was wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from repermit.errors import ImportRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind, move
from repermit.ledger.store import enriching
from repermit.ledger.transaction import Transaction


def unfinished_intakes(tx: Transaction) -> list[int]:
    """Return the imports that were begun and did not complete, or whose undoing did not."""
    return [
        row[0]
        for row in tx.rows("SELECT id FROM intake WHERE completed_at IS NULL AND undone_at IS NULL")
    ]


@dataclass(frozen=True)
class Undoing:
    """What taking an import back means: when it was, how many of its recipients go, and of how
    many people of other imports what was known before comes back."""

    at: datetime
    leaving: int
    restored: int


def undoing(tx: Transaction, intake_id: int) -> Undoing:
    """Return what taking back import *intake_id* would do.

    Raises: ImportRefused when there is no such import, nothing of it is left, or a mail has left,
        or may have, to somebody of whom it said anything.
    """
    row = tx.one("SELECT completed_at FROM intake WHERE id = ?", intake_id)
    if row is None or row[0] is None:
        raise ImportRefused(
            f"there is no import {intake_id}", hint="its number stands in what import printed"
        )
    leaving, mailed = tx.one(
        "SELECT count(*) FILTER (WHERE intake_id = ? AND evidence_from = ?"
        " AND standing IN ('listed', 'withheld', 'exempt')),"
        " count(*) FILTER (WHERE intent_at IS NOT NULL OR restored)"
        " FROM recipient WHERE intake_id = ? OR evidence_from = ?",
        *(intake_id, intake_id, intake_id, intake_id),
    )
    restored, passed_on = tx.one(
        "SELECT count(*) FILTER (WHERE intake_id = ?), count(*) FILTER (WHERE evidence_from = ?)"
        " FROM replaced",
        *(intake_id, intake_id),
    )
    if mailed:
        raise ImportRefused(
            f"import {intake_id} cannot be taken back: {mailed:,} of its people had a mail, or may"
            " have had one",
            hint="an import can be undone until its first mail; suppress those who are wrong",
        )
    if not leaving and not restored and not passed_on:
        raise ImportRefused(f"nothing is left of import {intake_id}", hint="it was taken back")
    return Undoing(from_micros(row[0]), int(leaving), int(restored))


def begin_undoing(tx: Transaction, intake_id: int) -> Undoing:
    """Note that import *intake_id* is taken back, and return what that means; raises as
    `undoing` does."""
    meant = undoing(tx, intake_id)
    tx.run("UPDATE intake SET undone_at = ? WHERE id = ?", to_micros(tx.now), intake_id)
    return meant


def take_back(tx: Transaction, intake_id: int, *, slice_rows: int) -> int:
    """Undo a part of an import and return how many rows that touched; 0 when it is undone.

    Rows that had a mail, or may have had one, stay, and so do opt-outs.
    Crash: the rows and the entry that says so go together.
    """
    if touched := enriching.give_back(tx, intake_id, slice_rows=slice_rows):
        return touched
    gone = [
        row[0]
        for row in tx.rows(
            "DELETE FROM recipient WHERE id IN (SELECT id FROM recipient WHERE intake_id = ?"
            " AND standing IN ('listed', 'withheld', 'exempt') AND intent_at IS NULL"
            " AND NOT restored ORDER BY id DESC LIMIT ?)"
            " RETURNING id",
            *(intake_id, slice_rows),
        )
    ]
    if gone:
        tx.run("UPDATE campaign SET admitted = admitted - ?", len(gone))
        payload = {"import": intake_id, "moves": [move(gone, "taken_back")]}
        tx.log.append(Kind.TAKEN_BACK, payload, now=tx.now)
    else:
        tx.run("DELETE FROM intake WHERE id = ? AND completed_at IS NULL", intake_id)
    return len(gone)
