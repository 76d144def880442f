"""A recipient's press: where it leaves them, with the proof of it, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from repermit.domain.standing import (
    Answer,
    Presses,
    Standing,
    Way,
    after_press,
    in_burst,
    may_answer,
)
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind, listed
from repermit.ledger.store import owing
from repermit.ledger.store.due import FALLS_DUE
from repermit.ledger.store.personal import Person, open_person
from repermit.ledger.store.suppression import say_no
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Asked:
    """One recipient who had a mail, as the answer page needs them."""

    id: int
    person: Person
    language: str | None
    presses: Presses
    due_at: datetime | None  # the date in their mail, or the one to which it was moved
    mail: str | None
    purposes: tuple[str, ...]
    answered_at: datetime | None
    purposes_before: tuple[str, ...] = ()  # before the present burst of presses
    yes_leaf: int | None = None  # the entry of the yes that stands
    yes_leaf_before: int | None = None
    kept_for: str = ""  # what they are or were held for; empty: nothing
    kept_until: datetime | None = None  # to the end of that hold


@dataclass(frozen=True)
class Press:
    """What came in: the answer, by which way, and what was on the screen."""

    answer: Answer
    way: Way
    button: str  # the words on the button, verbatim
    language: str
    purposes: tuple[str, ...]
    page: str | None  # content hash of the page that was shown
    release: str
    moment: datetime | None = None  # when it came in; None: now. A locked ledger files it later


_COLUMNS = (
    "SELECT id, generation, sealed, relationship, country, language, standing, before, yes_at,"
    f" no_at, suspect, {FALLS_DUE}, mail, purposes, leaf_key, purposes_before, intent_at, restored,"
    # when their own press, as recorded, put them where they stand
    " (SELECT at FROM answer WHERE recipient_id = recipient.id AND standing = recipient.standing"
    " AND NOT answer.suspect AND leaf = coalesce(recipient.yes_leaf, leaf)"
    " ORDER BY leaf DESC LIMIT 1), yes_leaf, yes_leaf_before, hold.kind, hold.until"
    " FROM recipient LEFT JOIN hold ON hold.recipient_id = id WHERE id = ?"
)


def asked(tx: Transaction, recipient_id: int) -> Asked | None:
    """Return the recipient, or None when no such row had a mail (or it was erased)."""
    row = tx.one(_COLUMNS, recipient_id)
    if row is None:
        return None
    found = _asked(tx, row)
    return found if may_answer(found.presses) else None


def file_answer(tx: Transaction, recipient_id: int, press: Press) -> Asked | None:
    """Record *press* and return the recipient as it leaves them; None as in `asked`.

    A press that changes nothing (the same answer again) is not recorded twice.
    Crash: the standing, the proof, the suppression, the acknowledgement that a no is owed and the
    log entry land together or not.
    """
    row = tx.one(_COLUMNS, recipient_id)
    if row is None:
        return None
    before = _asked(tx, row)
    if not may_answer(before.presses):
        return None
    moment = tx.shared(press.moment or tx.now)
    after = after_press(before.presses, press.answer, way=press.way, now=moment)
    was = before
    if in_burst(before.presses, moment):
        was = replace(before, purposes=before.purposes_before, yes_leaf=before.yes_leaf_before)
    left = replace(
        before,
        presses=after,
        purposes=_purposes_after(after, press, was.purposes),
        purposes_before=was.purposes,
        yes_leaf_before=was.yes_leaf,
    )
    if press.answer is Answer.NO and after.standing is Standing.OPTED_OUT and not after.suspect:
        owing.owe_acknowledgement(tx, recipient_id, before.person, language=press.language)
    if _is_repeated(before, left):
        _set_presses(tx, left)  # the window runs anew
        return left
    _suppress_by_answer(tx, before, after)
    left = replace(left, yes_leaf=_prove(tx, was, left, press, own_key=_own_key(tx, row)))
    _set_presses(tx, left)
    return replace(left, answered_at=tx.now)


def _asked(tx: Transaction, row: Sequence[Any]) -> Asked:
    recipient_id = row[0]
    presses = Presses(
        standing=Standing(row[6]),
        before=Standing(row[7]) if row[7] else None,
        yes_at=from_micros(row[8]),
        no_at=from_micros(row[9]),
        suspect=bool(row[10]),
        may_have_mail=row[16] is not None or bool(row[17]),
    )
    return Asked(
        id=recipient_id,
        person=open_person(tx, row),
        language=row[5],
        presses=presses,
        due_at=from_micros(row[11]),
        mail=row[12],
        purposes=tuple(json.loads(row[13])) if row[13] else (),
        answered_at=from_micros(row[18]),
        purposes_before=tuple(json.loads(row[15])) if row[15] else (),
        yes_leaf=row[19],
        yes_leaf_before=row[20],
        kept_for=row[21] or "",
        kept_until=from_micros(row[22]),
    )


def _is_repeated(before: Asked, left: Asked) -> bool:
    return (
        left.presses.standing is before.presses.standing
        and left.presses.standing in (Standing.OPTED_IN, Standing.OPTED_OUT)
        and not left.presses.suspect
        and not before.presses.suspect
        and left.purposes == before.purposes
    )


def _purposes_after(after: Presses, press: Press, earlier: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the yes is for: void presses leave it for what it was for."""
    if after.standing is not Standing.OPTED_IN:
        return ()
    return earlier if after.suspect else press.purposes


