"""A hold keeps a person, shown and dated, and ends by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from repermit.domain.hold import Why
from repermit.domain.standing import Answer
from repermit.errors import ImportRefused, PersonHeld
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.log import Kind
from repermit.ledger.store import due, erasing, holding, timeline, undoing
from repermit.ledger.store.holding import OnHold
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    admit,
    asked,
    begin_purge,
    press,
    standings,
    terms,
    verified,
)

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"
MOMENT = timedelta(microseconds=1)
YEAR = timedelta(days=365)


async def hold(
    ledger: Ledger, one: int, *, days: int = 365, kind: Why = Why.DISPUTE, by: str = "Bo"
) -> bool:
    """Hold somebody for so long."""
    until = ledger.clock.now() + timedelta(days=days)
    return await ledger.write(
        holding.hold, one, kind=kind, until=until, by=by, reason="a claim is open"
    )


async def holds(ledger: Ledger) -> int:
    """Return how many rows say that somebody is held."""
    return await ledger.read(lambda tx: int(tx.value("SELECT count(*) FROM hold")))


async def test_a_hold_keeps_from_the_purge_to_its_last_instant(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    end = a_clock.now() + YEAR

    assert await hold(a_ledger, one)

    assert await a_ledger.read(due.ids, terms(end - MOMENT)) == []
    assert await a_ledger.read(due.held, terms(end - MOMENT)) == 1
    assert await a_ledger.read(due.ids, terms(end)) == [one]
    assert await a_ledger.read(due.held, terms(end)) == 0


async def test_a_hold_says_for_what_since_when_until_when_and_by_whom(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await hold(a_ledger, one)
    now = a_clock.now()

    found = await a_ledger.read(holding.hold_on, one)
    assert found == OnHold(Why.DISPUTE, now, now + YEAR, "Bo", "a claim is open")
    assert found.counts(now + YEAR - MOMENT)
    assert not found.counts(now + YEAR)
    assert await a_ledger.read(holding.in_force) == (1, now + YEAR)
    a_clock.advance(YEAR)
    assert await a_ledger.read(holding.in_force) == (0, None)
    last = (await a_ledger.read(timeline.timeline, one))[-1]
    assert last.kind is Kind.HELD
    assert last.facts == {
        "kind": "dispute",
        "until": "2027-11-21T09:30:00Z",
        "by": "Bo",
        "reason": "a claim is open",
    }


async def test_a_later_hold_takes_the_place_of_the_one_before_and_the_log_keeps_both(
    a_ledger: Ledger,
) -> None:
    (one,) = await asked(a_ledger, AN)
    await hold(a_ledger, one)
    await hold(a_ledger, one, days=30, kind=Why.CONTRACT)

    found = await a_ledger.read(holding.hold_on, one)
    assert found is not None
    assert (found.kind, found.until - found.since) == (Why.CONTRACT, timedelta(days=30))
    kinds = [each.kind for each in await a_ledger.read(timeline.timeline, one)]
    assert kinds[-2:] == [Kind.HELD, Kind.HELD]
    assert (await verified(a_ledger)).holds


async def test_who_is_released_falls_due_again(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await asked(a_ledger, AN)
    await hold(a_ledger, one)

    assert await a_ledger.write(holding.release, one, by="Cy", reason="it is settled")
    assert not await a_ledger.write(holding.release, one, by="Cy", reason="it is settled")

    assert await a_ledger.read(due.ids, terms(a_clock.now() + ANSWER_TIME)) == [one]
    last = (await a_ledger.read(timeline.timeline, one))[-1]
    assert (last.kind, last.facts) == (Kind.RELEASED, {"by": "Cy", "reason": "it is settled"})
    assert (await verified(a_ledger)).holds


async def test_nobody_is_held_who_is_not_there(a_ledger: Ledger) -> None:
    assert not await hold(a_ledger, 7)
    assert await a_ledger.read(holding.hold_on, 7) is None


async def test_whoever_is_held_is_not_erased_on_their_wish_either(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await hold(a_ledger, one)

    with pytest.raises(PersonHeld, match=r"2027-11-21T09:30:00Z.*dispute.*17\(3\)\(e\)") as caught:
        await a_ledger.write(erasing.erase_person, one)
    assert caught.value.details() == {"held": {"kind": "dispute", "until": "2027-11-21T09:30:00Z"}}
    assert await standings(a_ledger) == {one: "asked"}

    a_clock.advance(YEAR)
    assert await a_ledger.write(erasing.erase_person, one)
    assert (await holds(a_ledger), await standings(a_ledger)) == (0, {})
    assert (await verified(a_ledger)).holds


async def test_a_purge_leaves_nothing_of_a_hold_that_has_ended(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await hold(a_ledger, one, days=3)
    a_clock.advance(ANSWER_TIME)
    purge = await begin_purge(a_ledger)
    await a_ledger.write(erasing.erase_due, purge, slice_rows=10)

    assert (await holds(a_ledger), await standings(a_ledger)) == (0, {})
    said = "SELECT payload FROM log WHERE kind = 'held'"
    assert await a_ledger.read(lambda tx: tx.value(said)) is None
    assert (await verified(a_ledger)).holds


async def test_a_hold_that_comes_while_a_purge_erases_keeps_the_person(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    a_clock.advance(ANSWER_TIME)
    purge = await begin_purge(a_ledger)
    await hold(a_ledger, one)
    await a_ledger.write(erasing.erase_due, purge, slice_rows=10)

    assert await standings(a_ledger) == {one: "asked"}


async def test_a_hold_survives_the_resealing(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await asked(a_ledger, AN)
    await hold(a_ledger, one)
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)
    await a_ledger.write(erasing.reseal_slice, slice_rows=10)

    found = await a_ledger.read(holding.hold_on, one)
    assert found is not None
    assert found.counts(a_clock.now())
    assert (await verified(a_ledger)).holds


async def test_an_answer_still_counts_of_whoever_is_held(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, AN)
    await hold(a_ledger, one)
    await press(a_ledger, one, Answer.NO)

    assert await standings(a_ledger) == {one: "opted_out"}


async def test_an_import_is_not_taken_back_while_somebody_of_it_is_held(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one, _ = await admit(a_ledger, AN, JAN)
    await hold(a_ledger, one)

    with pytest.raises(ImportRefused, match="somebody of it is held"):
        await a_ledger.write(undoing.begin_undoing, 1)

    a_clock.advance(YEAR)
    await a_ledger.write(undoing.begin_undoing, 1)
    assert await a_ledger.write(undoing.take_back, 1, slice_rows=10) == 2
    assert await holds(a_ledger) == 0
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("DELETE FROM hold", ()),
        ("UPDATE hold SET until = until + 1", ()),
        ("UPDATE hold SET kind = 'contract'", ()),
        ("UPDATE hold SET reason = ?", ("another",)),
        ("INSERT INTO hold VALUES (2, 'contract', 0, 9, 'Bo', 'no entry')", ()),
    ],
)
async def test_a_hold_that_is_not_that_of_the_log_is_named(
    a_ledger: Ledger, sql: str, values: tuple[Any, ...]
) -> None:
    one, two = await asked(a_ledger, AN, JAN)
    await hold(a_ledger, one)
    assert (await verified(a_ledger)).holds
    await a_ledger.write(lambda tx: tx.run(sql, *values))

    who = two if sql.startswith("INSERT") else one
    found = await verified(a_ledger)
    assert found.false_records == [f"the hold on recipient {who}: not what was logged"]
