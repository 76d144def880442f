"""Who must be removed wherever else a list lives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from repermit.domain.due import Reason
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import due, elsewhere, reading
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction

_BY_DATE: Final = (Reason.SILENT, Reason.DOUBTFUL, Reason.UNDELIVERABLE)


class Why(StrEnum):
    """Why somebody must be removed elsewhere."""

    OPTED_OUT = "opted_out"  # said no, unsubscribed or complained, whenever that was
    SILENT = "silent"  # said nothing by the date in their mail
    DOUBTFUL = "doubtful"  # the same, and nobody knows whether the mail arrived
    UNDELIVERABLE = "undeliverable"  # could not be reached by that date
    NO_MORE = "agrees_no_more"  # an export has a yes of theirs that does not stand any more
    ERASED = "erased"  # the same, and they are erased: there is only its proof


class MustGo(NamedTuple):
    """Somebody who must be removed: why, since when, and the entry of the log that an earlier
    export has of them, or that is their no. Whoever is erased has no address."""

    mailbox: str
    why: Why
    since: datetime | None
    proof: int | None


def must_go(tx: Transaction) -> Iterator[MustGo]:
    """Yield everybody who must be removed elsewhere, once each: never one whose yes stands, who is
    withheld or exempt, or who is kept for another reason and did not say no."""
    for no in reading.opted_out(tx):
        yield MustGo(no.mailbox, Why.OPTED_OUT, no.confirmed_at, no.leaf)
    now = {"now": to_micros(tx.now)}
    for reason in _BY_DATE:
        rows = tx.connection.execute(
            "SELECT id, generation, sealed, relationship, country, due_at FROM recipient"
            f" WHERE {due.past(reason)} ORDER BY id",
            now,
        )
        for row in rows:
            mailbox = open_person(tx, row).address.mailbox
            yield MustGo(mailbox, Why(reason), from_micros(row[5]), None)
    is_named = f"SELECT 1 FROM recipient WHERE id = :id AND ({_past()})"
    for one in elsewhere.no_more(tx, None):
        if tx.connection.execute(is_named, {**now, "id": one.id}).fetchone() is None:
            yield MustGo(one.mailbox, Why.NO_MORE, one.since, one.leaf)
    for gone in elsewhere.to_remove(tx):
        yield MustGo("", Why.ERASED, gone.erased_at, gone.proof)


def _past() -> str:
    return " OR ".join(f"({due.past(reason)})" for reason in _BY_DATE)
