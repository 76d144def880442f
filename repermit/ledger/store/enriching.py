"""Somebody who is on several lists: the row that says most counts; what the others say is kept,
under seal, so that it counts when that import is undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from repermit.ledger.log import Kind, move
from repermit.ledger.store.personal import known_text, open_person, richness, sealed_text
from repermit.ledger.store.resealing import reseal
from repermit.ledger.transaction import Transaction

if TYPE_CHECKING:
    from repermit.ledger.store.admission import Newcomer

_AT_ONCE = 500  # values in one statement
NO_MAIL_YET = "standing IN ('listed', 'withheld', 'exempt') AND intent_at IS NULL AND NOT restored"
_THERE = "lookup, id, generation, sealed, relationship, country, language, standing"
_SAID = "sealed, relationship, country, language, contact, standing, cell, reason"

There: TypeAlias = tuple[Any, ...]  # what _rows selects


def there_already(
    tx: Transaction, newcomers: Sequence[Newcomer], *, generation: int
) -> Mapping[bytes, There]:
    """Return the rows of those who are in the campaign already, by the newcomer's look-up; those
    whom a purge has not sealed anew yet are, now."""
    found = _rows(tx, {one.lookup: one.lookup for one in newcomers})
    oldest = tx.value("SELECT min(generation) FROM recipient")
    for number in range(oldest or generation, generation):  # a purge is sealing anew
        older = {
            tx.vault.lookup(one.mailbox.casefold(), generation=number): one.lookup
            for one in newcomers
        }
        stale = _rows(tx, older)
        reseal(tx, [row[1:] for row in stale.values()], generation=generation)
        found |= _rows(tx, {lookup: lookup for lookup in stale})
    return found


def _rows(tx: Transaction, wanted: Mapping[bytes, bytes]) -> dict[bytes, There]:
    """Return the rows filed under the keys of *wanted*, by its values."""
    keys, found = list(wanted), dict[bytes, There]()
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        marks = ",".join("?" * len(part))
        query = f"SELECT {_THERE}, {NO_MAIL_YET} FROM recipient WHERE lookup IN ({marks})"
        found |= {wanted[row[0]]: row for row in tx.rows(query, *part)}
    return found


def merge(
    tx: Transaction, known: Sequence[tuple[Newcomer, There]], *, intake_id: int
) -> tuple[int, int]:
    """Let newcomers who say more count instead of what was known of those who had no mail yet,
    and keep what the others say; return how many did, and how many say something else."""
    moves: dict[str, list[int]] = {}
    richer = differing = 0
    for one, row in known:
        recipient_id, generation, was, movable = row[1], row[2], row[7], row[8]
        evidence = open_person(tx, row[1:]).evidence
        weight = richness(evidence, row[6])
        sealed = tx.vault.seal_text(sealed_text(one.mailbox, one.known), generation, recipient_id)
        said = (sealed, *one.said[1:], one.contact, one.standing, one.cell, one.reason)
        if movable and one.richness > weight:
            _set_aside(tx, recipient_id, weight)
            _let_count(tx, recipient_id, intake_id, said)
            richer += 1
            if one.standing != was:
                moves.setdefault(one.standing, []).append(recipient_id)
            continue
        differing += one.said != (known_text(evidence), *row[4:7])
        if movable:
            tx.run(
                f"INSERT INTO also_said (recipient_id, intake_id, richness, {_SAID})"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                *(recipient_id, intake_id, one.richness, *said),
            )
    _log_moves(tx, moves, intake_id)
    return richer, differing


def _set_aside(tx: Transaction, recipient_id: int, weight: int) -> None:
    """Keep what counts of a recipient as what another import says."""
    tx.run(
        f"INSERT INTO also_said (recipient_id, intake_id, richness, {_SAID})"
        f" SELECT id, intake_id, ?, {_SAID} FROM recipient WHERE id = ? ON CONFLICT DO NOTHING",
        *(weight, recipient_id),
    )


def _let_count(tx: Transaction, recipient_id: int, intake_id: int, said: Sequence[Any]) -> None:
    """Let what *intake_id* says of a recipient count; an approval from before does not cover it."""
    tx.run(
        "UPDATE recipient SET sealed = ?, relationship = ?, country = ?, language = ?,"
        " contact = ?, standing = ?, cell = ?, reason = ?, intake_id = ?, listed_at_leaf ="
        " (SELECT size FROM log_head), lease_by = NULL, lease_until = NULL WHERE id = ?",
        *(*said, intake_id, recipient_id),
    )


def _log_moves(tx: Transaction, moves: Mapping[str, list[int]], intake_id: int) -> None:
    if moves:
        told = [move(ids, standing) for standing, ids in moves.items()]
        tx.log.append(Kind.SCREENED, {"import": intake_id, "moves": told}, now=tx.now)


def give_back(tx: Transaction, intake_id: int, *, slice_rows: int) -> int:
    """Undo a slice of what import *intake_id* says of people who are on other lists too, and
    return how many rows that touched: the next richest list counts of them.

    Crash: the rows and the entry of the log go together.
    """
    forgotten = tx.run(
        "DELETE FROM also_said WHERE intake_id = ? AND recipient_id IN"
        " (SELECT recipient_id FROM also_said WHERE intake_id = ? LIMIT ?)",
        *(intake_id, intake_id, slice_rows),
    )
    if forgotten:
        return forgotten
    rows = tx.rows(
        "SELECT DISTINCT recipient_id, standing FROM (SELECT also_said.recipient_id,"
        " recipient.standing FROM also_said JOIN recipient ON recipient.id = recipient_id"
        f" WHERE recipient.intake_id = ? AND recipient.{NO_MAIL_YET}) AS theirs LIMIT ?",
        *(intake_id, slice_rows),
    )
    moves: dict[str, list[int]] = {}
    for recipient_id, stood in rows:
        other, *said = tx.one(
            f"SELECT intake_id, {_SAID} FROM also_said WHERE recipient_id = ?"
            " ORDER BY richness DESC, intake_id LIMIT 1",
            recipient_id,
        )
        _let_count(tx, recipient_id, other, said)
        tx.run(
            "DELETE FROM also_said WHERE recipient_id = ? AND intake_id = ?", recipient_id, other
        )
        if said[5] != stood:
            moves.setdefault(said[5], []).append(recipient_id)
    _log_moves(tx, moves, intake_id)
    return len(rows)


def elsewhere(tx: Transaction, intake_id: int) -> int:
    """Return how many people of import *intake_id* are on other lists too."""
    return int(
        tx.value(
            "SELECT count(DISTINCT recipient_id) FROM also_said"
            " JOIN recipient ON recipient.id = recipient_id WHERE recipient.intake_id = ?",
            intake_id,
        )
    )
