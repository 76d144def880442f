"""TLS: nothing goes out without it, and what is lost beneath it is told as exactly."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.dispatch.dialogue import Dialogue
from repermit.dispatch.relay import Patience, RelayAway
from repermit.dispatch.verdict import Accepted, Delayed, Lost
from repermit.errors import SendRefused
from tests.certificates import write_certificate
from tests.dispatch.connections import AN, BEFORE_THE_BODY, JAN, MAIL, SENDER, is_broken, relay_at
from tests.relays import (
    HANGS_UP,
    RESETS,
    SAYS_NOTHING,
    Act,
    Phase,
    Relay,
    at,
    raw,
    says,
    says_and_hangs_up,
    without,
)

LARGE = b"Subject: large\r\n\r\n" + (b".x" * 35 + b"\r\n") * 20_000
FAULTS = {
    "a goodbye without a word": HANGS_UP,
    "a reset": RESETS,
    "plain text beneath TLS": Act(noise=b"250 2.0.0 ok\r\n", say=b"250 2.0.0 ok\r\n"),
    "a broken record": Act(noise=b"\x17\x03\x03\x00\x20" + bytes(32), then=SAYS_NOTHING),
    "half a record, then nobody": Act(noise=b"\x17\x03\x03\x00\x20" + bytes(5), reset=True),
}


@dataclass(frozen=True)
class Secure:
    """A relay with TLS, and how: starttls, or tls from the first byte."""

    relay: Relay
    tls: str
    trusting: ssl.SSLContext

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Dialogue]:
        """Run the relay with one connection to it that trusts it, for the length of a block."""
        async with self.relay.running():
            connection = await relay_at(self.relay, self.tls, context=self.trusting).connect()
            try:
                yield connection
            finally:
                await connection.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by nobody else, and its key in the same file."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "relay.pem")


@pytest.fixture(params=["starttls", "tls"])
def secure(request: pytest.FixtureRequest, certificate: Path) -> Secure:
    """A relay with TLS of either kind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    relay = Relay(tls=context, implicit=request.param == "tls")
    return Secure(relay, request.param, ssl.create_default_context(cafile=str(certificate)))


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_has_expired_stops(tmp_path: Path, tls: str) -> None:
    expired = write_certificate(tmp_path / "relay.pem", ends=-timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(expired)
    trusting = ssl.create_default_context(cafile=str(expired))
    async with Relay(tls=context, implicit=tls == "tls").running() as relay:
        with pytest.raises(SendRefused, match="certificate is not valid"):
            await relay_at(relay, tls, context=trusting).connect()

    assert "MAIL" not in relay.commands


async def test_a_certificate_that_nobody_vouches_for_stops(secure: Secure) -> None:
    async with secure.relay.running():
        with pytest.raises(SendRefused, match="certificate is not valid"):
            await relay_at(secure.relay, secure.tls).connect()

    assert "MAIL" not in secure.relay.commands


async def test_over_tls_the_mail_arrives_as_it_was(secure: Secure) -> None:
    async with secure.connected() as connection:
        for mailbox in (AN, JAN):
            assert await connection.send(SENDER, mailbox, LARGE) == Accepted("250 2.0.0")

    assert [each.content for each in secure.relay.deliveries] == [LARGE, LARGE]


@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_over_tls_too_a_loss_before_the_body_delays(
    secure: Secure, phase: Phase, fault: Act
) -> None:
    secure.relay.script = at({phase: fault})
    async with secure.connected() as connection:
        assert isinstance(await connection.send(SENDER, AN, MAIL), Delayed)
        assert connection.broken

    assert secure.relay.deliveries == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("phase", [Phase.IN_BODY, Phase.BODY])
async def test_over_tls_too_a_loss_from_the_body_on_is_lost(
    secure: Secure, phase: Phase, fault: Act
) -> None:
    secure.relay.script = at({phase: fault})
    async with secure.connected() as connection:
        assert isinstance(await connection.send(SENDER, AN, MAIL), Lost)
        assert connection.broken


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_over_tls_too_a_loss_between_two_mails_is_seen(secure: Secure, fault: Act) -> None:
    later = Act(**{**vars(fault), "wait": 0.03})
    secure.relay.script = at({Phase.BODY: Act(say=b"250 2.0.0 ok\r\n", then=later)})
    async with secure.connected() as connection:
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")
        await is_broken(connection)


async def test_over_tls_too_a_yes_counts_though_the_relay_hangs_up_at_once(secure: Secure) -> None:
    secure.relay.script = at({Phase.BODY: says_and_hangs_up("250 2.0.0 taken, bye")})
    async with secure.connected() as connection:
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")


@pytest.mark.parametrize(
    "answer",
    [
        *(says("454 4.7.0 not now"), says_and_hangs_up("421 4.3.2 later"), HANGS_UP, RESETS),
        *(raw(b"babble\r\n"), says_and_hangs_up("220 go ahead"), raw(b"220 go ahead\r\nno\r\n")),
        *(SAYS_NOTHING, Act(say=b"220 go ahead\r\n", then=SAYS_NOTHING)),
        Act(say=b"220 go ahead\r\n", then=Act(say=b"no TLS in this\r\n", hang_up=True)),
    ],
)
async def test_a_start_of_tls_that_fails_midway_is_tried_again(answer: Act) -> None:
    """Nothing is said in the clear meanwhile."""
    relay = Relay(at({Phase.STARTTLS: answer}), extensions=("STARTTLS", *without()))
    async with relay.running():
        with pytest.raises(RelayAway):
            await relay_at(relay, "starttls", patience=Patience(connect=0.5)).connect()

    assert "MAIL" not in relay.commands
