"""How fast mails leave from one machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_SLACK_SECONDS = 0.02  # what a timer oversleeps may be caught up
TICK_SECONDS = 0.005  # turns that are nearer than this need no timer of their own
_COUNT_SECONDS = 1.0  # between two looks at who else sends


class Pace:
    """Lets at most `per_second` turns pass a second, over all connections: evenly, to within a
    few milliseconds, so that 10,000 a second need 200 timers and not 10,000."""

    def __init__(self, per_second: float, senders: Callable[[], int] = lambda: 1) -> None:
        """Begin; the others of so many *senders* as there are have their part of the turns."""
        self._per_second, self._gap, self._senders = per_second, 1 / per_second, senders
        self._next: float | None = None
        self._counted_at: float | None = None

    async def turn(self, over: asyncio.Event) -> None:
        """Wait until it is this caller's turn, or until *over* is set."""
        now = asyncio.get_running_loop().time()
        if self._counted_at is None or now - self._counted_at >= _COUNT_SECONDS:
            self._counted_at, self._gap = now, max(1, self._senders()) / self._per_second
        at = now if self._next is None else max(now - _SLACK_SECONDS, self._next)
        self._next = at + self._gap
        if at - now > TICK_SECONDS:
            await wait(at - now, over)


async def wait(seconds: float, over: asyncio.Event) -> None:
    """Wait so many seconds, or until *over* is set."""
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        return
