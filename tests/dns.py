"""A name server of our own: says of each name what it is told to, over UDP and TCP. It runs in
the loop of a test, or in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_HOST = "127.0.0.1"
_TTL_SECONDS = 60
_PORT_TRIES = 20


@dataclass(frozen=True)
class Said:
    """What the server says of a name: its records by type, or a failure, or not a word."""

    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    silent: bool = False
    truncated: bool = False  # over UDP, so that it is asked again over TCP
    raw: bytes | None = None  # instead of an answer
    wait: float = 0.0  # seconds before it answers


def mx(*exchanges: str, wait: float = 0.0) -> Said:
    """Say that *exchanges* take its mail, the first before the second."""
    records = tuple(f"{10 * at} {name}." for at, name in enumerate(exchanges, start=1))
    return Said({"MX": records}, wait=wait)


def alias(target: str) -> Said:
    """Say that it is another name for *target*, and then what is said of that."""
    return Said({"CNAME": (f"{target}.",)})


NULL_MX = Said({"MX": ("0 .",)})
A_ONLY = Said({"A": ("192.0.2.1",)})
AAAA_ONLY = Said({"AAAA": ("2001:db8::1",)})
TXT_ONLY = Said({"TXT": ('"v=spf1 -all"',)})
LONG_MX = Said({"MX": ("10 mail.voorbeeld.be.",)}, truncated=True)
NXDOMAIN = Said(rcode=dns.rcode.NXDOMAIN)
SERVFAIL = Said(rcode=dns.rcode.SERVFAIL)
REFUSED = Said(rcode=dns.rcode.REFUSED)
YXDOMAIN = Said(rcode=dns.rcode.YXDOMAIN)
SILENT = Said(silent=True)
GARBAGE = Said(raw=b"\x00" * 5)


@dataclass
class NameServer:
    """A name server on this machine. Whatever is set here may be changed while it runs."""

    names: Mapping[str, Said] = field(default_factory=dict)  # by name, or "name TYPE"
    otherwise: Said = NXDOMAIN  # of any other name
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)  # name and type
    asked_by_tcp: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _answers: set[asyncio.Task[None]] = field(default_factory=set)

    def resolver(self, *, lifetime: float = 5.0) -> dns.asyncresolver.Resolver:
        """Return a resolver that asks this server and no other."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [_HOST]
        resolver.port = self.port
        resolver.lifetime, resolver.timeout = lifetime, lifetime / 2
        return resolver

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[NameServer]:
        """Run in this loop, for the length of a block."""
        datagrams, streams = await self._bound()
        try:
            yield self
        finally:
            streams.close()
            datagrams.close()
            for answer in list(self._answers):
                answer.cancel()
            await asyncio.gather(*self._answers, return_exceptions=True)
            await streams.wait_closed()

    @contextlib.contextmanager
    def in_a_thread(self) -> Iterator[NameServer]:
        """Run in a thread of its own, for the length of a block."""
        ready, over = threading.Event(), threading.Event()

        async def work() -> None:
            async with self.running():
                ready.set()
                while not over.is_set():  # noqa: ASYNC110 - the event is another thread's
                    await asyncio.sleep(0.05)

        thread = threading.Thread(target=lambda: asyncio.run(work()), name="name server")
        thread.start()
        try:
            if not ready.wait(10):
                raise TimeoutError("the name server did not start")
            yield self
        finally:
            over.set()
            thread.join(10)

    async def _bound(self) -> tuple[asyncio.DatagramTransport, asyncio.Server]:
        """Return both ends, which listen on one port: one that is free for both."""
        loop = asyncio.get_running_loop()
        for left in reversed(range(1 if self.port else _PORT_TRIES)):
            streams = await asyncio.start_server(self._talk, _HOST, self.port)
            port = streams.sockets[0].getsockname()[1]
            try:
                datagrams, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(_HOST, port)
                )
            except OSError:
                streams.close()
                if not left:
                    raise
                continue
            self.port = port
            return datagrams, streams
        raise AssertionError("unreachable")

    def take(
        self, wire: bytes, transport: asyncio.DatagramTransport, sender: tuple[str, int]
    ) -> None:
        """Answer a datagram, in a task of its own."""

        async def answer() -> None:
            if reply := await self._reply(wire, tcp=False):
                transport.sendto(reply, sender)

        task = asyncio.create_task(answer())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            reply = await self._reply(await reader.readexactly(length), tcp=True)
            if reply:
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
        except (OSError, EOFError):
            pass  # the other side is gone
        finally:
            writer.close()

    async def _reply(self, wire: bytes, *, tcp: bool) -> bytes | None:
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        name, kind = query.question[0].name, query.question[0].rdtype
        self.asked.append((_text(name), dns.rdatatype.to_text(kind)))
        self.asked_by_tcp += tcp
        said = self._said(name, dns.rdatatype.to_text(kind))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(said.wait)
        finally:
            self._at_once -= 1
        if said.silent or said.raw is not None:
            return said.raw
        return self._response(query, said, tcp=tcp).to_wire()

    def _said(self, name: dns.name.Name, kind: str) -> Said:
        of_the_name = self.names.get(_text(name), self.otherwise)
        return self.names.get(f"{_text(name)} {kind}", of_the_name)

    def _response(
        self, query: dns.message.Message, said: Said, *, tcp: bool
    ) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        if said.truncated and not tcp:
            response.flags |= dns.flags.TC
            return response
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        while aliased := said.records.get("CNAME"):
            response.answer.append(_rrset(name, "CNAME", aliased))
            name = dns.name.from_text(aliased[0])
            said = self._said(name, kind)
        if records := said.records.get(kind):
            response.answer.append(_rrset(name, kind, records))
        response.set_rcode(said.rcode)
        return response


class _Datagrams(asyncio.DatagramProtocol):
    """The UDP end of a server."""

    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._server.take(data, self._transport, addr)


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _rrset(name: dns.name.Name, kind: str, records: tuple[str, ...]) -> dns.rrset.RRset:
    return dns.rrset.from_text(name, _TTL_SECONDS, "IN", kind, *records)
