"""What the relay says of a mail, and what that means: the same with and without PIPELINING."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.dialogue import Patience, stuffed
from repermit.dispatch.verdict import Accepted, Delayed, Lost, Refused, SenderRefused
from repermit.ledger.store.sending import LEASE
from tests.dispatch.connections import (
    AN,
    BEFORE_THE_BODY,
    HASTY,
    JAN,
    MAIL,
    SENDER,
    connected,
    verdict_of,
)
from tests.relays import Act, Phase, Relay, at, in_turn, raw, says


async def test_a_mail_that_the_relay_takes_is_accepted_and_arrives_byte_for_byte(
    relay: Relay,
) -> None:
    assert await verdict_of(relay) == (Accepted("250 2.0.0"), False)

    [arrived] = relay.deliveries
    assert (arrived.sender, arrived.mailbox, arrived.content) == (SENDER, AN, MAIL)


async def test_one_connection_carries_one_mail_after_another_and_says_goodbye(
    relay: Relay,
) -> None:
    async with connected(relay) as connection:
        for mailbox in (AN, JAN):
            assert await connection.send(SENDER, mailbox, MAIL) == Accepted("250 2.0.0")

    assert relay.accepted() == [AN, JAN]
    assert relay.commands[-1] == "QUIT"
    assert relay.opened == 1
    assert connection.broken


async def test_each_mail_has_the_sender_it_was_given(relay: Relay) -> None:
    async with connected(relay) as connection:
        for sender in ("b+1@list.example", "b+2@list.example", ""):
            await connection.send(sender, AN, MAIL)

    assert [each.sender for each in relay.deliveries] == [
        "b+1@list.example",
        "b+2@list.example",
        "",
    ]


@pytest.mark.parametrize("phase", [*BEFORE_THE_BODY, Phase.BODY])
@pytest.mark.parametrize("code", ["450 4.2.1", "451 4.7.1", "452"])
async def test_an_explicit_4xx_at_any_step_delays(relay: Relay, phase: Phase, code: str) -> None:
    relay.script = at({phase: says(f"{code} not now, {AN}")})

    assert await verdict_of(relay) == (Delayed(code), False)


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.BODY])
@pytest.mark.parametrize("code", ["550 5.1.1", "552 5.2.2", "554", "550 4.7.1"])
async def test_a_5xx_refuses_the_recipient(relay: Relay, phase: Phase, code: str) -> None:
    relay.script = at({phase: says(f"{code} no such user")})

    assert await verdict_of(relay) == (Refused(code), False)


@pytest.mark.parametrize("phase", [Phase.RCPT, Phase.DATA, Phase.BODY])
async def test_a_5_7_code_may_be_about_us(relay: Relay, phase: Phase) -> None:
    relay.script = at({phase: says("550 5.7.26 unauthenticated mail")})

    assert await verdict_of(relay) == (Refused("550 5.7.26", policy=True), False)


@pytest.mark.parametrize("code", ["550 5.7.1", "553 5.1.8", "501"])
async def test_a_5xx_to_mail_from_refuses_the_sender(relay: Relay, code: str) -> None:
    relay.script = at({Phase.MAIL: says(f"{code} who are you")})

    assert await verdict_of(relay) == (SenderRefused(code), False)


@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_after_a_refusal_the_same_connection_takes_the_next_mail(
    relay: Relay, phase: Phase
) -> None:
    relay.script = in_turn(phase, says("550 5.1.1 no"))
    async with connected(relay) as connection:
        await connection.send(SENDER, AN, MAIL)
        assert await connection.send(SENDER, JAN, MAIL) == Accepted("250 2.0.0")

    assert relay.accepted() == [JAN]
    assert relay.opened == 1
    assert "RSET" in relay.commands


async def test_after_a_refusal_of_the_body_the_next_mail_needs_no_reset(relay: Relay) -> None:
    relay.script = in_turn(Phase.BODY, says("550 5.0.0 no"))
    async with connected(relay) as connection:
        await connection.send(SENDER, AN, MAIL)
        assert await connection.send(SENDER, JAN, MAIL) == Accepted("250 2.0.0")

    assert "RSET" not in relay.commands


async def test_a_refusal_before_the_end_of_the_body_counts(relay: Relay) -> None:
    """The relay has had enough of it, says so, and reads the rest."""
    relay.script = at({Phase.IN_BODY: says("552 5.2.3 too big")})

    assert await verdict_of(relay) == (Refused("552 5.2.3"), False)


@pytest.mark.parametrize(
    ("phase", "wrong"),
    [
        *((Phase.MAIL, code) for code in ("354 go on", "334 ")),
        *((Phase.RCPT, code) for code in ("354 go on", "334 ")),
        *((Phase.DATA, code) for code in ("250 2.0.0 taken", "220 hi", "235 2.7.0 welcome")),
    ],
)
async def test_a_yes_to_another_question_never_counts_as_a_mail_taken(
    relay: Relay, phase: Phase, wrong: str
) -> None:
    relay.script = at({phase: says(wrong)})

    assert await verdict_of(relay) == (Delayed("no SMTP reply"), True)
    assert relay.deliveries == []


async def test_a_relay_that_wants_more_after_the_body_leaves_a_doubt(relay: Relay) -> None:
    relay.script = at({Phase.BODY: says("354 go on")})

    assert await verdict_of(relay) == (Lost("no SMTP reply"), True)


async def test_replies_of_many_lines_are_read_to_their_last(relay: Relay) -> None:
    many = says("250-2.0.0 first\n250-second\n250 2.0.0 third")
    relay.script = at({Phase.MAIL: many, Phase.RCPT: says("250"), Phase.BODY: many})

    assert await verdict_of(relay) == (Accepted("250 2.0.0"), False)


async def test_a_reply_may_end_in_a_bare_line_feed(relay: Relay) -> None:
    relay.script = at({phase: raw(b"250 2.0.0 ok\n") for phase in (Phase.RCPT, Phase.BODY)})

    assert await verdict_of(relay) == (Accepted("250 2.0.0"), False)


@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY])
async def test_no_verdict_repeats_the_words_of_the_relay(relay: Relay, phase: Phase) -> None:
    """They may hold the address."""
    for code in ("250", "450", "550 5.1.1", "550-5.7.1", "421", "babble"):
        relay.script = at({phase: says(f"{code} <{AN}>: {code} user {AN} is unknown")})
        verdict, _ = await verdict_of(relay, patience=HASTY)
        assert "an@" not in repr(verdict)
        assert "unknown" not in repr(verdict)


def test_one_mail_takes_less_time_than_a_lease_whatever_the_relay_does() -> None:
    """Otherwise another sender would make doubtful what is still under way."""
    patience = Patience()
    longest = patience.connect + patience.envelope + patience.body + patience.goodbye

    assert longest < LEASE.total_seconds()


# ── Large bodies ─────────────────────────────────────────────────────────────────────────────────

LARGE = b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 100_000


async def test_a_large_body_waits_for_a_relay_that_reads_slowly(relay: Relay) -> None:
    relay.script = at({Phase.IN_BODY: Act(wait=0.1)})

    assert await verdict_of(relay, content=LARGE) == (Accepted("250 2.0.0"), False)
    assert [each.content for each in relay.deliveries] == [LARGE]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("552 5.2.3", Refused("552 5.2.3")),
        ("452 4.3.1", Delayed("452 4.3.1")),
        ("421 4.3.2", Delayed("421 4.3.2")),
        ("250 2.0.0", Lost("no SMTP reply")),
    ],
)
async def test_a_relay_that_answers_what_it_cannot_have_read_is_not_used_again(
    code: str, verdict: Refused | Delayed | Lost
) -> None:
    """A no is a no; a yes to half a mail is none."""
    act = Act(say=f"{code} enough\r\n".encode(), then=Act(wait=3600.0))
    relay = Relay(at({Phase.IN_BODY: act}), joined=False)

    assert await verdict_of(relay, content=LARGE) == (verdict, True)
    assert relay.deliveries == []


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
