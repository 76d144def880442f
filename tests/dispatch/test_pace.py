"""How fast turns pass."""

from __future__ import annotations

import asyncio
import time

from repermit.dispatch.pace import Pace


async def test_ten_thousand_turns_a_second_pass_in_a_second() -> None:
    """No timer for each: they would take several times as long."""
    pace, over = Pace(10_000.0), asyncio.Event()
    started = time.monotonic()

    for _ in range(5000):
        await pace.turn(over)

    assert 0.45 < time.monotonic() - started < 1.0


async def test_turns_of_many_callers_share_one_pace() -> None:
    pace, over = Pace(200.0), asyncio.Event()
    started = time.monotonic()

    await asyncio.gather(*(pace.turn(over) for _ in range(41)))

    assert 0.18 < time.monotonic() - started < 0.5


async def test_who_waits_is_let_go_when_the_run_is_over() -> None:
    pace, over = Pace(0.01), asyncio.Event()
    await pace.turn(over)
    waiting = asyncio.create_task(pace.turn(over))
    await asyncio.sleep(0)
    over.set()

    await asyncio.wait_for(waiting, 1.0)
