"""What tests build of: a clock to turn, newcomers, and the path of a recipient step by step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from repermit.domain.address import parse
from repermit.domain.due import BY_DATE
from repermit.domain.policy import Decision, Evidence, Rules, decide
from repermit.domain.provider import NO_CAPS, provider_of
from repermit.domain.relationship import Relationship
from repermit.domain.standing import Answer, Standing, Way
from repermit.ledger.engine import Ledger
from repermit.ledger.mark import Mark, MarkFile
from repermit.ledger.store import (
    admission,
    answering,
    erasing,
    outbox,
    sending,
    snapshots,
    stretches,
)
from repermit.ledger.store.admission import Newcomer, Screened, Tally
from repermit.ledger.store.answering import Asked, Press
from repermit.ledger.store.due import Terms
from repermit.ledger.store.personal import Person
from repermit.ledger.store.sending import Intent, Reserved, Settlement
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction
from repermit.ledger.verify import Verified, verify

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
EVERYTHING = 1_000_000_000  # a log size that no listed row was listed after
ANSWER_TIME = timedelta(days=31)
MAIL, PAGE = map(snapshots.snapshot_hash, ("the mail", "the page"))  # what was shown
RULES = Rules(reasons=dict.fromkeys(Relationship, "they signed up and the proof is gone"))


class FakeClock:
    """A clock that stands still until it is turned."""

    def __init__(self, moment: datetime = NOW) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment that it was turned to."""
        return self._moment

    def advance(self, by: timedelta) -> None:
        """Turn the clock by that much, also back."""
        self._moment += by


def evidence_of(**changes: Any) -> Evidence:
    """Return evidence that lets one be asked in Belgium, with some of it changed."""
    known: dict[str, Any] = {
        "relationship": "signed_up_no_proof",
        "country": "BE",
        "source": "the stand at the fair",
        "collected": date(2025, 3, 1),
    }
    return Evidence(**(known | changes))


@dataclass(frozen=True)
class Draft:
    """One address of a list, screened, before a vault is at hand."""

    person: Person
    language: str | None
    decision: Decision


def a_newcomer(
    address: str, *, language: str | None = "nl", rules: Rules = RULES, **evidence: Any
) -> Draft:
    """Return one address of a list, screened; someone who may be asked unless changed."""
    known = evidence_of(**evidence)
    decision = decide(known, rules, today=NOW.date())
    return Draft(Person(parse(address), known), language, decision)


def newcomer_of(tx: Transaction, draft: Draft, *, generation: int) -> Newcomer:
    """Return *draft* as it asks to be admitted."""
    canonical = draft.person.address.canonical
    return Newcomer(
        tx.vault.lookup(canonical, generation=generation),
        tx.vault.suppressions(canonical),
        draft.person.address.mailbox,
        provider_of(draft.person.address.domain),
        *Screened.of(draft.person.evidence, draft.language, draft.decision),
    )


def admit_part(tx: Transaction, intake_id: int, drafts: Sequence[Draft]) -> Tally:
    """Admit people of different addresses, as a part of an import."""
    generation = tx.value("SELECT generation FROM campaign")
    newcomers = [newcomer_of(tx, draft, generation=generation) for draft in drafts]
    return admission.admit(tx, intake_id, newcomers, generation=generation)


def take_in(tx: Transaction, drafts: Sequence[Draft]) -> Tally:
    """Import a whole list in one part; the first row of an address counts."""
    intake_id, _ = admission.begin_intake(tx, "a" * 64)
    different = {draft.person.address.canonical: draft for draft in reversed(drafts)}
    tally = admit_part(tx, intake_id, list(reversed(different.values())))
    tally.read, tally.duplicates = len(drafts), tally.duplicates + len(drafts) - len(different)
    admission.finish_intake(tx, intake_id, tally, {})
    return tally


async def admit(ledger: Ledger, *addresses: str, **evidence: Any) -> list[int]:
    """Admit *addresses* and return their ids; all of them must be new."""
    newcomers = [a_newcomer(address, **evidence) for address in addresses]
    tally = await ledger.write(take_in, newcomers)
    assert tally.admitted == len(addresses)
    last = await ledger.read(lambda tx: int(tx.value("SELECT max(id) FROM recipient")))
    return list(range(last - len(addresses) + 1, last + 1))


async def claim(
    ledger: Ledger, *ids: int, owner: str = "sender", due: datetime | None = None
) -> None:
    """Let *owner* reserve rows and intend the mails of *ids*; their mail is MAIL."""

    def part(tx: Transaction) -> set[int]:
        snapshots.keep_snapshot(tx, "mail", "nl", "the mail")
        reserved = sending.reserve(tx, owner, approved_size=EVERYTHING, limit=1_000, caps=NO_CAPS)
        until = due or tx.now.replace(microsecond=0) + ANSWER_TIME
        wanted = [one for one in reserved if one.id in ids]
        left = {one.id for one in wanted if intend_one(tx, one, owner, due=until)}
        sending.release(tx, owner)
        return left

    assert await ledger.write(part) == set(ids)


