"""The connections of one run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from repermit.dispatch.pace import wait
from repermit.dispatch.relay import Connect, Connection, RelayAway


class Lines:
    """Opens connections, patiently, and knows which are live."""

    def __init__(self, connect: Connect, waits: Sequence[float], over: asyncio.Event) -> None:
        self._connect, self._waits, self._over = connect, waits, over
        self.live: set[Connection] = set()
        self.away: RelayAway | None = None  # why the last try was in vain

    async def open(self) -> Connection | None:
        """Return a connection; None when the relay stays away, or the run is over. While others
        are live that is no reason to stop: the relay wants no more of them, and those go on."""
        for seconds in (*self._waits, None):
            if self._over.is_set():
                return None
            try:
                connection = await self._connected()
            except RelayAway as failure:
                self.away = failure
                if seconds is not None:
                    await wait(seconds, self._over)
            else:
                if connection is not None:
                    self.live.add(connection)
                return connection
        return None

    async def _connected(self) -> Connection | None:
        """Return a connection; None when the run is over before it stands."""
        connecting = asyncio.ensure_future(self._connect())
        over = asyncio.create_task(self._over.wait())
        await asyncio.wait((connecting, over), return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not connecting.done():
            connecting.cancel()
            await asyncio.wait((connecting,))
        return None if connecting.cancelled() else connecting.result()

    async def close(self, connection: Connection | None) -> None:
        """Close a connection, if there is one."""
        if connection is not None:
            self.live.discard(connection)
            await connection.close()
