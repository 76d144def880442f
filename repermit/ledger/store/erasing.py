"""Letting people go: who is due, erasing in slices, and sealing the survivors anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from repermit.domain.due import Reason
from repermit.errors import PurgeRefused, SealBroken
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, canonical, move
from repermit.ledger.store import due, elsewhere, holding, outbox
from repermit.ledger.store.due import Terms
from repermit.ledger.store.manifest import Frozen, Manifest, freeze, manifest_of
from repermit.ledger.store.personal import open_person
from repermit.ledger.store.resealing import mailbox_in, reseal
from repermit.ledger.store.suppression import NEVER_ASKED, say_no
from repermit.ledger.store.tally import Tally
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction

_BEFORE_A_MAIL: Final = frozenset(("listed", "deferred", "withheld"))
_THEIRS: Final = ("reply", "origin", "answer", "also_said", "hold")
_NOTHING: Final[Mapping[str, Any]] = {}


def still_leaving(tx: Transaction) -> int:
    """Return how many mails are between the intent and the relay's word."""
    return int(tx.value("SELECT count(*) FROM recipient WHERE standing = 'claimed'"))


def latest_entry_at(tx: Transaction) -> str:
    """Return when the newest entry of the log was made, ISO 8601 with microseconds."""
    return str(tx.value('SELECT at FROM log ORDER BY "index" DESC LIMIT 1'))


def begin_purge(
    tx: Transaction,
    terms: Terms,
    *,
    by: str,
    facts: Mapping[str, Any],
    frozen: Frozen | None = None,
    beside: Mapping[str, Any] = _NOTHING,
) -> Purge:
    """Record that a purge begins of who is due by *terms*, and return it; until it is finished
    every purge goes on with this one. *frozen* is who that is, if it was read before.

    The entry of the log that lists their ids is its manifest: nobody else is ever erased by it.
    *facts* hold what a report will say of the beginning, and no address; *beside* are more that
    nobody needs once it is finished: they stand in no entry.
    Raises: PurgeRefused when another purge began meanwhile.
    """
    if unfinished_purge(tx):
        text = "another purge is running: wait for its end"
        raise PurgeRefused([("running", text, None)], due=0, hint="run the same command again")
    frozen = frozen or freeze(tx, terms)
    told: dict[str, Any] = {
        "purge": tx.value("SELECT coalesce(max(id), 0) + 1 FROM purge"),
        "by": by,
        "terms": terms.to_json(),
        "facts": facts,
        "generation": tx.value("SELECT generation FROM campaign"),
        "by_reason": frozen.by_reason,
        "due": frozen.due,
        "sha256": frozen.sha256,
    }
    purge = Purge(
        id=told["purge"],
        started_at=to_micros(tx.now),
        moment=to_micros(terms.moment),
        by=by,
        phase="erase",
        terms=terms.to_json(),
        due=frozen.due,
        by_reason=canonical(frozen.by_reason).decode(),
        manifest=tx.log.append(Kind.FROZEN, frozen.entry(told), now=tx.now),
        generation=told["generation"],
        facts=canonical({**facts, **beside, "sha256": frozen.sha256}).decode(),
    )
    tx.add(purge)
    return purge


def unfinished_purge(tx: Transaction) -> Purge | None:
    """Return the purge that was begun and not finished, or None."""
    return tx.found(Purge, "WHERE finished_at IS NULL ORDER BY id LIMIT 1")


def last_report(tx: Transaction) -> dict[str, Any] | None:
    """Return the report of the last purge that is finished; None when there is none."""
    text = tx.value("SELECT report FROM purge WHERE report IS NOT NULL ORDER BY id DESC LIMIT 1")
    return None if text is None else dict(json.loads(text))


def set_phase(tx: Transaction, purge_id: int, phase: str) -> bool:
    """Record the phase that a purge has reached; False when it is finished already."""
    changed = "UPDATE purge SET phase = ? WHERE id = ? AND finished_at IS NULL"
    return tx.run(changed, phase, purge_id) > 0


def note_facts(tx: Transaction, purge_id: int, facts: Mapping[str, Any]) -> None:
    """Keep *facts*, beside those that are kept already, for the report of a purge."""
    known = json.loads(tx.value("SELECT facts FROM purge WHERE id = ?", purge_id))
    content = canonical({**known, **facts}).decode()
    tx.run("UPDATE purge SET facts = ? WHERE id = ?", content, purge_id)


