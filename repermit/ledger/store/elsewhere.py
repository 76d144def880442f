"""What exports have carried out of the ledger, so that whoever received it can be told.

Source: GDPR art. 19, an erasure is told to each recipient of the data; art. 7(3), a consent that is
withdrawn, also one of several, is not used any more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from repermit.domain.standing import Standing
from repermit.errors import FileRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction

_CARRIED = (  # the latest word of everybody who is there, as the log had it at that size
    'SELECT recipient_id, covers FROM answer JOIN (SELECT max("index") AS latest FROM log'
    " WHERE recipient_id IS NOT NULL AND kind IN ('answered', 'opted_out') AND \"index\" < ?"
    " GROUP BY recipient_id) AS words ON leaf = latest WHERE standing = 'opted_in'"
)
_OPT_INS = "SELECT id, purpose, log_size FROM export WHERE standing = 'opted_in'"
_STOPPED_BY = (  # the exports of who must stop that reach whoever has the export `made`
    "FROM export AS stop WHERE stop.standing = 'opted_out'"
    " AND (stop.purpose IS NULL OR stop.purpose = made.purpose)"
)
_TOLD_AT = (
    f"SELECT id, (SELECT coalesce(max(stop.log_size), 0) {_STOPPED_BY}) FROM export AS made"
    " WHERE standing = 'opted_in'"
)
_WORDS = (  # of one person, the oldest first
    'SELECT "index", answer.standing, covers, yes_leaf FROM log'
    ' LEFT JOIN answer ON leaf = "index"'
    " WHERE log.recipient_id = ? AND kind IN ('answered', 'opted_out') ORDER BY \"index\""
)
_WHO_SPOKE = (
    "SELECT DISTINCT recipient_id FROM log WHERE recipient_id IN (SELECT value FROM json_each(?))"
    " AND kind IN ('answered', 'opted_out') ORDER BY recipient_id"
)
_AGREED_ONCE = (  # who said yes to that, or to anything, and agrees to it no more; without a no
    "SELECT id, generation, sealed, relationship, country, recipient.language, answer.at,"
    " recipient.purposes, answer.leaf FROM recipient LEFT JOIN answer ON leaf = recipient.yes_leaf"
    " WHERE id IN (SELECT recipient_id FROM answer WHERE standing = 'opted_in' AND"
    "  (CAST(:purpose AS TEXT) IS NULL"
    "   OR EXISTS (SELECT 1 FROM json_each(covers) WHERE value = :purpose)))"
    " AND NOT (recipient.standing = 'opted_in' AND (CAST(:purpose AS TEXT) IS NULL"
    "  OR EXISTS (SELECT 1 FROM json_each(recipient.purposes) WHERE value = :purpose)))"
    " AND recipient.standing <> 'opted_out' ORDER BY id"
)


@dataclass(frozen=True)
class Seen:
    """The ledger as an export has seen it: when, the size of its log, how many are gone from it."""

    at: datetime
    log_size: int
    gone: int


@dataclass(frozen=True)
class Written:
    """One file of an export: whom it holds, for which purpose, its format, how many rows, and the
    SHA-256 of its content."""

    standing: Standing
    purpose: str | None
    format: str
    rows: int
    content: str


@dataclass(frozen=True)
class Changes:
    """What an export has that the last one of that purpose had not, and the other way round."""

    since: datetime
    added: int
    gone: int


@dataclass(frozen=True)
class ToRemove:
    """One yes that an export has carried out and whose person is erased: its entry in the log is
    the `proof` of that export."""

    proof: int
    erased_at: datetime


@dataclass(frozen=True)
class NoMore:
    """Somebody whom an export has carried out for what they agree to no more, without a no to all:
    the `purposes` that they still agree to, since when, and the entry of that yes in the log."""

    id: int
    mailbox: str = field(repr=False)
    language: str | None
    since: datetime | None
    purposes: tuple[str, ...]
    leaf: int | None


def seen(tx: Transaction) -> Seen:
    """Return the ledger as an export that is made in this transaction sees it."""
    size, gone = tx.one("SELECT size, erased + purged FROM log_head, campaign")
    return Seen(tx.now, size, gone)


def changes(tx: Transaction, holds: bytearray, *, purpose: str | None) -> Changes | None:
    """Return how an export of opt-ins differs from the last one that was made of that purpose;
    None when there was none. *holds* has a 1 for each recipient's id that is in it."""
    last = tx.one(
        "SELECT id, at, log_size FROM export WHERE standing = 'opted_in' AND purpose IS ?"
        " ORDER BY id DESC LIMIT 1",
        purpose,
    )
    if last is None:
        return None
    rows = tx.connection.execute(_CARRIED, (last[2],))
    then = Counter(holds[recipient_id] for recipient_id, covers in rows if _is_for(purpose, covers))
    erased = tx.value("SELECT count(*) FROM to_remove WHERE export_id = ?", last[0])
    return Changes(from_micros(last[1]), holds.count(1) - then[1], then[0] + erased)


