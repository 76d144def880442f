"""What a message that came back does: the recipient whom it moves, and what it counts.

Where somebody stands is moved only by what is surely about them; an answer of their own outweighs
every report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from repermit.domain.address import parse
from repermit.domain.standing import Standing
from repermit.domain.token import TEST_RECIPIENT
from repermit.errors import AddressRejected
from repermit.ledger.instants import to_micros
from repermit.ledger.store import (
    caps,
    doubt,
    handled,
    outbox_doubt,
    owing,
    stretches,
    suppression,
    waves,
)
from repermit.ledger.store.caps import Back
from repermit.ledger.store.personal import Person, lookups, open_person
from repermit.ledger.transaction import Transaction

LanguageOf = Callable[[str | None, str | None], str]  # of the language and country on file


NOBODY = TEST_RECIPIENT  # no row has that id


class Effect(StrEnum):
    """What something that came back did."""

    MOVED = "moved"  # somebody, or it stopped the sending
    NOTHING = "nothing"  # they stand there already, or where it says nothing, or they are gone
    LEAVING = "leaving"  # the mail is leaving at this moment: to be handled later


@dataclass(frozen=True)
class Reported:
    """The mail that something came back about: the recipient it was to, `NOBODY` when they are gone
    or it was for the operator; `owed` is its number if it is one of the outbox."""

    recipient_id: int
    owed: int | None = None


def of_question(tx: Transaction, recipient_id: int) -> Reported:
    """Return the one question to a recipient."""
    known = tx.one("SELECT 1 FROM recipient WHERE id = ?", recipient_id)
    return Reported(recipient_id if known else NOBODY)


def of_owed(tx: Transaction, owed_id: int) -> Reported:
    """Return a mail of the outbox by its number."""
    row = tx.one("SELECT recipient_id, kind FROM outbox WHERE id = ?", owed_id)
    return Reported(row[0] or NOBODY, owed_id) if row else Reported(NOBODY)


def whose_address(tx: Transaction, mailbox: str) -> int | None:
    """Return the recipient who has that address, which anybody can write; None when nobody has."""
    try:
        address = parse(mailbox)
    except AddressRejected:
        return None
    for lookup in lookups(tx, address):
        if (found := tx.value("SELECT id FROM recipient WHERE lookup = ?", lookup)) is not None:
            return int(found)
    return None


def bounced(tx: Transaction, mail: Reported, status: str) -> Effect:
    """Settle that a mail came back because its address is dead; *status* are the codes.

    Only who has not answered becomes undeliverable. A mail of the outbox has failed, and nobody
    moves.
    """
    if mail.owed is not None:
        return _bounced_owed(tx, mail.owed, status)
    row = tx.one(
        "SELECT standing, stretch, provider FROM recipient WHERE id = ?", mail.recipient_id
    )
    if row is None or row[0] not in (Standing.ASKED, Standing.DOUBTFUL):
        return Effect.LEAVING if row and row[0] == Standing.CLAIMED else Effect.NOTHING
    reply = stretches.came_back(status)
    tx.run(
        "UPDATE recipient SET standing = 'undeliverable', relay_reply = ?, settled_at = ?"
        " WHERE id = ?",
        *(reply, to_micros(tx.now), mail.recipient_id),
    )
    tx.log.moved([mail.recipient_id], Standing.UNDELIVERABLE)
    stretches.count_undeliverable(tx, [(row[1], reply)])
    caps.count_back(tx, row[2], Back.HARD)
    return Effect.MOVED


def _bounced_owed(tx: Transaction, owed_id: int, status: str) -> Effect:
    standing = tx.value("SELECT standing FROM outbox WHERE id = ?", owed_id)
    if standing not in ("sent", "doubtful"):
        return Effect.LEAVING if standing == "claimed" else Effect.NOTHING
    tx.run(
        "UPDATE outbox SET standing = 'failed', relay_reply = ?, settled_at = ? WHERE id = ?",
        *(stretches.came_back(status), to_micros(tx.now), owed_id),
    )
    return Effect.MOVED


def delivered(tx: Transaction, mail: Reported, status: str) -> Effect:
    """Settle that a mail arrived: a doubtful one has left, and one that a report had called dead
    has not come back. What the relay itself refused never left, whatever a report says."""
    if mail.owed is not None:
        return _delivered_owed(tx, mail.owed)
    row = tx.one(
        "SELECT standing, stretch, provider, relay_reply, settled_at FROM recipient WHERE id = ?",
        mail.recipient_id,
    )
    if row is None:
        return Effect.NOTHING
    standing, stretch, provider, reply, bounced_at = row
    if standing == Standing.CLAIMED:
        return Effect.LEAVING
    if standing == Standing.DOUBTFUL:
        doubt.decide_doubt(tx, [mail.recipient_id], resend=False)
        return Effect.MOVED
    if standing != Standing.UNDELIVERABLE or not stretches.has_come_back(reply):
        return Effect.NOTHING
    tx.run(
        "UPDATE recipient SET standing = 'asked', relay_reply = ?, settled_at = ? WHERE id = ?",
        *(f"delivered {status}".rstrip(), to_micros(tx.now), mail.recipient_id),
    )
    tx.log.moved([mail.recipient_id], Standing.ASKED)
    stretches.count_undeliverable(tx, [(stretch, reply)], by=-1)
    caps.take_back(tx, provider, Back.HARD, counted_at=bounced_at)
    return Effect.MOVED


def _delivered_owed(tx: Transaction, owed_id: int) -> Effect:
    if tx.value("SELECT standing FROM outbox WHERE id = ?", owed_id) == "claimed":
        return Effect.LEAVING
    decided = outbox_doubt.decide_doubt(tx, [owed_id], resend=False)
    return Effect.MOVED if decided else Effect.NOTHING


def put_off(tx: Transaction, mail: Reported) -> Effect:
    """Count that a mail was put off, or given up for a reason that is not its address; of each
    recipient once a day, however many reports come."""
    day = tx.now.toordinal()
    if mail.recipient_id != NOBODY and handled.is_first(tx, "temporary", mail.recipient_id, day):
        caps.count_back(tx, _provider(tx, mail), Back.TEMPORARY)
    return Effect.NOTHING


def refused_us(tx: Transaction, mail: Reported, status: str) -> Effect:
    """Settle that a mail came back because of us: the sending stops at once, and nobody moves.

    Once a person has let it go on, it stops again when as many came back as that person had seen.
    Each recipient counts once, for whoever was asked can make as many reports as they like of the
    one signed name that they know. A notice, which goes to the operator, says nothing of that.
    """
    if mail.recipient_id == NOBODY or not handled.is_first(tx, "about_us", mail.recipient_id):
        return Effect.NOTHING
    provider = _provider(tx, mail)
    caps.count_back(tx, provider, Back.ABOUT_US)
    count, seen = tx.one(
        "UPDATE campaign SET about_us = about_us + 1 RETURNING about_us, about_us_seen"
    )
    if count - seen < max(1, seen):
        return Effect.NOTHING
    why = {
        "code": "about_us",
        "wave": tx.value("SELECT coalesce(max(number), 0) FROM wave"),
        "mails": tx.value("SELECT coalesce(sum(mails), 0) FROM stretch"),
        "count": count - seen,
        "provider": provider or caps.OTHERS,
        "status": status,
    }
    return Effect.MOVED if waves.stop(tx, why) else Effect.NOTHING


def _provider(tx: Transaction, mail: Reported) -> str | None:
    found: str | None = tx.value("SELECT provider FROM recipient WHERE id = ?", mail.recipient_id)
    return found


def complained(tx: Transaction, mail: Reported) -> Effect:
    """Opt out whoever complained, or in whose name it was done, for good; nothing is acknowledged,
    also not a no of theirs that waits for it."""
    row = _person(tx, mail)
    if row is None:
        return Effect.NOTHING
    person, _, provider = row
    is_new = suppression.note_complaint(tx, person.address.canonical)
    stood = suppression.opt_out(tx, mail.recipient_id, source="complaint")
    tx.run(
        "UPDATE outbox SET standing = 'dropped', settled_at = ? WHERE recipient_id = ?"
        " AND kind = 'acknowledgement' AND standing = 'waiting'",
        *(to_micros(tx.now), mail.recipient_id),
    )
    if is_new:
        caps.count_back(tx, provider, Back.COMPLAINTS)
    return Effect.MOVED if is_new or stood != Standing.OPTED_OUT else Effect.NOTHING


def said_no(tx: Transaction, mail: Reported, *, source: str, language_of: LanguageOf) -> Effect:
    """Opt out somebody who wrote no, or unsubscribed by mail, as a no on the page would; the
    acknowledgement is owed in the language in which they were asked."""
    row = _person(tx, mail)
    if row is None:
        return Effect.NOTHING
    person, language, _ = row
    suppression.say_no(tx, tx.vault.suppression(person.address.canonical), source=source)
    stood = suppression.opt_out(tx, mail.recipient_id, source=source)
    reading = language_of(language, person.evidence.country)
    owing.owe_acknowledgement(tx, mail.recipient_id, person, language=reading)
    return Effect.NOTHING if stood == Standing.OPTED_OUT else Effect.MOVED


def _person(tx: Transaction, mail: Reported) -> tuple[Person, str | None, str | None] | None:
    """Return the person, their language and their provider; None when they are gone."""
    row = tx.one(
        "SELECT id, generation, sealed, relationship, country, language, provider FROM recipient"
        " WHERE id = ?",
        mail.recipient_id,
    )
    return None if row is None else (open_person(tx, row), row[5], row[6])


def note_check(tx: Transaction, number: int, *, kind: str, status: str) -> None:
    """Note that the mail of that number, which tried whether bounces come back, has come back, and
    as what; once that was because its address is dead, nothing else counts."""
    tx.run(
        "UPDATE campaign SET bounce_seen_at = ?, bounce_kind = ?, bounce_status = ?"
        " WHERE bounce_check = ? AND coalesce(bounce_kind, '') <> 'hard'",
        *(to_micros(tx.now), kind, status, number),
    )
