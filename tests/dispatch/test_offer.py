"""The commands of a mail, by what the relay offers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.offer import Offer
from repermit.dispatch.verdict import Accepted, Refused, SenderRefused
from tests.dispatch.connections import AN, MAIL, SENDER, connected, verdict_of
from tests.relays import Relay, without

ALL = {
    "PIPELINING": "",
    "8BITMIME": "",
    "SIZE": "52428800",
    "DSN": "",
    "SMTPUTF8": "",
    "starttls": "",
}
ZOE = "zoë@people.example"


def commands(
    offered: dict[str, str],
    mailbox: str = AN,
    content: bytes = MAIL,
    *,
    sender: str = SENDER,
    envid: str | None = None,
) -> list[str]:
    told = Offer.of(offered).commands(sender, mailbox, content, envid=envid)
    assert isinstance(told, tuple), told
    mail, rcpt, data = (each.decode().removesuffix("\r\n") for each in told)
    assert data == "DATA"
    return [mail, rcpt]


def test_a_relay_that_offers_nothing_gets_no_parameters() -> None:
    assert commands({}, envid="x") == [f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{AN}>"]


def test_a_relay_that_offers_everything_gets_what_the_mail_needs() -> None:
    assert commands(ALL, envid="AB12") == [
        f"MAIL FROM:<{SENDER}> SIZE={len(MAIL)} RET=HDRS ENVID=AB12",
        f"RCPT TO:<{AN}> NOTIFY=FAILURE,DELAY",
    ]


def test_a_mail_without_an_envelope_id_names_none() -> None:
    assert "ENVID" not in commands(ALL)[0]


def test_only_a_body_of_eight_bits_is_announced_as_one() -> None:
    assert "BODY=8BITMIME" in commands(ALL, content="Subject: zoë\r\n".encode())[0].split()
    assert "BODY" not in commands({"SIZE": ""}, content="Subject: zoë\r\n".encode())[0]


def test_only_an_address_beyond_ascii_needs_smtputf8() -> None:
    assert "SMTPUTF8" not in commands(ALL)[0]
    assert "SMTPUTF8" in commands(ALL, ZOE)[0].split()
    assert commands(ALL, ZOE)[1].startswith(f"RCPT TO:<{ZOE}>")


@pytest.mark.parametrize("offered", [{}, {"8BITMIME": ""}, {**ALL, "SMTPUTF8": ""}])
def test_an_address_that_the_relay_cannot_carry_is_refused_with_that_reason(
    offered: dict[str, str],
) -> None:
    told = Offer.of(offered).commands(SENDER, ZOE, MAIL, envid=None)
    if "SMTPUTF8" in offered:
        assert isinstance(told, tuple)
    else:
        assert isinstance(told, Refused)
        assert ("SMTPUTF8" in told.reply, told.policy) == (True, False)
        assert "zoë" not in told.reply


def test_the_size_is_what_goes_out_but_for_the_doubled_dots_and_the_end() -> None:
    """Source: RFC 1870 section 3: each line with its end."""
    assert f"SIZE={len(MAIL)}" in commands(ALL)[0]
    assert "SIZE=4" in commands(ALL, content=b".a")[0]


@pytest.mark.parametrize(("limit", "fits"), [("63", True), ("61", False), ("0", True), ("", True)])
def test_a_mail_larger_than_the_relay_takes_is_about_us(limit: str, fits: bool) -> None:
    """Nobody else's would fit either."""
    told = Offer.of({"SIZE": limit}).commands(SENDER, AN, b"x" * 60, envid=None)

    assert isinstance(told, tuple) == fits
    assert fits or isinstance(told, SenderRefused)


@pytest.mark.parametrize("limit", ["", "0", "lots", "-5", "9" * 5000, "1 2", "²"])
def test_a_limit_that_is_none_is_none(limit: str) -> None:
    assert Offer.of({"SIZE": limit}).largest_bytes is None


@pytest.mark.parametrize("wrong", ["a\r\nRSET@b.example", "a\n@b.example", "a\x00@b.example"])
def test_no_address_makes_a_command_of_its_own(wrong: str) -> None:
    assert isinstance(Offer.of(ALL).commands(SENDER, wrong, MAIL, envid=None), Refused)
    assert isinstance(Offer.of(ALL).commands(wrong, AN, MAIL, envid=None), Refused)


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=100))
def test_any_envelope_id_can_be_had_back_and_makes_one_word(envid: str) -> None:
    """Source: RFC 3461 section 4."""
    [word] = [each for each in commands(ALL, envid=envid)[0].split(" ") if "ENVID" in each]
    xtext = word.removeprefix("ENVID=")

    assert re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+", xtext)
    assert re.sub(r"\+(..)", lambda found: chr(int(found[1], 16)), xtext) == envid


@pytest.mark.parametrize("wrong", ["x" * 101, "é"])
def test_an_envelope_id_that_no_relay_takes_is_a_defect(wrong: str) -> None:
    with pytest.raises(ValueError, match="envelope id"):
        commands(ALL, envid=wrong)


# ── Over a connection ────────────────────────────────────────────────────────────────────────────


async def test_the_parameters_arrive(relay: Relay) -> None:
    async with connected(relay) as connection:
        sent = await connection.send(SENDER, AN, MAIL, envid="AB12")

    assert sent == Accepted("250 2.0.0")
    assert f"MAIL FROM:<{SENDER}> SIZE={len(MAIL)} RET=HDRS ENVID=AB12" in relay.lines
    assert f"RCPT TO:<{AN}> NOTIFY=FAILURE,DELAY" in relay.lines


async def test_an_address_beyond_ascii_goes_to_a_relay_that_can_carry_it(relay: Relay) -> None:
    assert await verdict_of(relay, ZOE) == (Accepted("250 2.0.0"), False)
    assert relay.accepted() == [ZOE]


@pytest.mark.parametrize(
    ("extensions", "mailbox"), [(without("SMTPUTF8"), ZOE), (("SIZE 20",), AN)]
)
async def test_what_the_relay_cannot_carry_is_not_begun(
    extensions: tuple[str, ...], mailbox: str
) -> None:
    relay = Relay(extensions=extensions)

    verdict, broken = await verdict_of(relay, mailbox)

    assert isinstance(verdict, Refused | SenderRefused)
    assert not broken
    assert "MAIL" not in relay.commands
