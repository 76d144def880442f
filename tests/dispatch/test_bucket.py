"""How fast turns pass on several machines together."""

from __future__ import annotations

import asyncio

import pytest

from repermit.dispatch.bucket import Bucket, turning
from repermit.dispatch.pace import Pace
from repermit.ledger.engine import Ledger
from tests.postgres import again


async def test_machines_that_share_a_ledger_take_their_turns_from_it(a_ledger: Ledger) -> None:
    kind = Bucket if a_ledger.database.is_shared else Pace
    assert isinstance(turning(a_ledger, 10.0), kind)


@pytest.mark.postgres
async def test_two_machines_keep_to_one_rate_together(a_ledger: Ledger) -> None:
    """However slow this machine is, no turn comes before its time."""
    other = Ledger.open(again(a_ledger.database), a_ledger.vault, a_ledger.clock)
    paces, over = [Bucket(each, 100.0) for each in (a_ledger, other)], asyncio.Event()
    loop = asyncio.get_running_loop()
    await paces[0].turn(over)
    began = loop.time()
    await asyncio.gather(*(pace.turn(over) for pace in paces for _ in range(20)))
    seconds = loop.time() - began
    await other.close()

    assert seconds > 0.3  # forty turns of 10 ms, less what may be caught up


@pytest.mark.postgres
async def test_no_more_turns_are_taken_than_are_wanted(a_ledger: Ledger) -> None:
    """Others would miss them: one after the other they come as they would alone."""
    pace, over = Bucket(a_ledger, 1000.0), asyncio.Event()
    for _ in range(3):
        await pace.turn(over)

    assert not pace._turns


@pytest.mark.postgres
async def test_a_turn_that_was_not_used_in_time_is_lost(a_ledger: Ledger) -> None:
    pace, over = Bucket(a_ledger, 1000.0), asyncio.Event()
    await pace.turn(over)
    pace._turns.append(asyncio.get_running_loop().time() - 1)
    at = asyncio.create_task(pace.turn(over))
    await asyncio.wait_for(at, 30.0)

    assert not pace._turns


@pytest.mark.postgres
async def test_who_waits_is_let_go_when_the_run_is_over(a_ledger: Ledger) -> None:
    pace, over = Bucket(a_ledger, 0.01), asyncio.Event()
    await pace.turn(over)
    waiting = [asyncio.create_task(pace.turn(over)) for _ in range(3)]
    await asyncio.sleep(0.1)
    over.set()

    await asyncio.wait_for(asyncio.gather(*waiting), 30.0)
