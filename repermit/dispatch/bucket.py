"""How fast mails leave from several machines together: their turns come from one row."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from typing import Protocol

from repermit.dispatch.outage import outlasted
from repermit.dispatch.pace import TICK_SECONDS, Pace, wait
from repermit.ledger.engine import Ledger
from repermit.ledger.store import bucket

_TAKEN_SECONDS = 0.1  # for so long the turns last that are taken together
_LATE_SECONDS = 0.05  # a turn that was not used by then is lost: it would come on top of others


class Turning(Protocol):
    """Whose turn it is, over all connections of this sender."""

    async def turn(self, over: asyncio.Event) -> None:
        """Wait until it is this caller's turn, or until *over* is set."""


def turning(ledger: Ledger, per_second: float) -> Turning:
    """Return what lets at most *per_second* turns pass, over all senders of *ledger*."""
    if ledger.database.is_shared:
        return Bucket(ledger, per_second)
    return Pace(per_second, lambda: ledger.database.holders("sender-"))


class Bucket:
    """Takes turns from the row that all machines share, some at once, and hands them out."""

    def __init__(self, ledger: Ledger, per_second: float) -> None:
        self._ledger, self._gap = ledger, timedelta(seconds=1 / per_second)
        self._at_once = max(1, round(per_second * _TAKEN_SECONDS))
        self._turns: deque[float] = deque()  # when each is, by the clock of the loop
        self._waiting = asyncio.Lock()
        self._callers = 0  # who waits for a turn

    async def turn(self, over: asyncio.Event) -> None:
        """Wait until it is this caller's turn, or until *over* is set.

        Raises: as `Ledger.share` does, when the database stays away.
        """
        self._callers += 1
        try:
            async with self._waiting:
                await self._turn(over)
        finally:
            self._callers -= 1

    async def _turn(self, over: asyncio.Event) -> None:
        time = asyncio.get_running_loop().time
        while not over.is_set():
            if not self._turns:
                await self._take(min(self._callers, self._at_once))
            left = self._turns.popleft() - time()
            if left > TICK_SECONDS:
                await wait(left, over)
            if left >= -_LATE_SECONDS:
                return

    async def _take(self, turns: int) -> None:
        """Take so many turns: no more than are wanted, or other machines would miss them."""
        first = await outlasted(lambda: self._ledger.share(bucket.take, turns, self._gap))
        at, gap = asyncio.get_running_loop().time() + first.total_seconds(), self._gap
        self._turns.extend(at + number * gap.total_seconds() for number in range(turns))