def finish_purge(tx: Transaction, purge_id: int, report: Mapping[str, Any]) -> None:
    """Record that a purge is finished and keep its report for ever, by its hash also in the log;
    it holds what `facts` held."""
    text = canonical(report)
    told = {"purge": purge_id, "report": sha256(text).hexdigest()}
    tx.log.append(Kind.REPORTED, told, now=tx.now)
    tx.run(
        "UPDATE purge SET phase = 'done', facts = '{}', report = ?, finished_at = ? WHERE id = ?",
        *(text.decode(), to_micros(tx.now), purge_id),
    )


def erase_due(
    tx: Transaction, purge: Purge, *, slice_rows: int, manifest: Manifest | None = None
) -> int:
    """Erase a slice of the manifest of *purge* and return how many of it were looked at; whoever
    erases many slices reads the *manifest* once.

    Whoever is not due any more, because they answered meanwhile, stays. Who is due and whose sealed
    fields were altered goes, too, without a code: the facts count them as `unreadable`. Rows,
    answers and payloads go; the commitments of the log stay.
    """
    last = tx.value("SELECT last_id FROM purge WHERE id = ?", purge.id)
    ids = (manifest or manifest_of(tx, purge)).after(last, slice_rows)
    terms = Terms.from_json(purge.terms)
    rows = tx.connection.execute(
        "SELECT id, generation, sealed, standing, restored, relationship, provider, suspect,"
        " (restored OR intent_at IS NOT NULL) FROM recipient"
        f" WHERE id IN (SELECT value FROM json_each(:ids)) AND ({due.is_due(terms)}) ORDER BY id",
        {**terms.values(), "ids": json.dumps(ids)},
    ).fetchall()
    if gone := [row[0] for row in rows]:
        _count_gone(tx, purge.id or 0, rows, unreadable=_guard_against_asking_again(tx, rows))
        is_theirs = Reason.CONTRACT_ENDED in terms.reasons  # the client's: they stop nothing there
        carried = [] if is_theirs else elsewhere.note_gone(tx, gone, purged=True)
        _erase_rows(tx, gone)
        tx.run("UPDATE campaign SET purged = purged + ?", len(gone))
        payload: dict[str, Any] = {"purge": purge.id, "moves": [move(gone, "purged")]}
        tx.log.append(Kind.PURGED, payload | _exported(carried), now=tx.now)
    if ids:
        tx.run(
            "UPDATE purge SET purged = purged + ?, last_id = ? WHERE id = ?",
            *(len(gone), ids[-1], purge.id),
        )
    return len(ids)


def _count_gone(tx: Transaction, purge_id: int, rows: Sequence[Any], *, unreadable: int) -> None:
    """Keep what became of those who go, as counts: their rows will not tell it any more."""
    known = json.loads(tx.value("SELECT facts FROM purge WHERE id = ?", purge_id))
    gone = Tally.of((row[5], row[6], row[3], row[7], row[8], 1) for row in rows)
    facts: dict[str, Any] = {"gone": Tally.from_json(known.get("gone")).plus(gone).to_json()}
    if unreadable:
        facts["unreadable"] = known.get("unreadable", 0) + unreadable
    note_facts(tx, purge_id, facts)


def _exported(carried: Sequence[tuple[int, int, bool]]) -> dict[str, Any]:
    """Return what an entry says of the yeses that exports had carried out, if any."""
    return {"exported": carried} if carried else {}


def first_left(tx: Transaction, purge: Purge, manifest: Manifest) -> int | None:
    """Return the first of the *manifest* who is still due; None when it is through with them."""
    ids = due.ids(tx, Terms.from_json(purge.terms))
    return next((each for each in ids if each in manifest), None)


def go_back_to(tx: Transaction, purge_id: int, recipient_id: int) -> None:
    """Let a purge go through its manifest again, from *recipient_id* on."""
    tx.run("UPDATE purge SET last_id = ? WHERE id = ?", recipient_id - 1, purge_id)


