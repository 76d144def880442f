"""A dialogue against every fault: what each means is promised, and hangs on the very byte."""

from __future__ import annotations

import asyncio

import pytest

from repermit.dispatch.relay import Patience
from repermit.dispatch.verdict import Accepted, Delayed, Lost, Refused
from tests.dispatch.connections import (
    AN,
    BEFORE_THE_BODY,
    GARBAGE,
    GONE,
    HASTY,
    JAN,
    MAIL,
    SENDER,
    connected,
    is_broken,
    relay_at,
    verdict_of,
)
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

every_fault = pytest.mark.parametrize(
    "fault", [*GARBAGE.values(), *GONE.values()], ids=[*GARBAGE, *GONE]
)


@every_fault
@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_a_loss_before_the_first_body_byte_delays(
    relay: Relay, phase: Phase, fault: Act
) -> None:
    relay.script = at({phase: fault})

    verdict, broken = await verdict_of(relay)

    assert (type(verdict), broken) == (Delayed, True)
    assert relay.deliveries == []


@every_fault
async def test_a_loss_once_the_body_is_whole_is_lost(relay: Relay, fault: Act) -> None:
    relay.script = at({Phase.BODY: fault})

    verdict, broken = await verdict_of(relay)

    assert (type(verdict), broken) == (Lost, True)
    assert len(relay.deliveries) == 1


@pytest.mark.parametrize("fault", GONE.values(), ids=GONE)
@pytest.mark.parametrize("size", [1, 100_000])
async def test_a_loss_within_the_body_is_lost(relay: Relay, fault: Act, size: int) -> None:
    """Also when the relay has read one byte of a megabyte: it may have more of it by now."""
    relay.script = at({Phase.IN_BODY: Act(**{**vars(fault), "after_bytes": size})})

    verdict, broken = await verdict_of(relay, content=b"x" * 70 + b"\r\n" + MAIL * 20_000)

    assert (verdict, broken) == (Lost("connection lost"), True)


async def test_a_relay_that_hangs_up_right_after_354_leaves_at_most_a_doubt(relay: Relay) -> None:
    relay.script = at({Phase.DATA: says_and_hangs_up("354 go ahead")})

    verdict, broken = await verdict_of(relay)

    assert isinstance(verdict, Delayed | Lost)
    assert broken


# ── Silence, and what is slow ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_silence_before_the_body_delays(relay: Relay, phase: Phase) -> None:
    relay.script = at({phase: SAYS_NOTHING})

    assert await verdict_of(relay, patience=HASTY) == (Delayed("no reply in time"), True)
    assert relay.deliveries == []


@pytest.mark.parametrize("phase", [Phase.IN_BODY, Phase.BODY])
async def test_silence_from_the_body_on_leaves_a_doubt(relay: Relay, phase: Phase) -> None:
    relay.script = at({phase: SAYS_NOTHING})

    assert await verdict_of(relay, patience=HASTY) == (Lost("no reply in time"), True)


@pytest.mark.parametrize("phase", BEFORE_THE_BODY)
async def test_a_slow_drip_runs_into_the_time_limit_of_the_envelope(
    relay: Relay, phase: Phase
) -> None:
    """The limit is over the whole envelope: a byte now and then does not renew it."""
    relay.script = at({phase: says("250 2.0.0 very slowly", drip=0.03)})

    assert await verdict_of(relay, patience=HASTY) == (Delayed("no reply in time"), True)


async def test_a_slow_drip_after_the_body_leaves_a_doubt(relay: Relay) -> None:
    relay.script = at({Phase.BODY: says("250 2.0.0 very slowly", drip=0.03)})

    assert await verdict_of(relay, patience=HASTY) == (Lost("no reply in time"), True)


async def test_a_drip_that_is_fast_enough_is_an_answer(relay: Relay) -> None:
    slow = {phase: says("250 ok", drip=0.002) for phase in (Phase.MAIL, Phase.RCPT, Phase.BODY)}
    relay.script = at({**slow, Phase.DATA: says("354 go on", drip=0.002)})

    assert await verdict_of(relay) == (Accepted("250"), False)


async def test_each_phase_has_its_own_patience(relay: Relay) -> None:
    """The relay may think longer about the body than about the envelope."""
    relay.script = at({Phase.BODY: says("250 2.0.0 at last", wait=0.4)})
    patience = Patience(connect=1.0, envelope=0.3, body=3.0, goodbye=0.3)

    assert await verdict_of(relay, patience=patience) == (Accepted("250 2.0.0"), False)


async def test_between_two_mails_there_is_no_hurry(relay: Relay) -> None:
    async with connected(relay, Patience(connect=1.0, envelope=0.3, body=0.3)) as connection:
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")
        await asyncio.sleep(0.5)
        assert not connection.broken
        assert await connection.send(SENDER, JAN, MAIL) == Accepted("250 2.0.0")


