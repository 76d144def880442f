"""Where the relay is, and how a connection to it comes to stand.

aiosmtplib opens it: TLS, login, EHLO. From then on the transport is ours, because the dialogue of
a mail must know what had been sent when something fails.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

import aiosmtplib

from repermit.dispatch.dialogue import Dialogue, Patience
from repermit.dispatch.offer import Offer
from repermit.dispatch.refusals import Away
from repermit.dispatch.verdict import Verdict
from repermit.dispatch.wire import LOST, Wire
from repermit.errors import SendRefused

__all__ = ["Connect", "Connection", "Patience", "RelayAt", "RelayAway"]

_LATER = 400  # 4xx: not now


class Connection(Protocol):
    """One open connection to the relay."""

    @property
    def broken(self) -> bool:
        """Return whether no other mail can go over it; true as soon as the relay hung up or spoke
        unasked, also between two mails."""

    async def send(
        self, sender: str, mailbox: str, content: bytes, *, envid: str | None = None
    ) -> Verdict:
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
    patience: Patience = field(default_factory=Patience)

    async def connect(self) -> Dialogue:
        """Return an open connection.

        Raises: as `opened`.
        """
        return _taken_over(await self.opened(), self.patience)

    async def opened(self) -> aiosmtplib.SMTP:
        """Return what has said hello, with TLS and the login; no mail is begun.

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
            async with asyncio.timeout(self.patience.connect):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
            client.close()
            raise _explained(failure) from failure
        except asyncio.CancelledError:
            client.close()
            raise
        return client


class RelayAway(Exception):
    """No connection comes about now, because of `cause`; trying again may help."""

    def __init__(self, cause: Away) -> None:
        super().__init__(cause.name)
        self.cause = cause


Connect = Callable[[], Awaitable[Connection]]


def _taken_over(client: aiosmtplib.SMTP, patience: Patience) -> Dialogue:
    """Return the dialogue over *client*'s transport; aiosmtplib sees nothing of it any more.

    aiosmtplib has no public name for what it has received and not read.
    """
    if client.transport is None or client.protocol is None:
        raise RelayAway(Away.HANGS_UP)
    received = bytes(client.protocol._buffer)
    offer = Offer.of(client.esmtp_extensions)
    wire = Wire(cast(asyncio.Transport, client.transport), received)
    if wire.failure:
        wire.close()
        raise RelayAway(_ended_by(wire.failure))
    return Dialogue(wire, offer, patience)


def _ended_by(failure: str) -> Away:
    """Return the cause of a talk that ended before it began."""
    if failure == LOST:
        return Away.HANGS_UP
    return Away.BUSY if failure.startswith("4") else Away.NO_SMTP


def _explained(failure: Exception) -> Exception:
    """Return what a failure to connect means: RelayAway where trying again may help."""
    either = (failure, failure.__cause__)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in either):
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
            hint="use a relay that does, or one on this machine; see relay.without_tls",
        )
    return RelayAway(_cause(failure, failure.__cause__))


def _cause(failure: Exception, beneath: BaseException | None) -> Away:
    """Return why no connection came about; *beneath* is what the system said."""
    match failure, beneath:
        case _, socket.gaierror():
            return Away.NO_HOST
        case (ssl.SSLError(), _) | (_, ssl.SSLError()):
            return Away.NO_TLS
        case (TimeoutError(), _) | (_, ConnectionAbortedError()):
            return Away.SILENT
        case aiosmtplib.SMTPResponseException(code=code), _ if code >= _LATER:
            return Away.BUSY
        case (aiosmtplib.SMTPServerDisconnected(), _) | (
            _,
            aiosmtplib.SMTPServerDisconnected() | ConnectionResetError(),
        ):
            return Away.HANGS_UP
        case OSError(), _ if not isinstance(failure, aiosmtplib.SMTPResponseException):
            return Away.REFUSED
        case _:
            return Away.NO_SMTP
