"""How fast mails leave."""

from __future__ import annotations

import asyncio

_SLACK_SECONDS = 0.02  # what a timer oversleeps may be caught up


class Pace:
    """Lets `per_second` turns pass a second, evenly, over all connections; after a wait, those of
    a fiftieth of a second may come at once."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = 0.0

    async def turn(self, over: asyncio.Event) -> None:
        """Wait until it is this caller's turn, or until *over* is set."""
        now = asyncio.get_running_loop().time()
        at = max(now - _SLACK_SECONDS, self._next)
        self._next = at + self._gap
        if at > now:
            await wait(at - now, over)


async def wait(seconds: float, over: asyncio.Event) -> None:
    """Wait so many seconds, or until *over* is set."""
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        return
