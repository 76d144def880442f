"""What the relay says before any mail."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from repermit.dispatch.greeting import greeting
from tests.certificates import write_certificate
from tests.dispatch.connections import relay_at
from tests.relays import Relay


async def test_what_it_offers_is_told_and_no_mail_is_begun() -> None:
    relay = Relay()
    async with relay.running():
        heard = await greeting(relay_at(relay))

    assert (heard.tls, heard.certificate_ends) == ("", None)
    assert heard.offer.pipelining


async def test_how_it_encrypts_and_until_when_is_told(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path / "relay.pem")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    relay = Relay(tls=serving)
    async with relay.running():
        heard = await greeting(relay_at(relay, "starttls", context=trusting))

    assert heard.tls in ("TLSv1.2", "TLSv1.3")
    assert heard.certificate_ends is not None
    assert (heard.certificate_ends - datetime.now(UTC)).days in (364, 365)
