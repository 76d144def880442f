"""Where the relay is, and how a connection to it comes to stand.

aiosmtplib opens it: TLS, login, EHLO. From then on the transport is ours, because the dialogue of
a mail must know what had been sent when something fails.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

import aiosmtplib

from repermit.dispatch.dialogue import Dialogue, Patience
from repermit.dispatch.offer import Offer
from repermit.dispatch.verdict import Verdict
from repermit.dispatch.wire import Wire
from repermit.errors import SendRefused

__all__ = ["Connect", "Connection", "Patience", "RelayAt", "RelayAway"]


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
        return _taken_over(client, self.patience)


class RelayAway(Exception):
    """The relay cannot be reached now, or talks nonsense before any mail."""


Connect = Callable[[], Awaitable[Connection]]


def _taken_over(client: aiosmtplib.SMTP, patience: Patience) -> Dialogue:
    """Return the dialogue over *client*'s transport; aiosmtplib sees nothing of it any more.

    aiosmtplib has no public name for what it has received and not read.
    """
    offer, received = Offer.of(client.esmtp_extensions), getattr(client.protocol, "_buffer", b"")
    if client.transport is None:
        raise RelayAway
    wire = Wire(cast(asyncio.Transport, client.transport), bytes(received))
    if wire.failure:
        wire.close()
        raise RelayAway
    return Dialogue(wire, offer, patience)


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
