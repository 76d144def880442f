"""Letting people go: who is due, erasing in slices, and sealing the survivors anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlmodel import col, select

from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, canonical, move, ranges
from repermit.ledger.store import due, elsewhere, holding, outbox
from repermit.ledger.store.due import Terms
from repermit.ledger.store.origin import forget_origins, reseal_origins
from repermit.ledger.store.personal import open_person, person_from
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction


def still_leaving(tx: Transaction) -> int:
    """Return how many mails are between the intent and the relay's word."""
    return int(tx.value("SELECT count(*) FROM recipient WHERE standing = 'claimed'"))


def latest_entry_at(tx: Transaction) -> str:
    """Return when the newest entry of the log was made, ISO 8601 with microseconds."""
    return str(tx.value('SELECT at FROM log ORDER BY "index" DESC LIMIT 1'))


def begin_purge(tx: Transaction, terms: Terms, *, by: str, facts: Mapping[str, Any]) -> Purge:
    """Freeze who is due by *terms*, record that their purge begins, and return it; until it is
    finished every purge goes on with this one.

    The entry of the log that lists their ids is its manifest: nobody else is ever erased by it.
    """
    frozen, by_reason = due.ids(tx, terms), due.counts(tx, terms)
    manifest = {"by": by, "by_reason": by_reason, "due": len(frozen), "ids": ranges(frozen)}
    purge = Purge(
        started_at=to_micros(tx.now),
        moment=to_micros(terms.moment),
        by=by,
        phase="erase",
        terms=terms.to_json(),
        due=len(frozen),
        by_reason=canonical(by_reason).decode(),
        manifest=tx.log.append(Kind.FROZEN, manifest, now=tx.now),
        generation=tx.value("SELECT generation FROM campaign"),
        facts=canonical(facts).decode(),
    )
    tx.session.add(purge)
    tx.session.flush()
    tx.session.expunge(purge)
    return purge


def unfinished_purge(tx: Transaction) -> Purge | None:
    """Return the purge that was begun and not finished, or None."""
    return tx.session.exec(select(Purge).where(col(Purge.finished_at).is_(None))).first()


def set_phase(tx: Transaction, purge_id: int, phase: str, *, finished: bool = False) -> None:
    """Record the phase that a purge has reached."""
    tx.run(
        "UPDATE purge SET phase = ?, finished_at = ? WHERE id = ?",
        *(phase, to_micros(tx.now) if finished else None, purge_id),
    )


def erase_due(tx: Transaction, purge: Purge, *, slice_rows: int) -> int:
    """Erase a slice of the manifest of *purge* and return how many of it were looked at.

    Whoever is not due any more, because they answered meanwhile, stays. Rows, answers and payloads
    go; the commitments of the log stay.
    """
    last = tx.value("SELECT last_id FROM purge WHERE id = ?", purge.id)
    listed = json.loads(tx.value('SELECT payload FROM log WHERE "index" = ?', purge.manifest))
    ids = list(islice(_after(listed["ids"], last), slice_rows))
    terms = Terms.from_json(purge.terms)
    rows = tx.connection.execute(
        "DELETE FROM recipient WHERE id IN (SELECT value FROM json_each(:ids))"
        f" AND ({due.is_due(terms)}) RETURNING id, generation, sealed",
        {**terms.values(), "ids": json.dumps(ids)},
    ).fetchall()
    gone = [row[0] for row in rows]
    if gone:
        _guard_against_asking_again(tx, rows)
        elsewhere.note_gone(tx, gone, purged=True)
        _erase_traces(tx, gone)
        tx.run("UPDATE campaign SET purged = purged + ?", len(gone))
        payload = {"purge": purge.id, "moves": [move(gone, "purged")]}
        tx.log.append(Kind.PURGED, payload, now=tx.now)
    if ids:
        tx.run(
            "UPDATE purge SET purged = purged + ?, last_id = ? WHERE id = ?",
            *(len(gone), ids[-1], purge.id),
        )
    return len(ids)


def _after(pairs: list[list[int]], last: int) -> Iterator[int]:
    """Yield the ids of *pairs* of a first and a last that come after *last*."""
    for first, end in pairs:
        yield from range(max(first, last + 1), end + 1)


def _guard_against_asking_again(tx: Transaction, rows: list[tuple[int, int, bytes]]) -> None:
    """Keep the keyed hash of who was asked: one question per person, also after a new import."""
    now, values = to_micros(tx.now), []
    for recipient_id, generation, sealed in rows:
        content = tx.vault.open(sealed, generation=generation, recipient_id=recipient_id)
        person = person_from(content, relationship=None, country=None)
        values.append((tx.vault.suppression(person.address.canonical), now))
    tx.many(
        "INSERT INTO suppression (hash, at, source, reason) VALUES (?, ?, 'asked', '')"
        " ON CONFLICT (hash) DO NOTHING",
        values,
    )