def keep_shown(tx: Transaction) -> None:
    """Keep what MAIL and PAGE are the hashes of."""
    snapshots.keep_snapshot(tx, "mail", "nl", "the mail")
    snapshots.keep_snapshot(tx, "page", "nl", "the page")


def intend_one(tx: Transaction, reserved: Reserved, owner: str, *, due: datetime) -> bool:
    """Claim one reserved row for MAIL; return whether it may leave."""
    return reserved.id in sending.intend(tx, owner, [Intent(reserved, due, MAIL)], NO_CAPS)


async def settle(
    ledger: Ledger, recipient_id: int, standing: Standing, *, owner: str = "sender", **more: Any
) -> bool:
    """Settle a claimed row with the relay's word."""
    word = Settlement(standing, **{"reply": "250", **more})
    return recipient_id in await ledger.write(sending.settle, owner, {recipient_id: word})


async def ask(ledger: Ledger, *ids: int) -> None:
    """Send *ids* their mail; the relay takes it."""
    await claim(ledger, *ids)
    for recipient_id in ids:
        assert await settle(ledger, recipient_id, Standing.ASKED)


async def bounce(ledger: Ledger, *ids: int, reply: str = "550 5.1.1") -> None:
    """Let the mails of *ids*, which the relay took, come back."""

    def part(tx: Transaction) -> None:
        rows = tx.rows(
            "UPDATE recipient SET standing = 'undeliverable', relay_reply = ?"
            " WHERE id IN (SELECT value FROM json_each(?)) AND standing = 'asked'"
            " RETURNING stretch",
            *(reply, json.dumps(ids)),
        )
        assert len(rows) == len(ids)
        stretches.count_undeliverable(tx, [(row[0], reply) for row in rows])

    await ledger.write(part)


async def asked(ledger: Ledger, *addresses: str) -> list[int]:
    """Admit *addresses*, send them their mail, and return their ids."""
    ids = await admit(ledger, *addresses)
    await ask(ledger, *ids)
    return ids


def a_press(answer: Answer = Answer.YES, *, way: Way = Way.FORM, **changes: Any) -> Press:
    """Return what comes in when a recipient presses; a yes is for the newsletter."""
    shown: dict[str, Any] = {
        "button": "Ja" if answer is Answer.YES else "Nee",
        "language": "nl",
        "purposes": ("newsletter",) if answer is Answer.YES else (),
        "page": None if way is Way.ONE_CLICK else PAGE,
        "release": "0.1.0",
    }
    return Press(answer=answer, way=way, **(shown | changes))


async def press(
    ledger: Ledger, recipient_id: int, answer: Answer, *, way: Way = Way.FORM, **changes: Any
) -> Asked | None:
    """Let a recipient press, and return where it leaves them."""

    def part(tx: Transaction) -> Asked | None:
        snapshots.keep_snapshot(tx, "page", "nl", "the page")
        return answering.file_answer(tx, recipient_id, a_press(answer, way=way, **changes))

    return await ledger.write(part)


async def deliver_outbox(ledger: Ledger) -> int:
    """Let the relay take every mail that the outbox owes now, and return how many."""

    def part(tx: Transaction) -> int:
        sent = 0
        while due := outbox.next_due(tx):
            owed = outbox.look(tx, due.id)
            if owed is None:
                assert outbox.drop(tx, due.id)
            elif outbox.take(tx, "sender", owed):
                word = outbox.Settled(outbox.Standing.SENT, "250")
                sent += outbox.settle(tx, "sender", owed.id, word)
        return sent

    return await ledger.write(part)


async def standings(ledger: Ledger) -> dict[int, str]:
    """Return where every recipient stands, by id."""
    return await ledger.read(
        lambda tx: dict(tx.rows("SELECT id, standing FROM recipient ORDER BY id"))
    )


def mark_of(ledger: Ledger) -> Mark | None:
    """Return the mark in the key folder of *ledger*."""
    return MarkFile(ledger.vault.keys.mark).read()


async def verified(ledger: Ledger) -> Verified:
    """Return what the replay of the log finds, the mark included."""
    return await ledger.read(verify, mark_of(ledger))


def terms(moment: datetime) -> Terms:
    """Return the terms by which a purge at *moment* erases; no proof is kept for longer."""
    return Terms(moment, reasons=BY_DATE, window=timedelta(days=31), proof=timedelta(0))


async def begin_purge(ledger: Ledger) -> Purge:
    """Begin a purge of everyone who is due now."""
    return await ledger.write(erasing.begin_purge, terms(ledger.clock.now()), by="An", facts={})
