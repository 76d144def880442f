"""Settles in the ledger what a message says, once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from enum import StrEnum

from repermit.domain.envelope import Of, SignedName
from repermit.inbound.reading import BOUNCES, REPLIES, Kind, Reading
from repermit.ledger.engine import Ledger
from repermit.ledger.store import handled, inbound, replies, waves
from repermit.ledger.store.inbound import Effect, LanguageOf, Reported
from repermit.ledger.transaction import Transaction

TRIAL = "check"  # the kind of whatever tells of a mail that tries whether bounces come back
_AT_ONCE = 256  # messages that share a commit at the most


class Outcome(StrEnum):
    """What became of a message."""

    SETTLED = "settled"  # it moved somebody, or stopped the sending
    COUNTED = "counted"  # it says nothing that moves anybody, or they stand there already
    LISTED = "listed"  # a person must read it: `inbound review`
    REPEATED = "repeated"  # the same was handled before
    FORGED = "forged"  # it names a mail with a signature that is not ours
    NOT_OURS = "not_ours"  # it names no mail of this campaign, or nobody would read what it says
    LATER = "later"  # the mail is leaving at this moment: kept, and handled with the next look


_OUTCOMES = {
    Effect.MOVED: Outcome.SETTLED,
    Effect.NOTHING: Outcome.COUNTED,
    Effect.LEAVING: Outcome.LATER,
}


async def settle(
    ledger: Ledger, digest: bytes, reading: Reading, *, language_of: LanguageOf
) -> Outcome:
    """Do in the ledger what a message says, unless the same was handled before, and return what
    became of it; *language_of* gives the reading of who is asked, as `Question.reading_for`.

    Crash: all of it is durable, with the note that it was handled, or nothing is; whoever hands
    it in again does no harm.
    """
    return await ledger.write(_settle, digest, reading, language_of)


async def settle_all(
    ledger: Ledger, messages: Iterable[tuple[bytes, Reading]], *, language_of: LanguageOf
) -> list[Outcome]:
    """Do the same with each of *messages*, in their order; many share one commit.

    Crash: the first of them are durable, each whole, and the others are not.
    """
    outcomes: list[Outcome] = []
    waiting = list(messages)
    for start in range(0, len(waiting), _AT_ONCE):
        part = waiting[start : start + _AT_ONCE]
        outcomes += await asyncio.gather(
            *(settle(ledger, digest, reading, language_of=language_of) for digest, reading in part)
        )
    return outcomes


async def note_read(ledger: Ledger) -> None:
    """Note that what comes back was read to its end, also when nothing had come."""
    await ledger.write(waves.note_inbound)


def _settle(tx: Transaction, digest: bytes, reading: Reading, language_of: LanguageOf) -> Outcome:
    if handled.outcome_of(tx, digest) is not None:
        return Outcome.REPEATED
    outcome = _outcome(tx, reading, language_of)
    if outcome is not Outcome.LATER:
        is_check = reading.whose is not None and reading.whose.of is Of.CHECK
        is_trial = is_check and outcome is Outcome.COUNTED
        handled.note(tx, digest, kind=TRIAL if is_trial else reading.kind, outcome=outcome)
    return outcome


def _outcome(tx: Transaction, reading: Reading, language_of: LanguageOf) -> Outcome:
    if reading.whose is None:
        return _unsigned(tx, reading)
    if reading.kind in REPLIES:
        return _reply(tx, reading.whose, reading, language_of)
    if reading.whose.of is Of.CHECK:
        if reading.kind in BOUNCES and reading.kind is not Kind.DELIVERED:
            inbound.note_check(tx, reading.whose.number, kind=reading.kind, status=reading.status)
        return Outcome.COUNTED
    return _OUTCOMES[_effect(tx, _mail(tx, reading.whose), reading, language_of)]


def _mail(tx: Transaction, whose: SignedName) -> Reported:
    find = inbound.of_owed if whose.of is Of.OWED else inbound.of_question
    return find(tx, whose.number)


def _effect(tx: Transaction, mail: Reported, reading: Reading, language_of: LanguageOf) -> Effect:
    match reading.kind:
        case Kind.HARD:
            return inbound.bounced(tx, mail, reading.status)
        case Kind.DELIVERED:
            return inbound.delivered(tx, mail, reading.status)
        case Kind.TEMPORARY:
            return inbound.put_off(tx, mail)
        case Kind.ABOUT_US:
            return inbound.refused_us(tx, mail, reading.status)
        case Kind.COMPLAINT:
            return inbound.complained(tx, mail)
        case Kind.NO:
            return inbound.said_no(tx, mail, source="reply", language_of=language_of)
        case Kind.UNSUBSCRIBE:
            return inbound.said_no(tx, mail, source="unsubscribe", language_of=language_of)
        case _:
            return Effect.NOTHING


def _reply(
    tx: Transaction, whose: SignedName, reading: Reading, language_of: LanguageOf
) -> Outcome:
    """Return what becomes of what a person wrote. Only a no to the question is settled: the
    acknowledgement of one asks whether it was them, which a no answers otherwise. What reaches
    nobody on file, or is too much to be listed, is put away for a person and never removed."""
    mail = Reported(inbound.NOBODY) if whose.of is Of.CHECK else _mail(tx, whose)
    if mail.recipient_id == inbound.NOBODY:
        return Outcome.NOT_OURS
    if reading.kind is Kind.NO and whose.of is not Of.OWED:
        return _OUTCOMES[_effect(tx, mail, reading, language_of)]
    return _list(tx, mail.recipient_id, reading, signed=True)


def _unsigned(tx: Transaction, reading: Reading) -> Outcome:
    """Return what becomes of a message that names no mail with our signature: what a person wrote
    is shown to one when the address is a recipient's, and settles nobody."""
    if reading.kind in REPLIES and reading.sender:
        recipient_id = inbound.whose_address(tx, reading.sender)
        if recipient_id is not None:
            return _list(tx, recipient_id, reading, signed=False)
    return Outcome.FORGED if reading.forged else Outcome.NOT_OURS


def _list(tx: Transaction, recipient_id: int, reading: Reading, *, signed: bool) -> Outcome:
    is_kept = replies.keep_reply(
        tx,
        recipient_id,
        kind=reading.kind,
        signed=signed,
        sender=reading.sender,
        subject=reading.subject,
        text=reading.text,
    )
    return Outcome.LISTED if is_kept else Outcome.NOT_OURS