def no_more(tx: Transaction, purpose: str | None) -> Iterator[NoMore]:
    """Yield whom an export has carried out for *purpose* (None: for anything) and who does not
    agree to it any more, in the order of their ids; but for those who opted out of everything."""
    made = [
        (export_id, purpose, log_size)
        for export_id, of, log_size in tx.rows(_OPT_INS)
        if purpose is None or of in (None, purpose)
    ]
    for row in tx.connection.execute(_AGREED_ONCE, {"purpose": purpose}):
        if any(True for _ in _carried_out(tx, row[0], made)):
            yield NoMore(
                id=row[0],
                mailbox=open_person(tx, row).address.mailbox,
                language=row[5],
                since=from_micros(row[6]),
                purposes=tuple(json.loads(row[7] or "[]")),
                leaf=row[8],
            )


def note_export(tx: Transaction, sight: Seen, written: Sequence[Written]) -> None:
    """Note the files that were made of *sight*, never under which names.

    Raises: FileRefused when a yes that may stand in one was erased since.
    """
    has_yeses = any(each.standing is Standing.OPTED_IN for each in written)
    if has_yeses and seen(tx).gone != sight.gone:
        raise FileRefused(
            "somebody was erased while this was written; no file is left", hint="export again"
        )
    for each in written:
        facts = {
            "standing": str(each.standing),
            "purpose": each.purpose,
            "log_size": sight.log_size,
            "format": each.format,
            "rows": each.rows,
            "content": each.content,
        }
        at = to_micros(sight.at)
        number = tx.one(
            "INSERT INTO export (at, standing, purpose, log_size, format, rows, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            *(at, *facts.values()),
        )[0]
        tx.log.append(Kind.EXPORTED, {**facts, "number": number, "seen": at}, now=tx.now)


def note_gone(
    tx: Transaction, gone: Sequence[int], *, purged: bool = False
) -> list[tuple[int, int, bool]]:
    """Note what exports have carried out of people who are about to be erased, and return it: the
    entry of the yes in the log, the export, and whether that one was told already; no address, and
    nothing that leads to one.

    Who is purged after an export of those who must stop had named them, to the list of the same
    purpose or to all, need not be told again.
    """
    made = tx.rows(_OPT_INS)
    if not made:
        return []
    told_at = dict(tx.rows(_TOLD_AT))
    found = [
        (proof, export_id, purged and said_no < told_at[export_id])
        for (recipient_id,) in tx.rows(_WHO_SPOKE, json.dumps(gone))
        for proof, export_id, said_no in _carried_out(tx, recipient_id, made)
    ]
    now = to_micros(tx.now)
    tx.many(
        "INSERT INTO to_remove (proof, export_id, erased_at, told) VALUES (?, ?, ?, ?)",
        [(proof, export_id, now, told) for proof, export_id, told in found],
    )
    return found


def _carried_out(
    tx: Transaction, recipient_id: int, made: Sequence[Any]
) -> Iterator[tuple[int, int, float]]:
    """Yield the yes that stood when each export was made, if it was of that purpose, with that
    export and the entry of the no that is the latest word (beyond every entry without one)."""
    words = tx.rows(_WORDS, recipient_id)
    is_no = bool(words) and words[-1][1] in (None, Standing.OPTED_OUT)
    said_no = words[-1][0] if is_no else float("inf")
    for export_id, purpose, log_size in made:
        before = [word for word in words if word[0] < log_size]
        if before and before[-1][3] is not None and _is_for(purpose, before[-1][2]):
            yield before[-1][3], export_id, said_no


def _is_for(purpose: str | None, covers: str) -> bool:
    return purpose is None or purpose in json.loads(covers)


def to_remove(tx: Transaction) -> list[ToRemove]:
    """Return every yes of somebody erased that an export had carried out and none has said must
    stop, the oldest first."""
    rows = tx.rows(
        "SELECT proof, min(erased_at) FROM to_remove WHERE NOT told GROUP BY proof ORDER BY 2, 1"
    )
    return [ToRemove(proof, from_micros(at)) for proof, at in rows]


def untold(tx: Transaction) -> int:
    """Return how many of them no export of those who must stop has named yet."""
    return int(
        tx.value(
            "SELECT count(DISTINCT proof) FROM to_remove JOIN export AS made ON made.id = export_id"
            f" WHERE NOT told AND erased_at >= (SELECT coalesce(max(stop.at), 0) {_STOPPED_BY})"
        )
    )
