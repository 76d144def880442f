"""A relay of our own: speaks SMTP by the book, misbehaves where it is told to, and records what
came in. It runs in the loop of a test, or in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

EXTENSIONS = ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
_LINE_BYTES = 65_536


class Phase(StrEnum):
    """Where in the dialogue the relay is about to say something."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    IN_BODY = "in_body"  # some of the body has come, the end has not
    BODY = "body"  # the whole body has come
    RSET = "rset"
    QUIT = "quit"


@dataclass(frozen=True)
class Act:
    """What the relay does instead of the polite thing: says something, or hangs up, or neither."""

    say: bytes = b""
    wait: float = 0.0  # seconds before it says it
    drip: float = 0.0  # seconds before each byte of it
    hang_up: bool = False
    reset: bool = False  # hangs up without a goodbye: the other side gets a reset
    after_bytes: int = 1  # how much of the body comes first, for IN_BODY


def says(reply: str, *, wait: float = 0.0, drip: float = 0.0) -> Act:
    """Answer *reply*, whose lines are parted by a newline."""
    lines = "".join(f"{line}\r\n" for line in reply.split("\n"))
    return Act(say=lines.encode(), wait=wait, drip=drip)


def raw(data: bytes, *, hang_up: bool = False) -> Act:
    """Write *data* as it is: half a line, garbage, whatever."""
    return Act(say=data, hang_up=hang_up)


def says_and_hangs_up(reply: str) -> Act:
    """Answer *reply* and close the connection."""
    return Act(say=f"{reply}\r\n".encode(), hang_up=True)


HANGS_UP = Act(hang_up=True)
RESETS = Act(reset=True)
SAYS_NOTHING = Act(wait=3600.0)

# What to do in a phase, for a recipient where there is one by then; None: the polite thing.
Script = Callable[[Phase, str | None], Act | None]


def polite(_phase: Phase, _mailbox: str | None) -> Act | None:
    """Do everything by the book."""
    return None


def at(acts: Mapping[Phase, Act], *, only: str | None = None) -> Script:
    """Misbehave in these phases; with *only*, towards that recipient alone."""

    def script(phase: Phase, mailbox: str | None) -> Act | None:
        return acts.get(phase) if only is None or mailbox == only else None

    return script


def in_turn(phase: Phase, *acts: Act | None) -> Script:
    """Go through *acts*, one each time that *phase* is reached, then be polite."""
    left = iter(acts)
    return lambda now, _mailbox: next(left, None) if now is phase else None


@dataclass(frozen=True)
class Delivery:
    """One message whose body came in whole."""

    sender: str
    mailbox: str
    content: bytes  # without the dots that SMTP doubles
    code: str | None  # what the relay said of it; None when it said no whole code

    @property
    def is_out(self) -> bool:
        """Whether its recipient gets it: the relay never said no."""
        return self.code is None or not self.code.startswith(("4", "5"))


@dataclass
class Relay:
    """A relay on this machine. Whatever is set here may be changed while it runs."""

    script: Script = polite
    seconds_a_reply: float = 0.0
    extensions: tuple[str, ...] = EXTENSIONS
    tls: ssl.SSLContext | None = None  # for STARTTLS, or from the first byte when `implicit`
    implicit: bool = False
    port: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)  # the verbs that came in
    opened: int = 0
    closed: int = 0
    most_open: int = 0
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

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
            "127.0.0.1",
            self.port,
            ssl=self.tls if self.implicit else None,
            limit=_LINE_BYTES,
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
            await _Talk(self, reader, writer).talk()
        except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError, _HungUp):
            pass  # the talk is over, whoever ended it
        finally:
            self.closed += 1
            self._talks.discard(talk)
            writer.close()


class _HungUp(Exception):
    """The relay closed the connection, as it was told to."""


