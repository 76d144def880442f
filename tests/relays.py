"""A relay of our own: speaks SMTP by the book, misbehaves where it is told to, and records what
came in. It runs in the loop of a test, or in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from tests.relay_acts import (
    HANGS_UP,
    RESETS,
    SAYS_NOTHING,
    Act,
    Faults,
    Phase,
    Script,
    at,
    in_turn,
    polite,
    raw,
    says,
    says_and_hangs_up,
)
from tests.relay_talk import Delivery, HungUp, Talk

__all__ = [
    "HANGS_UP",
    "RESETS",
    "SAYS_NOTHING",
    "Act",
    "Faults",
    "Phase",
    "Relay",
    "Script",
    "at",
    "in_turn",
    "polite",
    "raw",
    "says",
    "says_and_hangs_up",
    "without",
]

EXTENSIONS = (
    *("PIPELINING", "8BITMIME", "SIZE 52428800", "DSN", "SMTPUTF8"),
    "ENHANCEDSTATUSCODES",
)


def without(*names: str) -> tuple[str, ...]:
    """Return all extensions but these."""
    return tuple(each for each in EXTENSIONS if each.partition(" ")[0] not in names)


@dataclass
class Relay:
    """A relay on this machine. Whatever is set here may be changed while it runs."""

    script: Script = polite
    seconds_a_reply: float = 0.0
    extensions: tuple[str, ...] = EXTENSIONS
    joined: bool = True  # answers in one piece what came in one piece, as RFC 2920 section 3.2 asks
    piece_bytes: int = 0  # otherwise writes pieces of this size; 0: a piece a reply
    tls: ssl.SSLContext | None = None  # for STARTTLS, or from the first byte when `implicit`
    implicit: bool = False
    address: str = "127.0.0.1"
    port: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # the commands that came in
    most_ahead: int = 0  # of commands that had come in before one was answered
    opened: int = 0
    closed: int = 0
    most_open: int = 0
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def commands(self) -> list[str]:
        """Return the verbs that came in."""
        return [line.partition(" ")[0].upper() for line in self.lines]

    def out(self) -> Counter[str]:
        """Return how many messages each mailbox gets."""
        return Counter(each.mailbox for each in self.deliveries if each.is_out)

    def accepted(self) -> list[str]:
        """Return the mailboxes of the messages to which the relay answered 250, in order."""
        return [each.mailbox for each in self.deliveries if each.code == "250"]

    async def serve(self) -> asyncio.Server:
        """Start to listen, on `port` when there is one."""
        server = await asyncio.start_server(
            self._accept,
            self.address,
            self.port,
            ssl=self.tls if self.implicit else None,
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Relay]:
        """Run in this loop, for the length of a block."""
        server = await self.serve()
        try:
            yield self
        finally:
            server.close()
            await self.drop_all()
            await server.wait_closed()

    @contextlib.contextmanager
    def in_a_thread(self) -> Iterator[Relay]:
        """Run in a thread of its own, for the length of a block."""
        ready, over = threading.Event(), threading.Event()

        async def work() -> None:
            async with self.running():
                ready.set()
                while not over.is_set():  # noqa: ASYNC110 - the event is another thread's
                    await asyncio.sleep(0.05)

        thread = threading.Thread(target=lambda: asyncio.run(work()), name="relay")
        thread.start()
        try:
            if not ready.wait(10):
                raise TimeoutError("the relay did not start")
            yield self
        finally:
            over.set()
            thread.join(10)

    async def drop_all(self) -> None:
        """End every talk that goes on."""
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        self.opened += 1
        self.most_open = max(self.most_open, self.opened - self.closed)
        try:
            await Talk(self, reader, writer).talk()
        except (OSError, EOFError, asyncio.CancelledError, HungUp):
            pass  # the talk is over, whoever ended it
        finally:
            self.closed += 1
            self._talks.discard(talk)
            writer.close()
