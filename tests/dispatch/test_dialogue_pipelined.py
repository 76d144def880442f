"""What is only so where the relay offers PIPELINING (RFC 2920)."""

from __future__ import annotations

import pytest

from repermit.dispatch.verdict import Accepted, Delayed, Refused, SenderRefused, Verdict
from tests.dispatch.connections import (
    AN,
    GARBAGE,
    GONE,
    HASTY,
    JAN,
    MAIL,
    SENDER,
    connected,
    verdict_of,
)
from tests.relays import (
    SAYS_NOTHING,
    Act,
    Phase,
    Relay,
    at,
    in_turn,
    raw,
    says,
    says_and_hangs_up,
    without,
)

NO = {
    "550 5.1.1": Refused("550 5.1.1"),
    "554 5.7.1": Refused("554 5.7.1", policy=True),
    "450 4.2.0": Delayed("450 4.2.0"),
}
every_no = pytest.mark.parametrize(("code", "verdict"), NO.items(), ids=NO)


@pytest.fixture(params=[True, False], ids=["joined", "apart"])
def relay(request: pytest.FixtureRequest) -> Relay:
    """A relay that answers the three commands in one piece, or one by one."""
    return Relay(joined=request.param)


@pytest.mark.parametrize(
    ("extensions", "ahead"), [(without(), 2), (without("PIPELINING"), 0)], ids=["with", "without"]
)
async def test_the_three_commands_go_out_together_only_where_that_is_offered(
    extensions: tuple[str, ...], ahead: int
) -> None:
    """The relay is slow to answer the first, so that it could see more of them."""
    relay = Relay(at({Phase.MAIL: says("250 ok", wait=0.05)}), extensions=extensions)

    assert await verdict_of(relay) == (Accepted("250 2.0.0"), False)
    assert relay.most_ahead == ahead


@every_no
@pytest.mark.parametrize("data", ["354 go on", "554 5.5.1 no valid recipients", "503 5.5.1 what"])
async def test_the_refusal_of_a_recipient_stays_whatever_is_said_of_data(
    relay: Relay, code: str, verdict: Verdict, data: str
) -> None:
    relay.script = at({Phase.RCPT: says(code), Phase.DATA: says(data)}, only=AN)
    async with connected(relay) as connection:
        assert await connection.send(SENDER, AN, MAIL) == verdict
        assert await connection.send(SENDER, JAN, MAIL) == Accepted("250 2.0.0")

    assert relay.accepted() == [JAN]
    assert relay.opened == 1


async def test_a_relay_that_wants_the_body_of_a_mail_it_refused_gets_a_lone_dot(
    relay: Relay,
) -> None:
    """Source: RFC 2920 section 3.1."""
    relay.script = at({Phase.RCPT: says("550 5.1.1 no"), Phase.DATA: says("354 go on")})

    assert await verdict_of(relay) == (Refused("550 5.1.1"), False)
    assert [each.content for each in relay.deliveries] == [b""]
    assert relay.out() == {}
    assert "RSET" not in relay.commands


@pytest.mark.parametrize("dot", [says("250 2.0.0 ok"), says("451 4.3.0 later"), says("554 no")])
async def test_whatever_is_said_of_the_dot_the_verdict_stays(relay: Relay, dot: Act) -> None:
    no = {Phase.RCPT: says("550 5.1.1 no"), Phase.DATA: says("354 go on"), Phase.BODY: dot}
    relay.script = at(no, only=AN)
    async with connected(relay) as connection:
        assert await connection.send(SENDER, AN, MAIL) == Refused("550 5.1.1")
        assert await connection.send(SENDER, JAN, MAIL) == Accepted("250 2.0.0")


@pytest.mark.parametrize("dot", [*GARBAGE.values(), *GONE.values(), SAYS_NOTHING])
async def test_a_dot_that_is_not_answered_ends_the_connection_and_the_verdict_stays(
    relay: Relay, dot: Act
) -> None:
    relay.script = at(
        {Phase.RCPT: says("550 5.1.1 no"), Phase.DATA: says("354 go on"), Phase.BODY: dot}
    )

    assert await verdict_of(relay, patience=HASTY) == (Refused("550 5.1.1"), True)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("550 5.7.1", SenderRefused("550 5.7.1")), ("451 4.3.0", Delayed("451 4.3.0"))],
)
async def test_a_refused_sender_counts_before_what_is_said_of_the_recipient(
    relay: Relay, code: str, verdict: Verdict
) -> None:
    """By the book the relay says 503 to the rest."""
    relay.script = at({Phase.MAIL: says(code)})

    assert await verdict_of(relay) == (verdict, False)
    assert relay.deliveries == []


async def test_no_empty_mail_goes_to_a_recipient_whom_a_confused_relay_took(relay: Relay) -> None:
    """It refused the sender, took the recipient, and wants a body: even a lone dot is one."""
    relay.script = at({Phase.MAIL: says("550 5.7.1 no"), Phase.RCPT: says("250 2.1.5 ok")})

    assert await verdict_of(relay) == (SenderRefused("550 5.7.1"), True)
    assert relay.deliveries == []


@every_no
@pytest.mark.parametrize(
    "fault", [*GARBAGE.values(), *GONE.values(), says("421 4.3.2 bye"), SAYS_NOTHING]
)
async def test_the_refusal_of_a_recipient_stays_when_the_relay_is_lost_after_it(
    code: str, verdict: Verdict, fault: Act
) -> None:
    relay = Relay(at({Phase.RCPT: says(code), Phase.DATA: fault}), joined=False)

    assert await verdict_of(relay, patience=HASTY) == (verdict, True)


async def test_the_refusal_of_a_recipient_counts_though_the_relay_hangs_up_at_once() -> None:
    relay = Relay(in_turn(Phase.RCPT, says_and_hangs_up("550 5.1.1 no")), joined=False)

    verdict, broken = await verdict_of(relay)

    assert verdict in (Refused("550 5.1.1"), Delayed("connection lost"))
    assert broken


async def test_replies_that_come_before_their_questions_accept_nothing() -> None:
    """All that the relay would ever say to a mail, at the first question."""
    early = raw(b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n250 2.0.0 taken\r\n")
    relay = Relay(at({Phase.MAIL: early}))

    assert await verdict_of(relay) == (Delayed("no SMTP reply"), True)
    assert relay.deliveries == []
