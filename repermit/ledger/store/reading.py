"""Reading what is on file: one person, and the rows of an export."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from repermit.domain.address import Address
from repermit.domain.standing import Standing
from repermit.ledger.instants import from_micros
from repermit.ledger.store.origin import Origin, origins
from repermit.ledger.store.personal import Person, lookups, open_person
from repermit.ledger.store.suppression import is_suppressed
from repermit.ledger.transaction import Transaction


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
    due_at: datetime | None
    settled_at: datetime | None
    relay_reply: str | None
    purposes: tuple[str, ...]
    answers: tuple[AnswerOnFile, ...]
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True)
class SuppressedOnFile:
    """That an address is never mailed, since when and why."""

    since: datetime
    source: str
    reason: str


def find(tx: Transaction, address: Address) -> OnFile | None:
    """Return what is on file under *address*, or None."""
    for lookup in lookups(tx, address):
        row = tx.one(
            "SELECT id, generation, sealed, relationship, country, language, standing, cell,"
            " reason, suspect, intent_at, due_at, settled_at, relay_reply, purposes"
            " FROM recipient WHERE lookup = ?",
            lookup,
        )
        if row is not None:
            return _on_file(tx, row)
    return None


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

    mailbox: str  # empty when they are erased
    confirmed_at: datetime | None
    purposes: tuple[str, ...]
    language: str | None
    leaf: int | None


def answered(tx: Transaction, standing: Standing) -> Iterator[Exported]:
    """Yield those who stand at *standing* (opted_in or opted_out), in the order of their ids.

    Suppressed addresses are never among the opted-in.
    """
    cursor = tx.connection.execute(
        "SELECT id, generation, sealed, relationship, country, language, purposes FROM recipient"
        " WHERE standing = ? ORDER BY id",
        (str(standing),),
    )
    for row in cursor:
        person, (recipient_id, *_, language, purposes) = open_person(tx, row), row
        if standing is Standing.OPTED_IN and is_suppressed(tx, person.address.canonical):
            continue
        latest = tx.one(
            "SELECT at, leaf FROM answer WHERE recipient_id = ? AND standing = ? AND NOT suspect"
            " AND leaf = coalesce((SELECT yes_leaf FROM recipient WHERE id = ?), leaf)"
            " ORDER BY leaf DESC LIMIT 1",
            *(recipient_id, str(standing), recipient_id),
        )
        yield Exported(
            mailbox=person.address.mailbox,
            confirmed_at=from_micros(latest[0]) if latest else None,
            purposes=tuple(json.loads(purposes)) if purposes else (),
            language=language,
            leaf=latest[1] if latest else None,
        )


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
