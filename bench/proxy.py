"""A relay that is far away: passes bytes on to a port of this machine, each way a while later.

`python -m bench.proxy PORT SECONDS` prints its own port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from bench.ports import LOOPBACK


class _End(asyncio.Protocol):
    """One end of a connection: what it hears, *other* says so many seconds later."""

    def __init__(self, seconds: float) -> None:
        self.other: _End | None = None
        self._seconds, self._loop = seconds, asyncio.get_running_loop()
        self._under_way: deque[bytes | None] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Pass *data* on, later."""
        self._pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Pass on that this end is gone, later."""
        self._pass_on(None)

    def say(self, data: bytes | None) -> None:
        """Write *data* now; None hangs up."""
        if self._transport is None or self._transport.is_closing():
            return
        if data is None:
            self._transport.close()
        else:
            self._transport.write(data)

    def _pass_on(self, data: bytes | None) -> None:
        self._under_way.append(data)
        self._loop.call_later(self._seconds, self._arrive)

    def _arrive(self) -> None:
        if self.other is not None:
            self.other.say(self._under_way.popleft())


class _Near(_End):
    """The end that a sender connects to; it opens the other one."""

    def __init__(self, port: int, seconds: float) -> None:
        super().__init__(seconds)
        self._port, self._far_seconds = port, seconds
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the other end."""
        super().connection_made(transport)
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        far = _End(self._far_seconds)
        far.other, self.other = self, far  # the relay speaks first: nothing is lost before this
        await self._loop.create_connection(lambda: far, LOOPBACK, self._port)


async def _serve(port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Near(port, seconds), LOOPBACK, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


@contextmanager
def away(port: int, *, seconds: float) -> Iterator[int]:
    """Run a proxy to *port* in a process of its own, which delays each way; yield its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.proxy", str(port), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as proxy:
        assert proxy.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield int(proxy.stdout.readline())
        finally:
            proxy.kill()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
