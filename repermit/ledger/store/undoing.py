"""Taking back what an import admitted: one that did not complete, or that was wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from repermit.errors import ImportRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind, move
from repermit.ledger.store import enriching, holding, replies
from repermit.ledger.store.present import require_open
from repermit.ledger.transaction import Transaction


def unfinished_intakes(tx: Transaction) -> list[int]:
    """Return the imports that were begun and did not complete, or whose undoing did not."""
    rows = tx.rows("SELECT id FROM intake WHERE completed_at IS NULL AND undone_at IS NULL")
    return [row[0] for row in rows]


def is_unfinished(tx: Transaction) -> bool:
    """Return whether an import runs, or was cut off."""
    return bool(unfinished_intakes(tx))


@dataclass(frozen=True)
class Undoing:
    """What taking an import back means: when it was, how many of its recipients go, and how many
    stay because they are on another list, whose row then counts."""

    at: datetime
    leaving: int
    restored: int


def undoing(tx: Transaction, intake_id: int) -> Undoing:
    """Return what taking back import *intake_id* would do.

    Raises: ImportRefused when there is no such import, nothing of it is left, a purge has run
        since, somebody of it is held, or a mail has left, or may have, to somebody of whom it
        said anything; CampaignClosed.
    """
    require_open(tx)
    row = tx.one("SELECT started_at, undone_at FROM intake WHERE id = ?", intake_id)
    if row is not None and row[1] is not None:
        raise ImportRefused(f"nothing is left of import {intake_id}", hint="it was taken back")
    if row is None:
        raise ImportRefused(
            f"there is no import {intake_id}", hint="its number stands in what import printed"
        )
    if tx.one("SELECT 1 FROM purge WHERE started_at >= ?", row[0]):
        raise ImportRefused(
            f"import {intake_id} cannot be taken back: a purge has run since, and what other lists"
            " say went with that",
            hint="an import can be undone until its first mail; suppress those who are wrong",
        )
    if tx.one(
        "SELECT 1 FROM hold JOIN recipient ON recipient.id = recipient_id"
        " WHERE intake_id = ? AND until > ?",
        *(intake_id, to_micros(tx.now)),
    ):
        raise ImportRefused(
            f"import {intake_id} cannot be taken back: somebody of it is held",
            hint="`repermit person --release` ends a hold",
        )
    leaving, mailed = tx.one(
        f"SELECT count(*) FILTER (WHERE {enriching.NO_MAIL_YET}),"
        " count(*) FILTER (WHERE intent_at IS NOT NULL OR restored)"
        " FROM recipient WHERE intake_id = ?",
        intake_id,
    )
    if mailed:
        raise ImportRefused(
            f"import {intake_id} cannot be taken back: {mailed:,} of its people had a mail, or may"
            " have had one",
            hint="an import can be undone until its first mail; suppress those who are wrong",
        )
    restored = enriching.elsewhere(tx, intake_id)
    return Undoing(from_micros(row[0]), int(leaving) - restored, restored)


def begin_undoing(tx: Transaction, intake_id: int) -> Undoing:
    """Make import *intake_id* one that did not complete, and return what that means; raises as
    `undoing` does. Crash: the next import, or another undoing, goes on with it."""
    meant = undoing(tx, intake_id)
    tx.run("UPDATE intake SET completed_at = NULL WHERE id = ?", intake_id)
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
            "DELETE FROM recipient WHERE id IN (SELECT id FROM recipient"
            f" WHERE intake_id = ? AND {enriching.NO_MAIL_YET} ORDER BY id DESC LIMIT ?)"
            " RETURNING id",
            *(intake_id, slice_rows),
        )
    ]
    if gone:
        holding.forget(tx, gone)
        replies.forget_of(tx, gone)
        tx.many("UPDATE log SET payload = NULL WHERE recipient_id = ?", [(one,) for one in gone])
        tx.run("UPDATE campaign SET admitted = admitted - ?", len(gone))
        payload = {"import": intake_id, "moves": [move(gone, "taken_back")]}
        tx.log.append(Kind.TAKEN_BACK, payload, now=tx.now)
    else:
        tx.run(
            "UPDATE intake SET undone_at = ? WHERE id = ? AND completed_at IS NULL",
            *(to_micros(tx.now), intake_id),
        )
    return len(gone)