def _guard_against_asking_again(tx: Transaction, rows: Sequence[Any]) -> int:
    """Keep the keyed hash of who was asked: one question per person, also after a new import. That
    of who was not is kept until this purge has looked whether a trace of them is left. Return of
    how many there is none, because what is sealed of them was altered."""
    now, values, unreadable = to_micros(tx.now), [], 0
    for recipient_id, generation, sealed, standing, restored, *_ in rows:
        try:
            text = tx.vault.open_text(sealed, generation=generation, recipient_id=recipient_id)
        except SealBroken:
            unreadable += 1
            continue
        was_asked = restored or standing not in _BEFORE_A_MAIL
        source = "asked" if was_asked else NEVER_ASKED
        values.append((tx.vault.suppression(mailbox_in(text).casefold()), now, source))
    values.sort()  # neighbours lie on the same page
    tx.many(
        "INSERT INTO suppression (hash, at, source, reason) VALUES (?, ?, ?, '')"
        " ON CONFLICT (hash) DO NOTHING",
        values,
    )
    return unreadable


def _erase_rows(tx: Transaction, gone: Sequence[int]) -> None:
    """Erase recipients with all that is theirs, what points to a row before the row."""
    ids = json.dumps(gone)
    for table in _THEIRS:
        if tx.one(f"SELECT 1 FROM {table} LIMIT 1"):
            tx.run(
                f"DELETE FROM {table} WHERE recipient_id IN (SELECT value FROM json_each(?))", ids
            )
    outbox.forget(tx, gone)
    tx.run(
        "UPDATE log SET payload = NULL WHERE recipient_id IN (SELECT value FROM json_each(?))", ids
    )
    tx.run("DELETE FROM recipient WHERE id IN (SELECT value FROM json_each(?))", ids)


def forget_other_lists(tx: Transaction, *, slice_rows: int) -> int:
    """Forget a slice of what other lists say of recipients; return how many. It was sealed under
    the generation before, only to undo an import."""
    return tx.run(
        "DELETE FROM also_said WHERE (recipient_id, intake_id) IN"
        " (SELECT recipient_id, intake_id FROM also_said LIMIT ?)",
        slice_rows,
    )


def begin_generation(tx: Transaction, number: int) -> None:
    """Make *number* the generation that every new row is sealed under; what was sealed under the
    one before only to undo an import goes, as far as it came since `forget_other_lists`."""
    tx.run("DELETE FROM also_said")
    tx.run("UPDATE campaign SET generation = ? WHERE generation < ?", number, number)


def reseal_slice(tx: Transaction, *, slice_rows: int) -> int:
    """Seal a slice of the survivors under the present generation; return how many."""
    current = tx.value("SELECT generation FROM campaign")
    rows = tx.rows(
        "SELECT id, generation, sealed FROM recipient WHERE generation < ? LIMIT ?",
        *(current, slice_rows),
    )
    reseal(tx, rows, generation=current)
    return len(rows)


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
    carried = elsewhere.note_gone(tx, [recipient_id])
    say_no(tx, tx.vault.suppression(person.address.canonical), source="erased")
    _erase_rows(tx, [recipient_id])
    tx.run("UPDATE campaign SET erased = erased + 1")
    payload: dict[str, Any] = {"moves": [move([recipient_id], "erased")]}
    tx.log.append(Kind.ERASED, payload | _exported(carried), now=tx.now)
    return Erased(tuple(sorted({proof for proof, *_ in carried})))


def traces(tx: Transaction, purge: Purge) -> int:
    """Return what is still there of people that *purge* erased; it must be 0."""
    return int(
        tx.value(
            "SELECT (SELECT count(*) FROM recipient WHERE generation <= ?)"
            " + (SELECT count(*) FROM origin WHERE generation <= ?)"
            " + (SELECT count(*) FROM reply WHERE generation <= ?"
            "    OR recipient_id NOT IN (SELECT id FROM recipient))"
            " + (SELECT count(*) FROM also_said"
            "    WHERE recipient_id NOT IN (SELECT id FROM recipient))"
            " + (SELECT count(*) FROM hold WHERE recipient_id NOT IN (SELECT id FROM recipient))"
            " + (SELECT count(*) FROM answer WHERE recipient_id NOT IN (SELECT id FROM recipient))"
            " + (SELECT count(*) FROM outbox WHERE recipient_id IS NOT NULL"
            "    AND recipient_id NOT IN (SELECT id FROM recipient))"
            " + (SELECT count(*) FROM log WHERE payload IS NOT NULL AND recipient_id IS NOT NULL"
            "    AND recipient_id NOT IN (SELECT id FROM recipient))",
            *(purge.generation, purge.generation, purge.generation),
        )
    )
