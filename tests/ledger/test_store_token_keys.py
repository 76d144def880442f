"""Whose links work no more, because the key that signed them is gone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from repermit.domain.standing import Answer
from repermit.errors import KeysUnusable
from repermit.ledger.engine import Ledger
from repermit.ledger.linkkeys import Change
from repermit.ledger.log import Kind
from repermit.ledger.store import token_keys
from repermit.ledger.store.token_keys import LinksOut
from tests.builders import ANSWER_TIME, NOW, FakeClock, admit, asked, press, terms, verified

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


async def revoke(ledger: Ledger, *before: str, new: str = "new") -> None:
    await ledger.write(token_keys.log_change, Change(Kind.REVOKED, before, new))


async def test_a_key_that_was_revoked_signs_and_reads_nothing_any_more(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Also one that never signed a mail, and one that comes back with an older copy."""
    await a_ledger.write(token_keys.note, "first")
    a_clock.advance(DAY)
    await revoke(a_ledger, "first", "unused")

    await a_ledger.write(token_keys.note, "new")
    await a_ledger.read(token_keys.require_good, ["new"])
    for held in (["first", "new"], ["unused"]):
        with pytest.raises(KeysUnusable, match="were revoked on 2026-11-22"):
            await a_ledger.read(token_keys.require_good, held)
    with pytest.raises(KeysUnusable, match="revoked"):
        await a_ledger.write(token_keys.note, "first")


@pytest.mark.parametrize("kind", [Kind.ROTATED, Kind.REVOKED])
async def test_a_change_of_the_keys_is_one_entry_however_often_it_is_finished(
    a_ledger: Ledger, a_clock: FakeClock, kind: Kind
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(DAY)
    for _ in range(2):
        await a_ledger.write(token_keys.log_change, Change(kind, ("old",), "new"))
    await a_ledger.write(token_keys.log_change, Change(kind, ("new",), "newer"))

    rows = await a_ledger.read(
        lambda tx: tx.rows('SELECT payload FROM log WHERE kind = ? ORDER BY "index"', str(kind))
    )
    told = [json.loads(row[0]) for row in rows]
    assert [(each["before"], each["new"]) for each in told] == [
        (["old"], "new"),
        (["new"], "newer"),
    ]
    people = [each.get("people") for each in told]
    assert people == ([1, 0] if kind is Kind.REVOKED else [None, None])
    assert (await verified(a_ledger)).holds


async def test_how_many_links_work(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Of who had their mail since links were last revoked, whatever became of them."""
    yes, no, _, _ = await asked(a_ledger, *(f"{name}@voorbeeld.example" for name in "abcd"))
    await admit(a_ledger, "e@voorbeeld.example")
    await press(a_ledger, yes, Answer.YES)
    await press(a_ledger, no, Answer.NO)

    assert await a_ledger.read(token_keys.links_out) == LinksOut(4, waiting=2, agreed=1)
    a_clock.advance(ANSWER_TIME)
    assert await a_ledger.read(token_keys.links_out) == LinksOut(4, waiting=0, agreed=1)
    await revoke(a_ledger, "first")
    assert await a_ledger.read(token_keys.links_out) == LinksOut(0, waiting=0, agreed=0)
    a_clock.advance(DAY)
    await asked(a_ledger, "f@voorbeeld.example")
    assert await a_ledger.read(token_keys.links_out) == LinksOut(1, waiting=1, agreed=0)


async def test_a_key_that_was_revoked_is_not_lost(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Its people are counted by whether their time was over."""
    await a_ledger.write(token_keys.note, "first")
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(DAY)
    await asked(a_ledger, "bo@voorbeeld.example", "cy@voorbeeld.example")
    a_clock.advance(ANSWER_TIME - DAY)
    await revoke(a_ledger, "first", "unused")
    await a_ledger.write(token_keys.note, "new")
    await asked(a_ledger, "di@voorbeeld.example")

    late = terms(a_clock.now() + 2 * ANSWER_TIME)
    assert await a_ledger.read(token_keys.cut_off, late, ["new"]) == 0
    assert await a_ledger.read(token_keys.cut_off, late, ["newer"]) == 1
    assert await a_ledger.read(token_keys.cut_short, late) == 2
    assert await a_ledger.read(token_keys.cut_short, terms(a_clock.now())) == 0
