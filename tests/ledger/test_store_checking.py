from __future__ import annotations

from datetime import timedelta

from repermit.ledger.engine import Ledger
from repermit.ledger.store import checking, inbound
from tests.builders import NOW, FakeClock


async def test_a_bounce_is_that_of_the_last_mail_that_left(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    assert await a_ledger.read(checking.tried) == checking.Tried()
    assert (await a_ledger.read(checking.tried)).took is None
    first = await a_ledger.write(checking.begin)
    a_clock.advance(timedelta(seconds=3))
    assert (await a_ledger.read(checking.tried)).took is None

    await a_ledger.write(inbound.note_check, first, kind="hard", status="5.1.1")

    assert await a_ledger.read(checking.tried) == checking.Tried(
        first, NOW, NOW + timedelta(seconds=3), "hard", "5.1.1"
    )
    assert (await a_ledger.read(checking.tried)).took == timedelta(seconds=3)
    a_clock.advance(timedelta(hours=1))
    second = await a_ledger.write(checking.begin)
    await a_ledger.write(inbound.note_check, first, kind="hard", status="5.1.1")  # it came again

    tried = await a_ledger.read(checking.tried)
    assert (first, second, tried.number, tried.took, tried.kind) == (1, 2, 2, None, None)
    assert tried.seen_at == NOW + timedelta(seconds=3)  # one was seen once


async def test_of_a_mail_that_the_relay_refused_no_bounce_is_awaited(a_ledger: Ledger) -> None:
    number = await a_ledger.write(checking.begin)
    await a_ledger.write(checking.refused, number)

    tried = await a_ledger.read(checking.tried)
    assert (tried.number, tried.left_at, tried.took) == (number, None, None)
    assert await a_ledger.write(checking.begin) == number + 1


async def test_as_what_it_came_back_is_kept_until_it_came_back_as_dead(a_ledger: Ledger) -> None:
    number = await a_ledger.write(checking.begin)
    found = []
    for kind, status in (("temporary", "4.2.0"), ("hard", "5.1.1"), ("about_us", "5.7.26")):
        await a_ledger.write(inbound.note_check, number, kind=kind, status=status)
        tried = await a_ledger.read(checking.tried)
        found.append((tried.kind, tried.status))
    assert found == [("temporary", "4.2.0"), ("hard", "5.1.1"), ("hard", "5.1.1")]
