"""Talks SMTP to the relay, and says of each mail what became of it.

aiosmtplib opens a connection: TLS, login, EHLO. The dialogue of each mail is ours, on the same
transport, because what a lost connection means depends on the very byte: before the first byte
of the body the mail is not out; from that byte on nobody can know.

Source: RFC 5321 sections 3.3, 4.2.1, 4.5.2 and 4.5.3.2; RFC 2034 (enhanced codes); RFC 6531.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import aiosmtplib

from repermit.errors import SendRefused

_CONNECT_SECONDS = 30.0
_COMMAND_SECONDS = 300.0  # RFC 5321 section 4.5.3.2.2: MAIL 5 minutes
_BODY_SECONDS = 600.0  # section 4.5.3.2.6: the end of DATA 10 minutes
_LONGEST_REPLY = 100  # lines
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")


@dataclass(frozen=True)
class Accepted:
    """The relay took the mail."""

    reply: str


@dataclass(frozen=True)
class Delayed:
    """Not taken, and may be tried again: an explicit 4xx, or a loss before the first body byte."""

    reply: str


@dataclass(frozen=True)
class Refused:
    """Refused for good. With `policy` (5.7.x) it may be about us rather than the address."""

    reply: str
    policy: bool = False


@dataclass(frozen=True)
class SenderRefused:
    """The relay refuses us, not the recipient: a 5xx to MAIL FROM."""

    reply: str


@dataclass(frozen=True)
class Lost:
    """Lost after the first write that held body bytes: the mail may or may not be out."""

    reply: str


Verdict = Accepted | Delayed | Refused | SenderRefused | Lost


class Connection(Protocol):
    """One open connection to the relay."""

    broken: bool

    async def send(self, sender: str, mailbox: str, content: bytes) -> Verdict:
        """Return what became of one mail; never raises for what the relay does."""

    async def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""


@dataclass(frozen=True)
class RelayAt:
    """Where the relay is, and how to get in; `tls` is none, starttls or tls."""

    host: str
    port: int
    tls: str
    user: str | None
    password: str | None
    context: ssl.SSLContext | None = None

    async def connect(self) -> SmtpConnection:
        """Return an open connection.

        Raises: RelayAway when it may work later; SendRefused when it will not: wrong password,
        a certificate that is not valid, no TLS.
        """
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",
            tls_context=self.context,
            username=self.user if self.password is not None else None,
            password=self.password,
            timeout=_CONNECT_SECONDS,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
            client.close()
            raise _explained(failure) from failure
        return SmtpConnection(client)


class RelayAway(Exception):
    """The relay cannot be reached now, or talks nonsense before any mail."""


class _Garbage(Exception):
    """The relay said something that is no SMTP reply."""


class SmtpConnection:
    """One open connection, whose transport we took over after EHLO."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            raise RelayAway
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=8192, loop=loop)
        protocol = asyncio.StreamReaderProtocol(self._reader, loop=loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._writer = asyncio.StreamWriter(transport, protocol, self._reader, loop)
        self._client = client
        self._smtputf8 = client.supports_extension("smtputf8")
        self.broken = False

    async def send(self, sender: str, mailbox: str, content: bytes) -> Verdict:
        """Return what became of one mail; never raises for what the relay does."""
        if not mailbox.isascii() and not self._smtputf8:
            return Refused("553 5.6.7 local: the relay cannot carry this address (SMTPUTF8)")
        utf8 = "" if mailbox.isascii() else " SMTPUTF8"
        verdict = await self._envelope(f"MAIL FROM:<{sender}>{utf8}", f"RCPT TO:<{mailbox}>")
        if verdict is not None:
            return verdict
        try:
            reply = await self._body(content)
        except (OSError, EOFError, TimeoutError, ValueError, _Garbage) as failure:
            self.broken = True
            return Lost(type(failure).__name__)
        return self._judge(reply, otherwise=Refused)

    async def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""
        try:
            if not self.broken:
                await self._command("QUIT", seconds=5.0)
        except (OSError, EOFError, TimeoutError, ValueError, _Garbage):
            pass
        finally:
            self.broken = True
            self._writer.close()

    async def _envelope(self, mail_from: str, rcpt_to: str) -> Verdict | None:
        """Return None once the relay waits for the body, else what became of the mail."""
        try:
            for line, refusal in ((mail_from, SenderRefused), (rcpt_to, Refused)):
                reply = await self._command(line)
                if not reply.startswith("2"):
                    return await self._reset(self._judge(reply, otherwise=refusal))
            reply = await self._command("DATA")
            if reply.startswith("3"):
                return None
            return await self._reset(self._judge(reply, otherwise=Refused))
        except (OSError, EOFError, TimeoutError, ValueError, _Garbage) as failure:
            self.broken = True
            return Delayed(type(failure).__name__)

    def _judge(self, reply: str, *, otherwise: type[Refused] | type[SenderRefused]) -> Verdict:
        """Return the verdict that a reply stands for. This is the one list of what is worth a
        retry: 4xx is, 5xx is not, 421 also ends the connection."""
        if reply.startswith("421"):
            self.broken = True
        if reply.startswith("2"):
            return Accepted(reply)
        if reply.startswith("4"):
            return Delayed(reply)
        if otherwise is Refused:
            return Refused(reply, policy=" 5.7." in f" {reply}")
        return SenderRefused(reply)

    async def _reset(self, verdict: Verdict) -> Verdict:
        """Clear the envelope so that the next mail starts anew; what was said stays said."""
        if not self.broken:
            try:
                await self._command("RSET")
            except (OSError, EOFError, TimeoutError, ValueError, _Garbage):
                self.broken = True
        return verdict

    async def _command(self, line: str, *, seconds: float = _COMMAND_SECONDS) -> str:
        async with asyncio.timeout(seconds):
            self._writer.write(f"{line}\r\n".encode())
            await self._writer.drain()
            return await self._reply()

    async def _body(self, content: bytes) -> str:
        async with asyncio.timeout(_BODY_SECONDS):
            self._writer.write(stuffed(content))
            await self._writer.drain()
            reply = await self._reply()
        if reply[0] not in "245":
            raise _Garbage
        return reply

    async def _reply(self) -> str:
        """Return the code and, where there is one, the enhanced code; never the relay's text,
        which may repeat the address."""
        code, enhanced = "", ""
        for _ in range(_LONGEST_REPLY):
            line = (await self._reader.readuntil(b"\n")).decode("ascii", "replace").rstrip("\r\n")
            if not re.match(r"^[2-5]\d\d([ -]|$)", line) or (code and line[:3] != code):
                raise _Garbage
            code = line[:3]
            if not enhanced and (found := _ENHANCED.match(line[4:])):
                enhanced = f" {found[1]}"
            if line[3:4] != "-":
                return f"{code}{enhanced}"
        raise _Garbage


Connect = Callable[[], Awaitable[Connection]]


def stuffed(content: bytes) -> bytes:
    """Return *content* as it goes after DATA: dots doubled at line starts, then the end mark.

    Source: RFC 5321 section 4.5.2.
    """
    body = re.sub(rb"(?m)^\.", b"..", content)
    return body + (b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n")


def _explained(failure: Exception) -> Exception:
    """Return what a failure to connect means: RelayAway where trying again may help."""
    certificate = (failure, failure.__cause__)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in certificate):
        return SendRefused(
            "the relay's certificate is not valid",
            hint="check the host name in relay.url, or have the certificate renewed",
        )
    if isinstance(failure, aiosmtplib.SMTPAuthenticationError) and failure.code >= 500:
        return SendRefused(
            f"the relay refused the login ({failure.code})",
            hint="check the user in relay.url and REPERMIT_RELAY_PASSWORD",
        )
    if isinstance(failure, aiosmtplib.SMTPResponseException) and failure.code >= 500:
        return SendRefused(
            f"the relay refused the connection ({failure.code})",
            hint="ask its operator whether this machine may send",
        )
    if isinstance(failure, aiosmtplib.SMTPNotSupported) or "STARTTLS" in str(failure):
        return SendRefused(
            "the relay offers no TLS, or no login",
            hint="use a relay that does, or one on this machine",
        )
    return RelayAway()
