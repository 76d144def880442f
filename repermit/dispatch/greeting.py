"""What the relay says before any mail: how it encrypts, until when its certificate holds, and what
it offers."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import aiosmtplib

from repermit.dispatch.offer import Offer
from repermit.dispatch.refusals import Away
from repermit.dispatch.relay import RelayAt, RelayAway


@dataclass(frozen=True)
class Greeting:
    """What a relay offers; `tls` is its version ("TLSv1.3"), empty without TLS."""

    offer: Offer
    tls: str = ""
    certificate_ends: datetime | None = None


async def greeting(at: RelayAt) -> Greeting:
    """Return what the relay says to hello, TLS and login; no mail is begun.

    Raises: as `RelayAt.opened`.
    """
    client = await at.opened()
    try:
        if client.transport is None:
            raise RelayAway(Away.HANGS_UP)
        tls = client.transport.get_extra_info("ssl_object")
        return Greeting(
            Offer.of(client.esmtp_extensions),
            tls.version() or "" if tls else "",
            _end_of(tls) if tls else None,
        )
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=at.patience.goodbye)
        client.close()


def _end_of(tls: ssl.SSLObject) -> datetime | None:
    certificate = tls.getpeercert()
    if not certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
