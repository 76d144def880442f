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

from repermit.dispatch.verdict import Accepted, Delayed, Lost, Refused, SenderRefused, Verdict
from repermit.errors import SendRefused

_LONGEST_REPLY = 100  # lines
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")


@dataclass(frozen=True)
class Patience:
    """How many seconds the relay may take.

    `envelope` and `body` together are less than a sender's lease, or another sender would take
    a slow mail for a lost one.

    Source: RFC 5321 section 4.5.3.2.6 for `body`: 10 minutes.
    """

    connect: float = 30.0
    envelope: float = 240.0  # MAIL, RCPT and DATA together
    body: float = 600.0
    goodbye: float = 5.0  # RSET and QUIT, on which nothing depends


class Connection(Protocol):
    """One open connection to the relay."""

    @property
    def broken(self) -> bool:
        """Return whether no other mail can go over it."""

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
    patience: Patience = Patience()

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
            timeout=self.patience.connect,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
            client.close()
            raise _explained(failure) from failure
        return SmtpConnection(client, self.patience)


class RelayAway(Exception):
    """The relay cannot be reached now, or talks nonsense before any mail."""


class _Garbage(Exception):
    """The relay said something that is no SMTP reply, or not one to what it was asked."""


_FAILURES = (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError, _Garbage)


class _Talk(asyncio.StreamReaderProtocol):
    """Notes that the relay hung up, also while nobody reads: between two mails."""

    over = False

    def eof_received(self) -> bool | None:
        """Note that the relay says nothing more."""
        self.over = True
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self.over = True
        super().connection_lost(exc)


class SmtpConnection:
    """One open connection, whose transport we took over after EHLO."""

    def __init__(self, client: aiosmtplib.SMTP, patience: Patience) -> None:
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            raise RelayAway
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=8192, loop=loop)
        self._talk = _Talk(self._reader, loop=loop)
        transport.set_protocol(self._talk)
        self._talk.connection_made(transport)
        self._writer = asyncio.StreamWriter(transport, self._talk, self._reader, loop)
        self._client, self._patience = client, patience
        self._smtputf8 = client.supports_extension("smtputf8")
        self._broken = False

    @property
    def broken(self) -> bool:
        """Return whether no other mail can go over it."""
        return self._broken or self._talk.over

    async def send(self, sender: str, mailbox: str, content: bytes) -> Verdict:
        """Return what became of one mail; never raises for what the relay does."""
        if not mailbox.isascii() and not self._smtputf8:
            return Refused("553 5.6.7 local: the relay cannot carry this address (SMTPUTF8)")
        utf8 = "" if mailbox.isascii() else " SMTPUTF8"
        try:
            async with asyncio.timeout(self._patience.envelope):
                verdict = await self._envelope(
                    f"MAIL FROM:<{sender}>{utf8}", f"RCPT TO:<{mailbox}>"
                )
            if verdict is None and self.broken:
                raise EOFError
        except _FAILURES as failure:
            self._broken = True
            return Delayed(_in_words(failure))
        if verdict is not None:
            return await self._reset(verdict)
        try:
            return await self._body(content)
        except _FAILURES as failure:
            self._broken = True
            return Lost(_in_words(failure))

    async def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""
        try:
            if not self.broken:
                async with asyncio.timeout(self._patience.goodbye):
                    await self._command("QUIT")
        except _FAILURES:
            pass
        finally:
            self._broken = True
            self._writer.close()

    async def _envelope(self, mail_from: str, rcpt_to: str) -> Verdict | None:
        """Return None once the relay waits for the body, else what became of the mail."""
        for line, wanted, refusal in (
            (mail_from, "2", SenderRefused),
            (rcpt_to, "2", Refused),
            ("DATA", "3", Refused),
        ):
            reply = await self._command(line)
            if not reply.startswith(wanted):
                return self._judge(reply, otherwise=refusal)
        return None

    async def _body(self, content: bytes) -> Verdict:
        async with asyncio.timeout(self._patience.body):
            self._writer.write(stuffed(content))
            await self._writer.drain()
            reply = await self._reply()
        return Accepted(reply) if reply.startswith("2") else self._judge(reply, otherwise=Refused)

    def _judge(self, reply: str, *, otherwise: type[Refused] | type[SenderRefused]) -> Verdict:
        """Return what it means that the relay did not say yes. This is the one list of what is
        worth a retry: 4xx is, 5xx is not, 421 also ends the connection."""
        if reply.startswith("421"):
            self._broken = True
        if reply.startswith("4"):
            return Delayed(reply)
        if not reply.startswith("5"):
            raise _Garbage
        if otherwise is Refused:
            return Refused(reply, policy=" 5.7." in f" {reply}")
        return SenderRefused(reply)

    async def _reset(self, verdict: Verdict) -> Verdict:
        """Clear the envelope so that the next mail starts anew; what was said stays said."""
        if not self.broken:
            try:
                async with asyncio.timeout(self._patience.goodbye):
                    reply = await self._command("RSET")
                self._broken = self._broken or not reply.startswith("2")
            except _FAILURES:
                self._broken = True
        return verdict

    async def _command(self, line: str) -> str:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()
        return await self._reply()

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


def _in_words(failure: Exception) -> str:
    """Return what is kept of a failure instead of a reply."""
    if isinstance(failure, TimeoutError):
        return "no reply in time"
    if isinstance(failure, (_Garbage, ValueError, asyncio.LimitOverrunError)):
        return "no SMTP reply"
    return "connection lost"


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
    if type(failure) in (aiosmtplib.SMTPException, aiosmtplib.SMTPNotSupported):
        return SendRefused(
            "the relay offers no TLS, or no login",
            hint="use a relay that does, or one on this machine",
        )
    return RelayAway()
