"""Reading what is on file: one person, and the rows of an export."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from repermit.domain.address import Address
from repermit.domain.standing import Standing
from repermit.ledger.binding import require_theirs
from repermit.ledger.instants import from_micros
from repermit.ledger.replay import Replay
from repermit.ledger.store.extending import Extension, extensions
from repermit.ledger.store.origin import Origin, origins
from repermit.ledger.store.personal import Person, lookups, open_person
from repermit.ledger.store.replies import Reply, replies_of
from repermit.ledger.store.suppression import is_suppressed
from repermit.ledger.transaction import Transaction

_PERSON = "id, generation, sealed, relationship, country"  # as `open_person` wants them
_ON_FILE = (
    f"SELECT {_PERSON}, language, standing, cell, reason, suspect, intent_at, due_at, settled_at,"
    " relay_reply, purposes FROM recipient"
)


@dataclass(frozen=True)
class AnswerOnFile:
    """One press, as it was recorded; `leaf` is its entry in the log."""

    at: datetime
    answer: str
    way: str
    standing: str
    button: str
    language: str
    purposes: tuple[str, ...]
    page: str | None
    mail: str | None
    release: str
    leaf: int


@dataclass(frozen=True)
class OnFile:
    """Everything the ledger holds on one person."""

    id: int
    person: Person
    language: str | None
    standing: Standing
    cell: str
    reason: str
    suspect: bool
    intent_at: datetime | None
    due_at: datetime | None  # as their mail prints it
    settled_at: datetime | None
    relay_reply: str | None
    purposes: tuple[str, ...]
    answers: tuple[AnswerOnFile, ...]
    origins: tuple[Origin, ...] = ()
    extensions: tuple[Extension, ...] = ()
    replies: tuple[Reply, ...] = ()  # that wait for a person

    @property
    def falls_due(self) -> datetime | None:
        """Return from when their silence is a no: the date in their mail, or the one to which it
        was moved."""
        return self.falls_due_as_of(None)

    def falls_due_as_of(self, moment: datetime | None) -> datetime | None:
        """Return the same as it was told at *moment*; None: now."""
        if self.due_at is None:
            return None
        moved = [each.until for each in self.extensions if moment is None or each.at <= moment]
        return max([self.due_at, *moved])


@dataclass(frozen=True)
class SuppressedOnFile:
    """That an address is never mailed, since when and why."""

    since: datetime
    source: str
    reason: str


def find(tx: Transaction, address: Address) -> OnFile | None:
    """Return what is on file under *address*, or None."""
    for lookup in lookups(tx, address):
        row = tx.one(f"{_ON_FILE} WHERE lookup = ?", lookup)
        if row is not None:
            return _on_file(tx, row)
    return None


def of(tx: Transaction, recipient_id: int) -> OnFile | None:
    """Return what is on file about the recipient with that number, or None."""
    row = tx.one(f"{_ON_FILE} WHERE id = ?", recipient_id)
    return None if row is None else _on_file(tx, row)


def _on_file(tx: Transaction, row: Sequence[Any]) -> OnFile:
    return OnFile(
        id=row[0],
        person=open_person(tx, row),
        language=row[5],
        standing=Standing(row[6]),
        cell=row[7],
        reason=row[8],
        suspect=bool(row[9]),
        intent_at=from_micros(row[10]),
        due_at=from_micros(row[11]),
        settled_at=from_micros(row[12]),
        relay_reply=row[13],
        purposes=tuple(json.loads(row[14])) if row[14] else (),
        answers=_answers(tx, row[0]),
        origins=origins(tx, row[0]),
        extensions=extensions(tx),
        replies=replies_of(tx, row[0]),
    )


def suppressed(tx: Transaction, address: Address) -> SuppressedOnFile | None:
    """Return since when and why *address* is never mailed, or None."""
    for hashed in tx.vault.suppressions(address.canonical):
        row = tx.one("SELECT at, source, reason FROM suppression WHERE hash = ?", hashed)
        if row is not None:
            return SuppressedOnFile(from_micros(row[0]), row[1], row[2])
    return None


@dataclass(frozen=True)
class Exported:
    """One row of an export."""

    id: int
    mailbox: str
    confirmed_at: datetime | None  # for who must stop: since when
    purposes: tuple[str, ...]
    language: str | None
    leaf: int | None  # the entry of that press in the log


def opted_in(tx: Transaction, replay: Replay, purpose: str | None) -> Iterator[Exported]:
    """Yield those whose yes stands, as *replay* has it, and covers *purpose* (None: whatever it is
    for), in the order of their ids; *replay* is of this very transaction, in which the ledger
    verifies. Suppressed addresses are never among them.

    Raises: ProofBroken when a sealed address is not that of its yes.
    """
    for recipient_id in replay.at(Standing.OPTED_IN):
        _, _, _, listed, _, leaf = replay.row(recipient_id)
        covers = tuple(json.loads(listed or "[]"))
        if purpose is not None and purpose not in covers:
            continue
        row = tx.one(f"SELECT {_PERSON}, language FROM recipient WHERE id = ?", recipient_id)
        person = open_person(tx, row)
        require_theirs(tx, recipient_id, person.address.canonical)
        if is_suppressed(tx, person.address.canonical):
            continue
        at = tx.value("SELECT at FROM answer WHERE leaf = ?", leaf)
        mailbox, language = person.address.mailbox, row[5]
        yield Exported(recipient_id, mailbox, from_micros(at), covers, language, leaf)


def opted_out(tx: Transaction) -> Iterator[Exported]:
    """Yield those who stand at opted_out, with when they said so themselves, in the order of
    their ids."""
    cursor = tx.connection.execute(
        f"SELECT {_PERSON}, language FROM recipient WHERE standing = 'opted_out' ORDER BY id"
    )
    for row in cursor:
        at, leaf = tx.one(
            "SELECT at, leaf FROM answer WHERE recipient_id = ? AND standing = 'opted_out'"
            " AND NOT suspect ORDER BY leaf DESC LIMIT 1",
            row[0],
        ) or (None, None)
        mailbox = open_person(tx, row).address.mailbox
        yield Exported(row[0], mailbox, from_micros(at), (), row[5], leaf)


def exempt(tx: Transaction) -> Iterator[Person]:
    """Yield those who need no question, in the order of their ids, but for suppressed ones."""
    cursor = tx.connection.execute(
        f"SELECT {_PERSON} FROM recipient WHERE standing = 'exempt' ORDER BY id"
    )
    for row in cursor:
        person = open_person(tx, row)
        if not is_suppressed(tx, person.address.canonical):
            yield person


def _answers(tx: Transaction, recipient_id: int) -> tuple[AnswerOnFile, ...]:
    rows = tx.rows(
        "SELECT at, answer, way, standing, button, language, purposes, page, mail, release, leaf"
        " FROM answer WHERE recipient_id = ? ORDER BY leaf",
        recipient_id,
    )
    return tuple(
        AnswerOnFile(
            at=from_micros(row[0]),
            answer=row[1],
            way=row[2],
            standing=row[3],
            button=row[4],
            language=row[5],
            purposes=tuple(json.loads(row[6])),
            page=row[7],
            mail=row[8],
            release=row[9],
            leaf=row[10],
        )
        for row in rows
    )
