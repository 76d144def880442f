"""Somebody who is on several lists: the row that says most counts, and an undone import gives
back what it had replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from repermit.ledger.log import Kind, move
from repermit.ledger.store.personal import open_person, richness, sealed_text
from repermit.ledger.transaction import Transaction

if TYPE_CHECKING:
    from repermit.ledger.store.admission import Newcomer

_AT_ONCE = 500  # values in one statement
_NO_MAIL_YET = "standing IN ('listed', 'withheld', 'exempt') AND intent_at IS NULL AND NOT restored"
_THERE = "lookup, id, generation, sealed, relationship, country, language, standing"
_KNOWN = "sealed, relationship, country, language, standing, cell, reason, evidence_from"

There: TypeAlias = tuple[Any, ...]  # what _rows selects


def there_already(
    tx: Transaction, newcomers: Sequence[Newcomer], *, generation: int
) -> Mapping[bytes, There]:
    """Return the rows of those who are in the campaign already, by the newcomer's look-up."""
    found = _rows(tx, {one.lookup: one.lookup for one in newcomers})
    oldest = tx.value("SELECT min(generation) FROM recipient")
    for number in range(oldest or generation, generation):  # a purge is sealing anew
        older = {
            tx.vault.lookup(one.mailbox.casefold(), generation=number): one.lookup
            for one in newcomers
        }
        found |= _rows(tx, older)
    return found


def _rows(tx: Transaction, wanted: Mapping[bytes, bytes]) -> dict[bytes, There]:
    """Return the rows filed under the keys of *wanted*, by its values."""
    keys, found = list(wanted), dict[bytes, There]()
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        marks = ",".join("?" * len(part))
        query = f"SELECT {_THERE}, {_NO_MAIL_YET} FROM recipient WHERE lookup IN ({marks})"  # noqa: S608
        found |= {wanted[row[0]]: row for row in tx.rows(query, *part)}
    return found


def enrich(tx: Transaction, known: Sequence[tuple[Newcomer, There]], *, intake_id: int) -> int:
    """Let newcomers who say more replace what was known of those who had no mail yet; return how
    many did. What was known is kept, under seal, until `give_back` or the first purge.

    A row of a sensitive list wins over one that is not, and never loses to it: the stricter rule
    holds.
    """
    moves: dict[str, list[int]] = {}
    leaf, count = tx.value("SELECT size FROM log_head"), 0
    for one, row in known:
        if not row[-1] or not _says_more(tx, one, row):
            continue
        recipient_id, generation, was = row[1], row[2], row[7]
        tx.run(
            f"INSERT INTO replaced (recipient_id, intake_id, {_KNOWN})"  # noqa: S608 - constants
            f" SELECT id, ?, {_KNOWN} FROM recipient WHERE id = ?"
            " ON CONFLICT (recipient_id, intake_id) DO NOTHING",
            *(intake_id, recipient_id),
        )
        sealed = tx.vault.seal_text(sealed_text(one.mailbox, one.known), generation, recipient_id)
        tx.run(
            "UPDATE recipient SET sealed = ?, relationship = ?, country = ?, language = ?,"
            " standing = ?, cell = ?, reason = ?, evidence_from = ?, listed_at_leaf = ?,"
            " lease_by = NULL, lease_until = NULL WHERE id = ?",
            *(sealed, one.relationship, one.country, one.language),
            *(one.standing, one.cell, one.reason, intake_id, leaf, recipient_id),
        )
        count += 1
        if one.standing != was:
            moves.setdefault(one.standing, []).append(recipient_id)
    _log_moves(tx, moves, intake_id)
    return count


def _says_more(tx: Transaction, one: Newcomer, row: There) -> bool:
    evidence = open_person(tx, row[1:]).evidence
    if one.sensitive != evidence.sensitive:
        return one.sensitive
    return one.richness > richness(evidence, row[6])


def _log_moves(tx: Transaction, moves: Mapping[str, list[int]], intake_id: int) -> None:
    if moves:
        told = [move(ids, standing) for standing, ids in moves.items()]
        tx.log.append(Kind.SCREENED, {"import": intake_id, "moves": told}, now=tx.now)


def give_back(tx: Transaction, intake_id: int, *, slice_rows: int) -> int:
    """Undo a slice of what import *intake_id* replaced, and return how many rows that touched.

    People of other imports get back what was known of them before; what a still later import
    had replaced, if this one had said it, becomes what was known before this one; and whom this
    import admitted, but a later one made richer, goes over to that one.
    Crash: the rows and the entry of the log go together.
    """
    rows = tx.rows(
        f"SELECT recipient_id, {_KNOWN} FROM replaced WHERE intake_id = ? LIMIT ?",  # noqa: S608
        *(intake_id, slice_rows),
    )
    moves: dict[str, list[int]] = {}
    for recipient_id, *known in rows:
        now_from, stands, leaf = _present(tx, recipient_id)
        if now_from == intake_id and stands:
            tx.run(
                "UPDATE recipient SET sealed = ?, relationship = ?, country = ?, language = ?,"
                " standing = ?, cell = ?, reason = ?, evidence_from = ?, listed_at_leaf = ?"
                " WHERE id = ?",
                *(*known, leaf, recipient_id),
            )
            if known[4] != stands:
                moves.setdefault(known[4], []).append(recipient_id)
        else:
            tx.run(
                "UPDATE replaced SET sealed = ?, relationship = ?, country = ?, language = ?,"
                " standing = ?, cell = ?, reason = ?, evidence_from = ?"
                " WHERE recipient_id = ? AND evidence_from = ?",
                *(*known, recipient_id, intake_id),
            )
        tx.run(
            "DELETE FROM replaced WHERE recipient_id = ? AND intake_id = ?", recipient_id, intake_id
        )
    _log_moves(tx, moves, intake_id)
    return len(rows) or _hand_over(tx, intake_id, slice_rows)


def _present(tx: Transaction, recipient_id: int) -> tuple[int | None, str | None, int]:
    """Return which import a recipient's evidence is from, where they stand if no mail has left,
    and the size of the log."""
    row = tx.one(
        f"SELECT evidence_from, CASE WHEN {_NO_MAIL_YET} THEN standing END"  # noqa: S608
        " FROM recipient WHERE id = ?",
        recipient_id,
    )
    return (*(row or (None, None)), tx.value("SELECT size FROM log_head"))


def _hand_over(tx: Transaction, intake_id: int, slice_rows: int) -> int:
    """Give recipients of this import whom a later one made richer to that one."""
    rows = tx.rows(
        "SELECT recipient_id, intake_id FROM replaced WHERE evidence_from = ? LIMIT ?",
        *(intake_id, slice_rows),
    )
    for recipient_id, later in rows:
        tx.run("UPDATE recipient SET intake_id = ? WHERE id = ?", later, recipient_id)
        tx.run("DELETE FROM replaced WHERE recipient_id = ? AND intake_id = ?", recipient_id, later)
    return len(rows)
