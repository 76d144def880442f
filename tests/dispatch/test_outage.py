"""What is done while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from repermit.dispatch import outage
from repermit.dispatch.outage import hold, outlasted
from repermit.errors import ChangeUnknown, LedgerAway, LedgerUnusable

AWAY, UNKNOWN = LedgerAway("away", hint="wait"), ChangeUnknown("unknown", hint="look")
FULL = LedgerUnusable("the disk is full", hint="make room")


def failing(*failures: Exception) -> Callable[[], Awaitable[int]]:
    """Return work that fails so, and then returns how often it was done."""
    left, done = list(failures), [0]

    async def work() -> int:
        done[0] += 1
        if left:
            raise left.pop(0)
        return done[0]

    return work


async def test_what_the_outage_undid_is_done_again() -> None:
    assert await outlasted(failing(AWAY, AWAY)) == 3


@pytest.mark.parametrize("failure", [FULL, UNKNOWN])
async def test_what_would_not_help_or_might_be_done_twice_is_not_tried_again(
    failure: LedgerUnusable,
) -> None:
    with pytest.raises(type(failure)):
        await outlasted(failing(failure))


async def test_what_may_be_done_twice_is_done_again_also_when_nobody_knows() -> None:
    assert await outlasted(failing(UNKNOWN), again=failing(AWAY, UNKNOWN)) == 3


async def test_the_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "OUTAGE_SECONDS", 0.0)
    with pytest.raises(LedgerAway):
        await outlasted(failing(AWAY, AWAY))
    with pytest.raises(LedgerAway):
        await hold(Lost(), asyncio.Event())


class Lost:
    """A lock that was lost."""

    is_held = False

    def acquire(self) -> bool:
        return False

    def release(self) -> None:
        self.is_held = True


async def test_who_lost_its_lock_begins_again_once_it_is_back() -> None:
    lock, over = Lost(), asyncio.Event()
    waiting = asyncio.create_task(hold(lock, over))
    await asyncio.sleep(0)
    assert not waiting.done()
    lock.is_held = True

    await asyncio.wait_for(waiting, 30.0)


async def test_who_lost_its_lock_does_not_keep_a_run_that_is_over() -> None:
    over = asyncio.Event()
    over.set()

    await asyncio.wait_for(hold(Lost(), over), 30.0)