class _Talk:
    """One connection, from greeting to goodbye."""

    def __init__(
        self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._relay, self._reader, self._writer = relay, reader, writer
        self._sender = ""
        self._mailbox: str | None = None
        self._secure = relay.implicit

    async def talk(self) -> None:
        await self._say(Phase.CONNECT, "220 relay.example ESMTP")
        while line := await self._reader.readuntil(b"\n"):
            command = line.decode("utf-8", "replace").strip()
            verb = command.partition(" ")[0].upper()
            self._relay.commands.append(verb)
            await self._answer(verb, command)

    async def _answer(self, verb: str, command: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                await self._say(Phase.EHLO, "\n".join(self._greeting()))
            case "STARTTLS":
                await self._start_tls()
            case "AUTH":
                await self._say(Phase.AUTH, "235 2.7.0 welcome")
            case "MAIL":
                self._sender = _path(command)
                await self._say(Phase.MAIL, "250 2.1.0 sender ok")
            case "RCPT":
                self._mailbox = _path(command)
                await self._say(Phase.RCPT, "250 2.1.5 recipient ok")
            case "DATA":
                await self._data()
            case "RSET":
                self._mailbox = None
                await self._say(Phase.RSET, "250 2.0.0 forgotten")
            case "QUIT":
                await self._say(Phase.QUIT, "221 2.0.0 bye")
                raise _HungUp
            case _:
                await self._write(b"500 5.5.1 what?\r\n")

    def _greeting(self) -> list[str]:
        offered = [*self._relay.extensions]
        if self._relay.tls is not None and not self._secure:
            offered.append("STARTTLS")
        lines = ["relay.example", *offered]
        return [f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines]

    async def _start_tls(self) -> None:
        await self._say(Phase.STARTTLS, "220 2.0.0 go ahead")
        if self._relay.tls is not None:
            await self._writer.start_tls(self._relay.tls)
            self._secure = True

    async def _data(self) -> None:
        code = await self._say(Phase.DATA, "354 end with a dot")
        if code != "354":
            return
        inside = self._relay.script(Phase.IN_BODY, self._mailbox)
        if inside is not None:
            await self._reader.readexactly(inside.after_bytes)
            await self._do(inside)
        body = await self._body()
        act = self._relay.script(Phase.BODY, self._mailbox) or says("250 2.0.0 taken")
        said = re.match(rb"([2-5]\d\d)[ -].*\n", act.say)
        self._relay.deliveries.append(
            Delivery(self._sender, self._mailbox or "", body, said[1].decode() if said else None)
        )
        await self._do(act)

    async def _body(self) -> bytes:
        lines = []
        while (line := await self._reader.readuntil(b"\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    async def _say(self, phase: Phase, otherwise: str) -> str:
        """Do what the script says, or answer *otherwise*; return the code that was said."""
        act = self._relay.script(phase, self._mailbox) or says(otherwise)
        await self._do(act)
        return act.say[:3].decode("ascii", "replace")

    async def _do(self, act: Act) -> None:
        await asyncio.sleep(act.wait + self._relay.seconds_a_reply)
        if act.drip:
            for byte in act.say:
                await asyncio.sleep(act.drip)
                await self._write(bytes([byte]))
        elif act.say:
            await self._write(act.say)
        if act.reset:
            self._writer.transport.abort()
        if act.reset or act.hang_up:
            raise _HungUp

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def _path(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]


class Faults:
    """A script that misbehaves in a *share* of all replies, each time in another way."""

    _LOST = (HANGS_UP, RESETS, raw(b"25", hang_up=True), raw(b"hello\r\n"))
    _ACTS: ClassVar[Mapping[Phase, tuple[Act, ...]]] = {
        Phase.CONNECT: (HANGS_UP, says_and_hangs_up("421 4.3.2 later")),
        Phase.EHLO: (HANGS_UP,),
        Phase.MAIL: (*_LOST, says("450 4.3.0 later"), says_and_hangs_up("421 4.3.2 closing")),
        Phase.RCPT: (*_LOST, says("450 4.2.1 later"), says("550 5.1.1 nobody of that name")),
        Phase.DATA: (*_LOST, says("451 4.3.0 later"), says("554 5.0.0 no")),
        Phase.IN_BODY: (HANGS_UP, RESETS),
        Phase.BODY: (*_LOST, says("450 4.2.0 later"), says("550 5.0.0 no")),
        Phase.RSET: (HANGS_UP, RESETS),
    }
    _RARE = frozenset({Phase.CONNECT, Phase.EHLO})  # too many of those end a run

    def __init__(self, seed: int, *, share: float) -> None:
        self._chance, self._share = random.Random(seed), share
        self.doubts = 0  # the mails of which nobody can know whether they are out

    def __call__(self, phase: Phase, _mailbox: str | None) -> Act | None:
        """Return what goes wrong now, or None."""
        share = self._share / 5 if phase in self._RARE else self._share
        if phase not in self._ACTS or self._chance.random() >= share:
            return None
        act = self._chance.choice(self._ACTS[phase])
        self.doubts += phase is Phase.IN_BODY or (phase is Phase.BODY and act in self._LOST)
        return act
