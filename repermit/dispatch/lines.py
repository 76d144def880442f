"""The connections of one run, each opened when there is a row for it, and anew when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from repermit.dispatch.mail import Mail
from repermit.dispatch.pace import wait
from repermit.dispatch.refusals import Away, relay_away
from repermit.dispatch.relay import Connect, Connection, RelayAway
from repermit.dispatch.verdict import Verdict
from repermit.errors import SendRefused

_TRIES_OF_NO_HOST = 2  # a name that was never found is no matter of patience


@dataclass
class Lines:
    """What the connections of one run know of each other.

    `waits` are the seconds before each new try; `is_wanted` says whether there is still something
    to send.
    """

    connect: Connect
    waits: Sequence[float]
    over: asyncio.Event
    is_wanted: Callable[[], bool]
    live: set[Connection] = field(default_factory=set)
    seeking: int = 0  # how many have no connection and have not given up
    dialling: int = 0  # how many of those try at this moment
    was_there: bool = False  # the relay, in this run


class Line:
    """One connection of a run, and the next one when it is lost."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._connection: Connection | None = None
        self._tries = 0  # since a mail went over it

    @property
    def broken(self) -> bool:
        """Return whether no mail can go over it now."""
        return self._connection is None or self._connection.broken

    def promised(self) -> int:
        """Return how many rows are not for this line, because others open connections for them:
        a line that is open takes any."""
        return self._lines.seeking if self.broken else 0

    async def ready(self) -> bool:
        """Return whether a mail can go over it, opening it with patience when it is not open;
        False when the run is over, or the others go on without it.

        A connection that is lost before a mail went over it is a try that failed.

        Raises: SendRefused when the relay refuses us or stays away, and no other line is open or
        tries.
        """
        if not self.broken:
            return True
        lines = self._lines
        lines.seeking += 1
        try:
            await self.close()
            refusal = await self._seek()
        finally:
            lines.seeking -= 1
        goes_on = bool(lines.live or lines.seeking)
        if refusal is not None and lines.is_wanted() and not goes_on:
            raise refusal
        return self._connection is not None

    async def send(self, mail: Mail) -> Verdict | None:
        """Return what became of a mail; None when the connection was lost before, so that nothing
        was said of it."""
        if self._connection is None or self._connection.broken:
            return None
        self._tries = 0
        return await self._connection.send(
            mail.sender, mail.mailbox, mail.content, envid=mail.envid
        )

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._lines.live.discard(connection)
            await connection.close()

    async def _seek(self) -> SendRefused | None:
        """Open a connection; return why none came about, None also when none is wanted."""
        lines, refusal = self._lines, relay_away(Away.HANGS_UP)
        while self._tries <= len(lines.waits):
            if self._tries:
                await wait(lines.waits[self._tries - 1], lines.over)
            if lines.over.is_set() or not lines.is_wanted():
                return None
            self._tries += 1
            try:
                await self._dial()
            except RelayAway as failure:
                refusal = relay_away(failure.cause)
                is_unknown = failure.cause is Away.NO_HOST and not lines.was_there
                if is_unknown and self._tries >= _TRIES_OF_NO_HOST:
                    return refusal
            except SendRefused as failure:
                if not lines.live and not lines.dialling:
                    raise
                refusal = failure  # it wants no more of them, as long as others are taken
            else:
                if not self.broken or lines.over.is_set():
                    return None
                await self.close()
        return refusal

    async def _dial(self) -> None:
        """Open a connection, unless the run is over before it stands."""
        lines = self._lines
        lines.dialling += 1
        connecting = asyncio.ensure_future(lines.connect())
        over = asyncio.create_task(lines.over.wait())
        try:
            await asyncio.wait((connecting, over), return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                connecting.cancel()
                await asyncio.wait((connecting,))
        finally:
            over.cancel()
            lines.dialling -= 1
        if connecting.cancelled():
            return
        self._connection = connecting.result()
        lines.live.add(self._connection)
        lines.was_there = True
