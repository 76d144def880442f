"""One connection to a relay of the tests: SMTP by the book, but for what it is told to do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tests.relay_acts import Act, Phase, Script, says

_READ_BYTES = 65_536


@dataclass(frozen=True)
class Delivery:
    """One message whose body came in whole."""

    sender: str
    mailbox: str
    content: bytes  # without the dots that SMTP doubles
    code: str | None  # what the relay said of it; None when it said no whole code
    taken: bool  # the recipient was: nobody else gets it, whatever is said of the body

    @property
    def is_out(self) -> bool:
        """Whether its recipient gets it: the relay never said no."""
        if not self.taken:
            return False
        return self.code is None or not self.code.startswith(("4", "5"))


class Manner(Protocol):
    """How a relay talks, and where it notes what came in."""

    @property
    def script(self) -> Script:
        """Return what it is told to do, now."""

    seconds_a_reply: float
    extensions: tuple[str, ...]
    joined: bool
    piece_bytes: int
    tls: ssl.SSLContext | None
    implicit: bool
    deliveries: list[Delivery]
    lines: list[str]
    most_ahead: int


class HungUp(Exception):
    """The relay closed the connection, as it was told to."""


class Talk:
    """One connection, from greeting to goodbye."""

    def __init__(
        self, relay: Manner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._relay, self._reader, self._writer = relay, reader, writer
        self._read, self._held = bytearray(), bytearray()  # not yet handled, not yet said
        self._sender: str | None = None
        self._mailbox: str | None = None
        self._taken = False  # the recipient was
        self._secure = relay.implicit

    async def talk(self) -> None:
        await self._say(Phase.CONNECT, "220 relay.example ESMTP")
        while True:
            command = (await self._line()).decode("utf-8", "replace").strip()
            self._relay.lines.append(command)
            self._relay.most_ahead = max(self._relay.most_ahead, self._read.count(b"\n"))
            await self._answer(command.partition(" ")[0].upper(), command)

    async def _answer(self, verb: str, command: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                await self._say(Phase.EHLO, "\n".join(self._greeting()))
            case "STARTTLS":
                await self._start_tls()
            case "AUTH":
                await self._say(Phase.AUTH, "235 2.7.0 welcome")
            case "MAIL":
                await self._mail(_path(command))
            case "RCPT":
                await self._rcpt(_path(command))
            case "DATA":
                await self._data()
            case "RSET":
                self._forget()
                await self._say(Phase.RSET, "250 2.0.0 forgotten")
            case "QUIT":
                await self._say(Phase.QUIT, "221 2.0.0 bye")
                await self._flush()
                raise HungUp
            case _:
                await self._do(says("500 5.5.1 what?"))

    def _greeting(self) -> list[str]:
        offered = [*self._relay.extensions]
        if self._relay.tls is not None and not self._secure:
            offered.append("STARTTLS")
        lines = ["relay.example", *offered]
        return [f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines]

    async def _start_tls(self) -> None:
        await self._say(Phase.STARTTLS, "220 2.0.0 go ahead")
        await self._flush()
        if self._relay.tls is not None:
            await self._writer.start_tls(self._relay.tls)
            self._secure = True

    async def _mail(self, sender: str) -> None:
        polite_ = "250 2.1.0 sender ok" if self._sender is None else "503 5.5.1 nested MAIL"
        if (await self._say(Phase.MAIL, polite_)).startswith("2"):
            self._sender = sender

    async def _rcpt(self, mailbox: str) -> None:
        self._mailbox = mailbox
        polite_ = "503 5.5.1 MAIL first" if self._sender is None else "250 2.1.5 recipient ok"
        self._taken = (await self._say(Phase.RCPT, polite_)).startswith("2")

    async def _data(self) -> None:
        polite_ = "354 end with a dot" if self._taken else "554 5.5.1 no valid recipients"
        if await self._say(Phase.DATA, polite_) == "354":
            await self._take()
            self._forget()

    async def _take(self) -> None:
        """Read the body and answer it, once: before its end, when told to refuse it there."""
        inside = self._relay.script(Phase.IN_BODY, self._mailbox)
        if inside is not None:
            await self._read_until(lambda: len(self._read) >= inside.after_bytes)
            await self._do(inside)
        body = await self._body()
        polite_ = says("250 2.0.0 taken" if self._taken else "554 5.5.1 no valid recipients")
        act = self._relay.script(Phase.BODY, self._mailbox) or polite_
        if inside is not None and inside.say:
            act = Act(say=inside.say)
        said = re.match(rb"([2-5]\d\d)[ -].*\n", act.say)
        self._relay.deliveries.append(
            Delivery(
                sender=self._sender or "",
                mailbox=self._mailbox or "",
                content=body,
                code=said[1].decode() if said else None,
                taken=self._taken,
            )
        )
        if inside is None or not inside.say:
            await asyncio.sleep(self._relay.seconds_a_reply)
            await self._do(act)

    def _forget(self) -> None:
        self._sender, self._mailbox, self._taken = None, None, False

    async def _body(self) -> bytes:
        lines = []
        while (line := await self._line()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    async def _say(self, phase: Phase, otherwise: str) -> str:
        """Do what the script says, or answer *otherwise*; return the code that was said."""
        act = self._relay.script(phase, self._mailbox) or says(otherwise)
        await self._hold(act.wait + self._relay.seconds_a_reply)
        await self._do(replace(act, wait=0.0))
        return act.say[:3].decode("ascii", "replace")

    async def _hold(self, seconds: float) -> None:
        """Wait before a command is answered; whoever hangs up meanwhile is seen to."""
        if not seconds:
            return
        await self._flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while more := await self._reader.read(_READ_BYTES):
                    self._read += more
                raise EOFError

    async def _do(self, act: Act) -> None:
        if act.wait:
            await self._flush()
            await asyncio.sleep(act.wait)
        if act.noise:
            os.write(self._writer.get_extra_info("socket").fileno(), act.noise)
        await self._write(act.say, 1 if act.drip else self._relay.piece_bytes, act.drip)
        if act.reset or act.hang_up:
            await self._flush()
            if act.reset:
                linger = struct.pack("ii", 1, 0)  # no goodbye: what is unread is dropped
                socket_ = self._writer.get_extra_info("socket")
                socket_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self._writer.transport.abort()
            raise HungUp
        if act.then is not None:
            await self._flush()
            await self._do(act.then)

    async def _write(self, data: bytes, piece_bytes: int, seconds: float) -> None:
        """Write *data* in pieces, or hold it until there is nothing left to answer."""
        self._held += data
        if self._relay.joined and not seconds:
            return
        while len(self._held) > piece_bytes > 0:
            await asyncio.sleep(seconds)  # at least one turn of the loop, to be read alone
            self._writer.write(bytes(self._held[:piece_bytes]))
            del self._held[:piece_bytes]
        await self._flush()

    async def _flush(self) -> None:
        held = bytes(self._held)
        self._held.clear()
        if held:
            self._writer.write(held)
            await self._writer.drain()

    async def _line(self) -> bytes:
        """Return the next line that came in, with its end."""
        await self._read_until(lambda: b"\n" in self._read)
        end = self._read.index(b"\n") + 1
        line = bytes(self._read[:end])
        del self._read[:end]
        return line

    async def _read_until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._flush()
            if not (more := await self._reader.read(_READ_BYTES)):
                raise EOFError
            self._read += more


def _path(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]
