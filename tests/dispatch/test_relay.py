"""Getting in: what stops a run, and what is worth another try."""

from __future__ import annotations

import pytest

from repermit.dispatch.refusals import Away
from repermit.dispatch.relay import Patience, RelayAt, RelayAway
from repermit.dispatch.verdict import Accepted
from repermit.errors import SendRefused
from tests.dispatch.connections import AN, MAIL, SENDER, connected, is_broken, relay_at
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
)


async def test_a_port_on_which_nobody_listens_is_a_relay_that_is_away() -> None:
    relay = Relay()
    async with relay.running():
        pass

    with pytest.raises(RelayAway) as away:
        await relay_at(relay).connect()

    assert away.value.cause is Away.REFUSED


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (raw(b"hello there\r\n"), Away.NO_SMTP),
        (raw(b"\xff\xfe\r\n"), Away.NO_SMTP),
        (raw(b"220 " + b"x" * 100_000 + b"\r\n"), Away.NO_SMTP),
        (HANGS_UP, Away.HANGS_UP),
        (RESETS, Away.HANGS_UP),
        (SAYS_NOTHING, Away.SILENT),
        (says_and_hangs_up("421 4.3.2 too many connections"), Away.BUSY),
        (says("450 4.3.2 later"), Away.BUSY),
    ],
)
async def test_why_the_relay_is_away_is_known(fault: Act, cause: Away) -> None:
    async with Relay(at({Phase.CONNECT: fault})).running() as relay:
        with pytest.raises(RelayAway) as away:
            await relay_at(relay, patience=Patience(connect=0.3)).connect()

    assert away.value.cause is cause


@pytest.mark.parametrize(
    ("surplus", "cause"),
    [(b"421 4.3.2 full\r\n", Away.BUSY), (b"what\r\n", Away.NO_SMTP)],
)
async def test_what_came_in_behind_the_greeting_says_why(surplus: bytes, cause: Away) -> None:
    async with Relay(at({Phase.EHLO: raw(b"250 relay.example\r\n" + surplus)})).running() as relay:
        with pytest.raises(RelayAway) as away:
            await relay_at(relay).connect()

    assert away.value.cause is cause


async def test_a_relay_that_speaks_no_tls_where_it_comes_first_is_told_from_others() -> None:
    async with Relay().running() as relay:
        with pytest.raises(RelayAway) as away:
            await relay_at(relay, "tls").connect()

    assert away.value.cause is Away.NO_TLS


async def test_a_host_without_an_address_is_told_from_others() -> None:
    with pytest.raises(RelayAway) as away:
        await RelayAt("relay.invalid", 25, "none", None, None).connect()

    assert away.value.cause is Away.NO_HOST


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
            await relay_at(relay, patience=Patience(connect=0.3)).connect()


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


@pytest.mark.parametrize("surplus", [b"421 4.3.2 full\r\n", b"250 ok\r\n", b"4", b"what\r\n"])
async def test_a_relay_that_says_more_than_it_was_asked_is_away(surplus: bytes) -> None:
    """What came in behind the greeting is not lost when the transport is taken over."""
    async with Relay(at({Phase.EHLO: raw(b"250 relay.example\r\n" + surplus)})).running() as relay:
        with pytest.raises(RelayAway):
            await relay_at(relay).connect()


@pytest.mark.parametrize("last_word", [HANGS_UP, RESETS, says_and_hangs_up("421 4.3.2 full")])
async def test_a_relay_that_goes_away_right_after_the_greeting_puts_nobody_off(
    last_word: Act,
) -> None:
    """Either no connection comes to stand, or it is seen to be broken before it is used."""
    greeting = Act(say=b"250 relay.example\r\n", then=last_word)
    async with Relay(at({Phase.EHLO: greeting})).running() as relay:
        try:
            connection = await relay_at(relay).connect()
        except RelayAway:
            return
        await is_broken(connection)
        await connection.close()


async def test_a_greeting_in_small_pieces_is_read_to_its_end() -> None:
    relay = Relay(joined=False, piece_bytes=1)
    async with connected(relay) as connection:
        await connection.send(SENDER, AN, MAIL)

    assert any("RET=HDRS" in line for line in relay.lines)
