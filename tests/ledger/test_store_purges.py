"""What is told of purges: the days printed, when the next people fall due, the reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from repermit.domain.due import Reason
from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import to_micros
from repermit.ledger.store import due, erasing, purges
from repermit.ledger.store.due import Terms
from tests.builders import (
    ANSWER_TIME,
    NOW,
    FakeClock,
    asked,
    begin_purge,
    deliver_outbox,
    press,
    terms,
)

DATE = NOW + ANSWER_TIME


def of(ledger: Ledger, *reasons: Reason) -> Terms:
    """Return the terms of a purge of *reasons* now."""
    return replace(terms(ledger.clock.now()), reasons=reasons or (Reason.SILENT,))


async def test_the_dates_of_those_who_are_due_are_told_by_reason(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, "first@voorbeeld.example")
    a_clock.advance(timedelta(days=1))
    await asked(a_ledger, "second@voorbeeld.example")
    a_clock.advance(ANSWER_TIME)

    found = await a_ledger.read(purges.printed, of(a_ledger, Reason.SILENT, Reason.DOUBTFUL))

    assert found == {"silent": (DATE, DATE + timedelta(days=1))}


async def test_the_next_date_is_that_of_the_next_person(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    assert await a_ledger.read(due.following, of(a_ledger)) is None
    await asked(a_ledger, "first@voorbeeld.example")
    a_clock.advance(timedelta(days=1))
    await asked(a_ledger, "second@voorbeeld.example")

    assert await a_ledger.read(due.following, of(a_ledger)) == DATE
    a_clock.advance(timedelta(days=30))
    assert await a_ledger.read(due.following, of(a_ledger)) == DATE + timedelta(days=1)
    assert await a_ledger.read(purges.in_all, of(a_ledger)) == 2
    a_clock.advance(timedelta(days=1))
    assert await a_ledger.read(due.following, of(a_ledger)) is None


async def test_a_later_deadline_is_the_next_date(a_ledger: Ledger) -> None:
    await asked(a_ledger, "first@voorbeeld.example")
    later = DATE + timedelta(days=7)
    await a_ledger.write(
        lambda tx: tx.run("UPDATE campaign SET extended_until = ?", to_micros(later))
    )

    assert await a_ledger.read(due.following, of(a_ledger)) == later


async def test_the_proof_of_a_yes_that_was_withdrawn_has_a_date_of_its_own(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await press(a_ledger, an, Answer.YES)
    a_clock.advance(timedelta(days=3))
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(timedelta(minutes=1))
    await deliver_outbox(a_ledger)
    kept = replace(of(a_ledger, Reason.WITHDRAWN), proof=timedelta(days=1000))

    assert await a_ledger.read(due.following, kept) == NOW + timedelta(days=1003)


async def test_a_report_is_told_once_it_is_there(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await asked(a_ledger, "first@voorbeeld.example")
    a_clock.advance(ANSWER_TIME)
    assert await a_ledger.read(purges.generation) == 1
    await begin_purge(a_ledger)
    assert await a_ledger.read(purges.reports) == []
    assert await a_ledger.read(purges.finished) == 0

    await a_ledger.write(
        lambda tx: tx.run("""UPDATE purge SET finished_at = 1, report = '{"number":1}'""")
    )

    assert await a_ledger.read(purges.reports) == [(1, {"number": 1})]
    assert await a_ledger.read(purges.finished) == 1


async def test_the_log_has_the_hash_of_a_report(a_ledger: Ledger) -> None:
    assert await a_ledger.read(purges.reported) == {}
    purge = await begin_purge(a_ledger)

    await a_ledger.write(erasing.finish_purge, purge.id or 0, {"number": 1})

    assert await a_ledger.read(purges.reported) == {1: sha256(b'{"number":1}').hexdigest()}
