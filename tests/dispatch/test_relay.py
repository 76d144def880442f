"""The connection against every fault: what each means is promised, and hangs on the very byte."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.relay import Patience, RelayAt, RelayAway, SmtpConnection, stuffed
from repermit.dispatch.verdict import Accepted, Delayed, Lost, Refused, SenderRefused, Verdict
from repermit.errors import SendRefused
from repermit.ledger.store.sending import LEASE
from tests.relays import (
    HANGS_UP,
    RESETS,
    SAYS_NOTHING,
    Act,
    Phase,
    Relay,
    at,
    in_turn,
    raw,
    says,
    says_and_hangs_up,
)

SENDER, AN, JAN = "news@list.example", "an@people.example", "jan@people.example"
MAIL = b"Subject: hello\r\n\r\n.a line with a dot\r\n..two\r\n.\r\nthe end\r\n"
BRIEF = Patience(connect=1.0, envelope=0.3, body=0.3, goodbye=0.3)
BEFORE_THE_BODY = (Phase.MAIL, Phase.RCPT, Phase.DATA)
GARBAGE = {
    "no code": raw(b"hello there\r\n"),
    "no reply code": raw(b"999 what\r\n"),
    "two codes": raw(b"250-first\r\n251 second\r\n"),
    "a line without end": raw(b"250 " + b"x" * 20_000),
    "a reply without end": raw(b"250-more\r\n" * 200),
    "half a line, then nobody": raw(b"25", hang_up=True),
    "half a reply, then nobody": raw(b"250-more\r\n", hang_up=True),
    "bytes of no alphabet": raw(b"\xff\xfe\x00\r\n"),
    "an empty line": raw(b"\r\n"),
}
GONE = {"a goodbye without a word": HANGS_UP, "a reset": RESETS, "silence": SAYS_NOTHING}
every_fault = pytest.mark.parametrize(
    "fault", [*GARBAGE.values(), *GONE.values()], ids=[*GARBAGE, *GONE]
)


def relay_at(relay: Relay, tls: str = "none", *, login: bool = False, **more: object) -> RelayAt:
    return RelayAt(
        host="127.0.0.1",
        port=relay.port,
        tls=tls,
        user="user" if login else None,
        password="geheim" if login else None,
        patience=BRIEF,
        **more,  # type: ignore[arg-type]
    )


@asynccontextmanager
async def connected(relay: Relay) -> AsyncIterator[SmtpConnection]:
    """Run *relay* with one connection to it, for the length of a block."""
    async with relay.running():
        connection = await relay_at(relay).connect()
        try:
            yield connection
        finally:
            await connection.close()


async def verdict_of(relay: Relay, mailbox: str = AN) -> tuple[Verdict, bool]:
    """Return what became of one mail, and whether the connection is broken."""
    async with connected(relay) as connection:
        return await connection.send(SENDER, mailbox, MAIL), connection.broken


async def test_a_mail_that_the_relay_takes_is_accepted_and_arrives_byte_for_byte() -> None:
    relay = Relay()

    assert await verdict_of(relay) == (Accepted("250 2.0.0"), False)

    [arrived] = relay.deliveries
    assert (arrived.sender, arrived.mailbox, arrived.content) == (SENDER, AN, MAIL)


async def test_one_connection_carries_one_mail_after_another_and_says_goodbye() -> None:
    relay = Relay()
    async with connected(relay) as connection:
        for mailbox in (AN, JAN):
            assert await connection.send(SENDER, mailbox, MAIL) == Accepted("250 2.0.0")

    assert relay.accepted() == [AN, JAN]
    assert relay.commands[-1] == "QUIT"
    assert connection.broken


@pytest.mark.parametrize("phase", [*BEFORE_THE_BODY, Phase.BODY])
@pytest.mark.parametrize("code", ["450 4.2.1", "451 4.7.1", "452"])
async def test_an_explicit_4xx_at_any_step_delays(phase: Phase, code: str) -> None:
    relay = Relay(at({phase: says(f"{code} not now, {AN}")}))

    assert await verdict_of(relay) == (Delayed(code), False)


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.BODY])
@pytest.mark.parametrize("code", ["550 5.1.1", "552 5.2.2", "554", "550 4.7.1"])
async def test_a_5xx_refuses_the_recipient(phase: Phase, code: str) -> None:
    relay = Relay(at({phase: says(f"{code} no such user")}))

    assert await verdict_of(relay) == (Refused(code), False)


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.BODY])
async def test_a_5_7_code_may_be_about_us(phase: Phase) -> None:
    relay = Relay(at({phase: says("550 5.7.26 unauthenticated mail")}))

    assert await verdict_of(relay) == (Refused("550 5.7.26", policy=True), False)


@pytest.mark.parametrize("code", ["550 5.7.1", "553 5.1.8", "501"])
async def test_a_5xx_to_mail_from_refuses_the_sender(code: str) -> None:
    relay = Relay(at({Phase.MAIL: says(f"{code} who are you")}))

    assert await verdict_of(relay) == (SenderRefused(code), False)


@every_fault
@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_a_loss_before_the_first_body_byte_delays(phase: Phase, fault: Act) -> None:
    relay = Relay(at({phase: fault}))

    verdict, broken = await verdict_of(relay)

    assert (type(verdict), broken) == (Delayed, True)
    assert relay.deliveries == []


@every_fault
async def test_a_loss_once_the_body_is_whole_is_lost(fault: Act) -> None:
    relay = Relay(at({Phase.BODY: fault}))

    verdict, broken = await verdict_of(relay)

    assert (type(verdict), broken) == (Lost, True)
    assert len(relay.deliveries) == 1


@pytest.mark.parametrize(
    "fault", [HANGS_UP, RESETS, SAYS_NOTHING], ids=["gone", "reset", "silence"]
)
@pytest.mark.parametrize("size", [1, 100_000])
async def test_a_loss_within_the_body_is_lost(fault: Act, size: int) -> None:
    """Also when the relay has read one byte of a megabyte: it may have more of it by now."""
    relay = Relay(at({Phase.IN_BODY: Act(**{**vars(fault), "after_bytes": size})}))
    async with connected(relay) as connection:
        verdict = await connection.send(SENDER, AN, b"x" * 70 + b"\r\n" + MAIL * 20_000)

    assert (type(verdict), connection.broken) == (Lost, True)


async def test_a_refusal_before_the_end_of_the_body_counts() -> None:
    """The relay has had enough of it, says so, and reads the rest."""
    relay = Relay(at({Phase.IN_BODY: says("552 5.3.4 too big")}))

    assert await verdict_of(relay) == (Refused("552 5.3.4"), False)


@pytest.mark.parametrize(
    ("phase", "wrong"),
    [
        *((Phase.MAIL, code) for code in ("354 go on", "334 ")),
        *((Phase.RCPT, code) for code in ("354 go on", "334 ")),
        *((Phase.DATA, code) for code in ("250 2.0.0 taken", "220 hi", "235 2.7.0 welcome")),
    ],
)
async def test_a_yes_to_another_question_never_counts_as_a_mail_taken(
    phase: Phase, wrong: str
) -> None:
    relay = Relay(at({phase: says(wrong)}))

    assert await verdict_of(relay) == (Delayed("no SMTP reply"), True)
    assert relay.deliveries == []


async def test_a_relay_that_wants_more_after_the_body_leaves_a_doubt() -> None:
    relay = Relay(at({Phase.BODY: says("354 go on")}))

    assert await verdict_of(relay) == (Lost("no SMTP reply"), True)


async def test_replies_that_run_ahead_of_the_questions_accept_nothing() -> None:
    """One reply too many at RCPT: it answers DATA, to which a 250 is no answer."""
    relay = Relay(at({Phase.RCPT: raw(b"250 2.1.5 ok\r\n250 2.1.5 ok\r\n")}))

    assert await verdict_of(relay) == (Delayed("no SMTP reply"), True)
    assert relay.deliveries == []


@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_a_421_before_the_body_delays_and_ends_the_connection(phase: Phase) -> None:
    relay = Relay(at({phase: says_and_hangs_up("421 4.3.2 shutting down")}))

    assert await verdict_of(relay) == (Delayed("421 4.3.2"), True)
    assert "RSET" not in relay.commands


async def test_a_421_to_the_body_delays_because_it_was_not_taken() -> None:
    relay = Relay(at({Phase.BODY: says("421 4.3.2 shutting down")}))

    assert await verdict_of(relay) == (Delayed("421 4.3.2"), True)


async def test_a_relay_that_hangs_up_right_after_354_leaves_at_most_a_doubt() -> None:
    relay = Relay(at({Phase.DATA: says_and_hangs_up("354 go ahead")}))

    verdict, broken = await verdict_of(relay)

    assert isinstance(verdict, Delayed | Lost)
    assert broken


@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_a_slow_drip_runs_into_the_time_limit_of_the_envelope(phase: Phase) -> None:
    """The limit is over the whole envelope: a byte now and then does not renew it."""
    relay = Relay(at({phase: says("250 2.0.0 very slowly", drip=0.04)}))

    assert await verdict_of(relay) == (Delayed("no reply in time"), True)


async def test_a_slow_drip_after_the_body_leaves_a_doubt() -> None:
    relay = Relay(at({Phase.BODY: says("250 2.0.0 very slowly", drip=0.04)}))

    assert await verdict_of(relay) == (Lost("no reply in time"), True)


async def test_a_drip_that_is_fast_enough_is_an_answer() -> None:
    slow = {phase: says("250 ok", drip=0.002) for phase in (Phase.MAIL, Phase.RCPT, Phase.BODY)}

    assert await verdict_of(Relay(at(slow))) == (Accepted("250"), False)


def test_one_mail_takes_less_time_than_a_lease_whatever_the_relay_does() -> None:
    """Otherwise another sender would make doubtful what is still under way."""
    patience = Patience()
    longest = patience.connect + patience.envelope + patience.body + patience.goodbye

    assert longest < LEASE.total_seconds()


async def test_replies_of_many_lines_are_read_to_their_last() -> None:
    many = says("250-2.0.0 first\n250-second\n250 2.0.0 third")
    relay = Relay(at({Phase.MAIL: many, Phase.RCPT: says("250"), Phase.BODY: many}))

    assert await verdict_of(relay) == (Accepted("250 2.0.0"), False)


async def test_a_reply_may_end_in_a_bare_line_feed() -> None:
    assert await verdict_of(Relay(at({Phase.BODY: raw(b"250 2.0.0 ok\n")}))) == (
        Accepted("250 2.0.0"),
        False,
    )


@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY])
async def test_no_verdict_repeats_the_words_of_the_relay(phase: Phase) -> None:
    """They may hold the address."""
    for code in ("250", "450", "550 5.1.1", "550-5.7.1", "babble"):
        relay = Relay(at({phase: says(f"{code} <{AN}>: {code} user {AN} is unknown")}))
        verdict, _ = await verdict_of(relay)
        assert "an@" not in repr(verdict)
        assert "unknown" not in repr(verdict)


@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_after_a_refusal_the_same_connection_takes_the_next_mail(phase: Phase) -> None:
    relay = Relay(in_turn(phase, says("550 5.1.1 no")))
    async with connected(relay) as connection:
        await connection.send(SENDER, AN, MAIL)
        assert await connection.send(SENDER, JAN, MAIL) == Accepted("250 2.0.0")

    assert relay.accepted() == [JAN]
    assert "RSET" in relay.commands


@pytest.mark.parametrize("fault", [HANGS_UP, SAYS_NOTHING, says("500 what"), raw(b"babble\r\n")])
async def test_a_relay_that_cannot_forget_is_not_used_again_but_its_word_stands(
    fault: Act,
) -> None:
    relay = Relay(at({Phase.RCPT: says("550 5.1.1 no"), Phase.RSET: fault}))

    assert await verdict_of(relay) == (Refused("550 5.1.1"), True)


@pytest.mark.parametrize("last_word", [HANGS_UP, says_and_hangs_up("421 4.4.2 idle for too long")])
async def test_a_connection_that_the_relay_closed_between_two_mails_is_broken(
    last_word: Act,
) -> None:
    """So that no mail is put off for it."""
    relay = Relay(in_turn(Phase.BODY, Act(say=b"250 2.0.0 ok\r\n" + last_word.say, hang_up=True)))
    async with connected(relay) as connection:
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")
        await asyncio.sleep(0.05)
        assert connection.broken


@pytest.mark.parametrize("fault", [HANGS_UP, SAYS_NOTHING, raw(b"babble\r\n"), says("500 what")])
async def test_closing_never_fails(fault: Act) -> None:
    async with connected(Relay(at({Phase.QUIT: fault}))) as connection:
        await connection.close()
        await connection.close()

    assert connection.broken


async def test_an_address_that_the_relay_cannot_carry_is_refused_with_that_reason() -> None:
    relay = Relay(extensions=("8BITMIME",))

    verdict, broken = await verdict_of(relay, "zoë@people.example")

    assert isinstance(verdict, Refused)
    assert ("SMTPUTF8" in verdict.reply, verdict.policy, broken) == (True, False, False)
    assert "zoë" not in verdict.reply
    assert "MAIL" not in relay.commands


async def test_an_address_beyond_ascii_goes_to_a_relay_that_can_carry_it() -> None:
    relay = Relay()

    assert await verdict_of(relay, "zoë@people.example") == (Accepted("250 2.0.0"), False)
    assert relay.accepted() == ["zoë@people.example"]


# ── Getting in ───────────────────────────────────────────────────────────────────────────────────


async def test_a_port_on_which_nobody_listens_is_a_relay_that_is_away() -> None:
    relay = Relay()
    async with relay.running():
        pass

    with pytest.raises(RelayAway):
        await relay_at(relay).connect()


@pytest.mark.parametrize(
    "fault",
    [
        *(raw(b"hello there\r\n"), raw(b"22", hang_up=True), raw(b"\xff\xfe\r\n"), HANGS_UP),
        *(SAYS_NOTHING, RESETS, says_and_hangs_up("421 4.3.2 too many connections")),
        *(says("450 4.3.2 later"), raw(b"220 " + b"x" * 100_000 + b"\r\n")),
    ],
)
@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.EHLO])
async def test_a_relay_that_cannot_be_talked_to_now_is_away(phase: Phase, fault: Act) -> None:
    """Trying again may help."""
    async with Relay(at({phase: fault})).running() as relay:
        with pytest.raises(RelayAway):
            await relay_at(relay).connect()


async def test_a_relay_that_refuses_the_connection_is_not_tried_again() -> None:
    async with Relay(at({Phase.CONNECT: says("554 5.7.1 go away")})).running() as relay:
        with pytest.raises(SendRefused, match="refused the connection"):
            await relay_at(relay).connect()


async def test_the_right_login_gets_in() -> None:
    relay = Relay(extensions=("AUTH PLAIN", "SMTPUTF8"))
    async with relay.running():
        connection = await relay_at(relay, login=True).connect()
        assert await connection.send(SENDER, "zoë@people.example", MAIL) == Accepted("250 2.0.0")
        await connection.close()


async def test_a_wrong_password_stops_with_what_to_do() -> None:
    relay = Relay(at({Phase.AUTH: says("535 5.7.8 wrong")}), extensions=("AUTH PLAIN",))
    async with relay.running():
        with pytest.raises(SendRefused, match="refused the login") as refused:
            await relay_at(relay, login=True).connect()

    assert "REPERMIT_RELAY_PASSWORD" in refused.value.hint
    assert "geheim" not in str(refused.value)


async def test_a_login_that_cannot_be_checked_now_is_tried_again() -> None:
    relay = Relay(
        at({Phase.AUTH: says("454 4.7.0 no directory; STARTTLS is fine")}),
        extensions=("AUTH PLAIN",),
    )
    async with relay.running():
        with pytest.raises(RelayAway):
            await relay_at(relay, login=True).connect()


async def test_a_relay_that_offers_no_login_stops() -> None:
    async with Relay().running() as relay:
        with pytest.raises(SendRefused, match="no login"):
            await relay_at(relay, login=True).connect()


async def test_a_relay_without_tls_is_not_given_a_mail() -> None:
    async with Relay().running() as relay:
        with pytest.raises(SendRefused, match="no TLS"):
            await relay_at(relay, "starttls").connect()

    assert "MAIL" not in relay.commands


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by nobody else, and its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "relay.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(params=["starttls", "tls"])
def secure_relay(request: pytest.FixtureRequest, certificate: Path) -> tuple[Relay, str]:
    """A relay with TLS, and how: after STARTTLS, or from the first byte."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return Relay(tls=context, implicit=request.param == "tls"), request.param