async def test_a_shorter_patience_is_kept_after_a_longer_one() -> None:
    relay = Relay(at({Phase.RCPT: says("550 5.1.1 no"), Phase.RSET: SAYS_NOTHING}))
    patience = Patience(connect=1.0, envelope=60.0, body=60.0, goodbye=0.1)

    async with asyncio.timeout(30.0):
        assert await verdict_of(relay, patience=patience) == (Refused("550 5.1.1"), True)


async def test_what_has_not_left_when_patience_ends_does_not_leave_any_more() -> None:
    """The relay reads on too late; it does not get the end of a mail that is in doubt."""
    relay = Relay(at({Phase.IN_BODY: Act(wait=0.3)}))
    async with relay.running():
        connection = await relay_at(relay, patience=HASTY).connect()
        assert await connection.send(SENDER, AN, MAIL * 500_000) == Lost("no reply in time")
        await connection.close()
        async with asyncio.timeout(30):
            while not relay.closed:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)

    assert relay.deliveries == []


# ── 421, and words that nobody asked for ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("act", [says("421 4.3.2 bye"), says_and_hangs_up("421 4.3.2 bye")])
@pytest.mark.parametrize("phase", [*BEFORE_THE_BODY, Phase.BODY])
async def test_a_421_at_any_step_delays_and_ends_the_connection(
    relay: Relay, phase: Phase, act: Act
) -> None:
    """Also in answer to the body: it was not taken."""
    relay.script = at({phase: act})

    assert await verdict_of(relay) == (Delayed("421 4.3.2"), True)
    assert "RSET" not in relay.commands
    assert "QUIT" not in relay.commands


@pytest.mark.parametrize(
    "last_word",
    [
        *(HANGS_UP, RESETS, says("421 4.4.2 idle for too long"), says("250 2.0.0 taken")),
        *(says_and_hangs_up("421 4.4.2 idle for too long"), raw(b"4"), raw(b"babble\r\n")),
    ],
)
@pytest.mark.parametrize("wait", [0.0, 0.02])
async def test_whatever_the_relay_says_between_two_mails_breaks_the_connection(
    relay: Relay, last_word: Act, wait: float
) -> None:
    """So that the next mail goes over a new one, and none is put off for it; sent over this one
    all the same it is not tried."""
    words = Act(**{**vars(last_word), "wait": wait})
    relay.script = in_turn(Phase.BODY, Act(say=b"250 2.0.0 ok\r\n", then=words))
    async with connected(relay) as connection:
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")
        await is_broken(connection)
        assert isinstance(await connection.send(SENDER, JAN, MAIL), Delayed)

    assert relay.out() == {AN: 1}
    assert relay.commands.count("MAIL") == 1


@pytest.mark.parametrize("surplus", [b"250 2.0.0 ok\r\n", b"421 4.4.2 bye\r\n", b"2", b"what\r\n"])
async def test_a_yes_counts_whatever_comes_after_it(relay: Relay, surplus: bytes) -> None:
    relay.script = at({Phase.BODY: raw(b"250 2.0.0 taken\r\n" + surplus)})
    relay.joined = True

    assert await verdict_of(relay) == (Accepted("250 2.0.0"), True)


@pytest.mark.parametrize("surplus", [b"250 2.0.0 taken\r\n", b"2", b"250-taken\r\n"])
async def test_a_yes_that_comes_before_the_body_is_none(relay: Relay, surplus: bytes) -> None:
    relay.script = at({Phase.DATA: raw(b"354 go on\r\n" + surplus)})
    relay.joined = True

    assert await verdict_of(relay) == (Delayed("no SMTP reply"), True)
    assert relay.deliveries == []


async def test_replies_that_run_ahead_of_the_questions_accept_nothing(relay: Relay) -> None:
    """One reply too many at RCPT: it answers DATA, to which a 250 is no answer."""
    relay.script = at({Phase.RCPT: raw(b"250 2.1.5 ok\r\n250 2.1.5 ok\r\n")})

    assert await verdict_of(relay) == (Delayed("no SMTP reply"), True)
    assert relay.deliveries == []


# ── After the verdict ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [HANGS_UP, SAYS_NOTHING, says("500 what"), raw(b"babble\r\n")])
async def test_a_relay_that_cannot_forget_is_not_used_again_but_its_word_stands(
    relay: Relay, fault: Act
) -> None:
    relay.script = at({Phase.RCPT: says("550 5.1.1 no"), Phase.RSET: fault})

    assert await verdict_of(relay, patience=HASTY) == (Refused("550 5.1.1"), True)


@pytest.mark.parametrize("fault", [HANGS_UP, SAYS_NOTHING, raw(b"babble\r\n"), says("500 what")])
async def test_closing_never_fails(relay: Relay, fault: Act) -> None:
    relay.script = at({Phase.QUIT: fault})
    async with connected(relay, HASTY) as connection:
        await connection.close()
        await connection.close()

    assert connection.broken


async def test_a_connection_whose_mail_was_cancelled_is_not_used_again(relay: Relay) -> None:
    relay.script = at({Phase.BODY: SAYS_NOTHING})
    async with connected(relay) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await connection.send(SENDER, AN, MAIL)
        assert connection.broken
