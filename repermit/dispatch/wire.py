"""The transport of an open connection to the relay: commands go out, replies come in.

Nothing is raised for what the relay does. What ends the talk is kept in words as `failure`, and
whoever asked then gets fewer replies than were due.
"""

from __future__ import annotations

import asyncio

from repermit.dispatch.replies import Replies

LOST = "connection lost"
LATE = "no reply in time"
GARBAGE = "no SMTP reply"  # or not one to what was asked
_CLOSING = "421"
_READ_BYTES = 4096


class Wire(asyncio.BufferedProtocol):
    """Takes over *transport*; *received* is what its former protocol has left unread.

    It brings its own buffer: asyncio would allocate 256 KiB for each reply of 30 bytes, which
    costs more than all else that is done with it.
    """

    def __init__(self, transport: asyncio.Transport, received: bytes = b"") -> None:
        self._transport, self._replies = transport, Replies()
        self._failure = ""
        self._loop = asyncio.get_running_loop()
        self._asked: asyncio.Future[None] | None = None
        self._heard: list[str] = []
        self._due = 0  # how many replies are to be heard; none while nobody asks
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = memoryview(bytearray(_READ_BYTES))
        transport.set_protocol(self)
        if received:
            self._hear(received)

    @property
    def failure(self) -> str:
        """Return why nothing more can be said over it; empty while it can."""
        return self._failure or (LOST if self._transport.is_closing() else "")

    @property
    def unsent(self) -> bool:
        """Return whether something that was written has not left yet."""
        return not self.failure and self._transport.get_write_buffer_size() > 0

    def within(self, seconds: float) -> None:
        """Give all that is asked from now on so many seconds together, until it is set anew.

        One timer serves many mails: it looks again when it is due, instead of being set for each.
        """
        self._until = self._loop.time() + seconds
        if self.failure:
            return
        if self._timer is None or self._timer.when() > self._until:
            self._watch()

    async def ask(self, data: bytes, due: int) -> list[str]:
        """Write *data* in one piece and return the replies to it: *due* of them, or fewer when
        there is a `failure`. Nothing is written when there was one before."""
        if self.failure:
            return []
        heard = self._heard = []
        self._due = due
        self._asked = self._loop.create_future()
        self._transport.write(data)
        try:
            await self._asked
        finally:
            if len(heard) < due:
                self.fail(LOST)  # only when cancelled: otherwise it has failed before
            self._asked, self._heard, self._due = None, [], 0
        return heard

    def fail(self, why: str) -> None:
        """Say nothing more over it, because of *why*."""
        self._failure = self._failure or why
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._answer()

    def close(self) -> None:
        """Close the connection; at once, with what has not left yet, when the talk has failed."""
        if self.failure:
            self._transport.abort()
        else:
            self.fail(LOST)
            self._transport.close()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Return where to put what comes in."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hear what came in."""
        self._hear(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> None:
        """Note that the relay hung up, also while nobody asks: between two mails."""
        self.fail(LOST)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note that the connection is gone."""
        self.fail(LOST)

    def _hear(self, data: bytes) -> None:
        """Hear the replies that are due; whatever comes unasked ends the talk."""
        heard = self._heard
        for reply in self._replies.feed(data):
            closing = reply.startswith(_CLOSING)
            if len(heard) < self._due:
                heard.append(reply)
            elif not closing:
                self.fail(GARBAGE)
            if closing:
                self.fail(reply)
        if self._replies.garbled or (len(heard) == self._due and self._replies.partial):
            self.fail(GARBAGE)
        elif len(heard) == self._due:
            self._answer()

    def _answer(self) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._until, self._look)

    def _look(self) -> None:
        """Fail when what is asked has taken too long; look again later when it may take longer."""
        self._timer = None
        if self._asked is None:
            return
        if self._loop.time() < self._until:
            self._watch()
        else:
            self.fail(LATE)
