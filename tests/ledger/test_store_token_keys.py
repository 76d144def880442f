"""Whose links work no more, because the key that signed them is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from repermit.ledger.engine import Ledger
from repermit.ledger.store import token_keys
from tests.builders import ANSWER_TIME, NOW, FakeClock, asked, terms

DAY = timedelta(days=1)


async def cut_off(ledger: Ledger, read: Sequence[str], *, after: timedelta = DAY) -> int:
    due = terms(NOW + ANSWER_TIME + after)
    return await ledger.read(token_keys.cut_off, due, read)


async def test_a_key_is_noted_once_with_its_first_day(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await a_ledger.write(token_keys.note, "first")
    a_clock.advance(DAY)
    await a_ledger.write(token_keys.note, "first")
    await a_ledger.write(token_keys.note, "second")

    noted = await a_ledger.read(
        lambda tx: tx.rows("SELECT fingerprint, (since - min(since) OVER ()) FROM token_key")
    )
    assert sorted(map(tuple, noted)) == [("first", 0), ("second", DAY / timedelta(microseconds=1))]


async def test_who_is_due_and_was_mailed_while_a_key_signed_that_is_gone(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Nothing is said of mails from before the first key was noted, nor of who is not due."""
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(timedelta(hours=1))
    await a_ledger.write(token_keys.note, "first")
    await asked(a_ledger, "bo@voorbeeld.example", "cy@voorbeeld.example")
    a_clock.advance(timedelta(hours=1))
    await a_ledger.write(token_keys.note, "second")
    await asked(a_ledger, "di@voorbeeld.example")
    a_clock.advance(2 * DAY)
    await asked(a_ledger, "ed@voorbeeld.example")

    assert await cut_off(a_ledger, ["zeroth", "first", "second"]) == 0
    assert await cut_off(a_ledger, ["second", "third"]) == 2
    assert await cut_off(a_ledger, ["first"]) == 1
    assert await cut_off(a_ledger, ["first"], after=3 * DAY) == 2
    assert await cut_off(a_ledger, []) == 3
    assert await cut_off(a_ledger, [], after=timedelta(0)) == 0