async def test_a_certificate_that_nobody_vouches_for_stops(
    secure_relay: tuple[Relay, str],
) -> None:
    relay, tls = secure_relay
    async with relay.running():
        with pytest.raises(SendRefused, match="certificate is not valid"):
            await relay_at(relay, tls).connect()

    assert "MAIL" not in relay.commands


async def test_over_tls_the_mail_arrives_as_it_was(
    secure_relay: tuple[Relay, str], certificate: Path
) -> None:
    relay, tls = secure_relay
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with relay.running():
        connection = await relay_at(relay, tls, context=trusting).connect()
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")
        await connection.close()

    assert [each.content for each in relay.deliveries] == [MAIL]


async def test_over_tls_too_a_loss_after_the_body_is_lost(
    secure_relay: tuple[Relay, str], certificate: Path
) -> None:
    relay, tls = secure_relay
    relay.script = at({Phase.BODY: RESETS})
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with relay.running():
        connection = await relay_at(relay, tls, context=trusting).connect()
        assert await connection.send(SENDER, AN, MAIL) == Lost("connection lost")
        await connection.close()


# ── Dots ─────────────────────────────────────────────────────────────────────────────────────────

_PIECES = st.sampled_from([b".", b"..", b"\r\n", b".\r\n", b"a", b" ", b"\r\n.\r\n", b"...x"])
_BODIES = st.one_of(st.binary(max_size=60), st.lists(_PIECES, max_size=30).map(b"".join))


def _as_received(data: bytes) -> tuple[bytes, bytes]:
    """Return what a receiver keeps of *data*, and what it takes for the next command.

    Source: RFC 5321 section 4.5.2.
    """
    kept, rest = b"", data
    while not rest.startswith(b".\r\n"):
        line, end, rest = rest.partition(b"\r\n")
        assert end, "no end of the body"
        kept += line.removeprefix(b".") + end
    return kept, rest.removeprefix(b".\r\n")


@given(_BODIES)
def test_whatever_the_body_a_receiver_has_it_back_and_nothing_of_it_is_a_command(
    body: bytes,
) -> None:
    """But for a bare line feed before a dot, which no mail of ours holds."""
    content = body.replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\n", b"\r\n")
    whole = content if content.endswith(b"\r\n") else content + b"\r\n"

    assert _as_received(stuffed(content)) == (whole, b"")


@given(_BODIES)
def test_no_line_of_any_body_ends_it_early_even_for_a_lax_receiver(body: bytes) -> None:
    """One that also takes a bare line feed for the end of a line."""
    sent = stuffed(body).removesuffix(b".\r\n")

    assert b"\n.\n" not in sent
    assert b"\n.\r\n" not in sent
    assert not sent.startswith((b".\n", b".\r\n"))
