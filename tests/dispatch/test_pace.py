"""How fast turns pass."""

from __future__ import annotations

import asyncio
from typing import Any

from repermit.dispatch.pace import Pace


async def times(per_second: float, turns: int, *, at_once: bool) -> tuple[float, int]:
    """Return how long it took until so many turns had passed, and with how many timers."""
    pace, over, loop = Pace(per_second), asyncio.Event(), asyncio.get_running_loop()
    timers = 0
    call_at = loop.call_at

    def counted(*given: Any, **more: Any) -> asyncio.TimerHandle:
        nonlocal timers
        timers += 1
        return call_at(*given, **more)

    loop.call_at = counted  # type: ignore[method-assign, assignment]  # to count
    began = loop.time()
    if at_once:
        await asyncio.gather(*(pace.turn(over) for _ in range(turns)))
    else:
        for _ in range(turns):
            await pace.turn(over)
    return loop.time() - began, timers


async def test_ten_thousand_turns_a_second_need_no_timer_each() -> None:
    """They would take several times as long."""
    seconds, timers = await times(10_000.0, 2000, at_once=False)

    assert seconds > 0.15  # however slow the machine is, no turn comes before its time
    assert timers < 200


async def test_turns_of_many_callers_share_one_pace() -> None:
    seconds, _ = await times(200.0, 41, at_once=True)

    assert seconds > 0.15


async def test_two_senders_have_half_of_the_turns_each() -> None:
    pace, over, loop = Pace(100.0, lambda: 2), asyncio.Event(), asyncio.get_running_loop()
    began = loop.time()
    for _ in range(11):
        await pace.turn(over)

    assert loop.time() - began > 0.15  # however slow the machine is, no turn comes before its time


async def test_who_waits_is_let_go_when_the_run_is_over() -> None:
    pace, over = Pace(0.01), asyncio.Event()
    await pace.turn(over)
    waiting = asyncio.create_task(pace.turn(over))
    await asyncio.sleep(0)
    over.set()

    await asyncio.wait_for(waiting, 30.0)