def _set_presses(tx: Transaction, left: Asked) -> None:
    after = left.presses
    tx.run(
        "UPDATE recipient SET standing = ?, before = ?, yes_at = ?, no_at = ?, suspect = ?,"
        " purposes = ?, purposes_before = ?, yes_leaf = ?, yes_leaf_before = ?, lease_by = NULL,"
        " lease_until = NULL WHERE id = ?",
        *(str(after.standing), after.before, to_micros(after.yes_at), to_micros(after.no_at)),
        *(after.suspect, _covered(left.purposes), _covered(left.purposes_before)),
        *(left.yes_leaf, left.yes_leaf_before, left.id),
    )


def _covered(purposes: tuple[str, ...]) -> str | None:
    return listed(purposes) if purposes else None


def _suppress_by_answer(tx: Transaction, before: Asked, after: Presses) -> None:
    """A no suppresses; the person's own later word lifts what their own no had set.

    A genuine yes lifts any suppression, under every key: it is the person's latest word on being
    mailed.
    """
    hashes = tx.vault.suppressions(before.person.address.canonical)
    if after.standing is Standing.OPTED_OUT:
        say_no(tx, hashes[0], source="answer")
    elif after.standing is Standing.OPTED_IN:
        tx.many("DELETE FROM suppression WHERE hash = ?", [(each,) for each in hashes])
    else:
        tx.run("DELETE FROM suppression WHERE hash = ? AND source = 'answer'", hashes[0])


def _own_key(tx: Transaction, row: Sequence[Any]) -> bytes:
    return tx.vault.own_key(row[14], generation=row[1], recipient_id=row[0])


def _prove(tx: Transaction, was: Asked, left: Asked, press: Press, *, own_key: bytes) -> int | None:
    """Prove *press*, before whose burst they stood as *was*, and return the entry of the yes that
    stands after it: void presses leave the one that stood before them."""
    after = left.presses
    facts = {
        "recipient": left.id,
        "answer": str(press.answer),
        "way": str(press.way),
        "standing": str(after.standing),
        "suspect": after.suspect,
        "button": press.button,
        "language": press.language,
        "purposes": list(press.purposes),
        "covers": list(left.purposes),
        "page": press.page,
        "mail": left.mail,
        "notice": tx.value("SELECT notice FROM campaign"),
        "release": press.release,
        "who": tx.vault.who(own_key, left.person.address.canonical),
        "yes": was.yes_leaf if after.suspect else None,  # that void presses left in force
    }
    leaf = tx.log.append(Kind.ANSWERED, facts, now=tx.now, recipient=(left.id, own_key))
    yes_leaf = None
    if after.standing is Standing.OPTED_IN:
        yes_leaf = was.yes_leaf if after.suspect else leaf
    tx.run(
        "INSERT INTO answer (leaf, recipient_id, at, answer, way, standing, suspect, button,"
        " language, purposes, covers, page, mail, notice, release, who, yes_leaf)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(leaf, left.id, to_micros(tx.now), str(press.answer), str(press.way)),
        *(str(after.standing), after.suspect, press.button, press.language),
        *(listed(press.purposes), listed(left.purposes), press.page, left.mail, facts["notice"]),
        *(press.release, facts["who"], yes_leaf),
    )
    return yes_leaf