def _erase_traces(tx: Transaction, gone: list[int]) -> None:
    tx.many("DELETE FROM origin WHERE recipient_id = ?", [(one,) for one in gone])
    tx.many("DELETE FROM answer WHERE recipient_id = ?", [(one,) for one in gone])
    tx.many("DELETE FROM also_said WHERE recipient_id = ?", [(one,) for one in gone])
    holding.forget(tx, gone)
    outbox.forget(tx, gone)
    tx.many("UPDATE log SET payload = NULL WHERE recipient_id = ?", [(one,) for one in gone])


def begin_generation(tx: Transaction, number: int) -> None:
    """Make *number* the generation that every new row is sealed under; what was sealed under the
    one before only to undo an import goes, and origins whose time is over."""
    tx.run("DELETE FROM also_said")
    forget_origins(tx)
    tx.run("UPDATE campaign SET generation = ? WHERE generation < ?", number, number)


def reseal_slice(tx: Transaction, *, slice_rows: int) -> int:
    """Seal a slice of the survivors under the present generation; return how many."""
    current = tx.value("SELECT generation FROM campaign")
    rows = tx.rows(
        "SELECT id, generation, sealed FROM recipient WHERE generation < ? LIMIT ?",
        *(current, slice_rows),
    )
    values = []
    for recipient_id, generation, sealed in rows:
        content = tx.vault.open(sealed, generation=generation, recipient_id=recipient_id)
        person = person_from(content, relationship=None, country=None)
        fresh = tx.vault.seal(content, generation=current, recipient_id=recipient_id)
        lookup = tx.vault.lookup(person.address.canonical, generation=current)
        values.append((current, fresh, lookup, recipient_id))
    tx.many("UPDATE recipient SET generation = ?, sealed = ?, lookup = ? WHERE id = ?", values)
    reseal_origins(tx, [row[0] for row in rows], generation=current)
    return len(values)


def log_resealed(tx: Transaction, *, destroyed: int) -> None:
    """Put into the log that the survivors stand under a new generation."""
    payload = {"destroyed": destroyed, "current": tx.value("SELECT generation FROM campaign")}
    tx.log.append(Kind.RESEALED, payload, now=tx.now)


@dataclass(frozen=True)
class Erased:
    """Somebody is erased; *exported* are the entries in the log of those yeses of theirs that an
    export had carried out, which must be removed elsewhere, too."""

    exported: tuple[int, ...]


def erase_person(tx: Transaction, recipient_id: int) -> Erased | None:
    """Erase one person on their own wish, and suppress the address; None if not there.

    Source: GDPR art. 17(1); the keyed hash stays so that they are not asked again (art. 21(3)).
    Raises: PersonHeld.
    Crash: row, answers, payloads, suppression and entry change together or not at all.
    """
    holding.require_free(tx, recipient_id)
    row = tx.one(
        "SELECT id, generation, sealed, relationship, country FROM recipient WHERE id = ?",
        recipient_id,
    )
    if row is None:
        return None
    person = open_person(tx, row)
    exported = elsewhere.note_gone(tx, [recipient_id])
    tx.run(
        "INSERT INTO suppression (hash, at, source, reason) VALUES (?, ?, 'erased', '')"
        " ON CONFLICT (hash) DO NOTHING",
        *(tx.vault.suppression(person.address.canonical), to_micros(tx.now)),
    )
    tx.run("DELETE FROM recipient WHERE id = ?", recipient_id)
    _erase_traces(tx, [recipient_id])
    tx.run("UPDATE campaign SET erased = erased + 1")
    tx.log.append(Kind.ERASED, {"moves": [move([recipient_id], "erased")]}, now=tx.now)
    return Erased(exported)


def purged_by(tx: Transaction, purge_id: int) -> int:
    """Return how many recipients that purge has erased."""
    return int(tx.value("SELECT purged FROM purge WHERE id = ?", purge_id))


def give_back(tx: Transaction, *, pages: int) -> bool:
    """Return up to *pages* free pages to the disk, and whether there were any."""
    free = tx.value("PRAGMA freelist_count")
    if free:
        tx.rows(f"PRAGMA incremental_vacuum({pages:d})")
    return bool(free)


def traces(tx: Transaction, purge: Purge) -> int:
    """Return what is still there of people that *purge* erased; it must be 0."""
    return int(
        tx.value(
            "SELECT (SELECT count(*) FROM recipient WHERE generation <= ?)"
            " + (SELECT count(*) FROM origin WHERE generation <= ?)"
            " + (SELECT count(*) FROM answer WHERE recipient_id NOT IN (SELECT id FROM recipient))"
            " + (SELECT count(*) FROM outbox WHERE recipient_id IS NOT NULL"
            "    AND recipient_id NOT IN (SELECT id FROM recipient))"
            " + (SELECT count(*) FROM log WHERE payload IS NOT NULL AND recipient_id IS NOT NULL"
            "    AND recipient_id NOT IN (SELECT id FROM recipient))",
            *(purge.generation, purge.generation),
        )
    )
