"""Opening connections: patiently, and not a moment longer than the run goes on."""

from __future__ import annotations

import asyncio

import pytest

from repermit.dispatch.lines import Line, Lines
from repermit.dispatch.relay import Connect, Connection, Patience, RelayAt, RelayAway
from tests.dispatch.connections import relay_at
from tests.relays import HANGS_UP, SAYS_NOTHING, Act, Phase, Relay, at, says

FOREVER = Patience(connect=3600.0)
SOON = 60.0  # seconds; whoever waits longer waits for ever


def way_to(relay: Relay, **more: object) -> RelayAt:
    return relay_at(relay, patience=FOREVER, **more)  # type: ignore[arg-type]


def line_of(connect: Connect, *waits: float, over: asyncio.Event) -> Line:
    """Return the one line of a run that has something to send."""
    return Line(Lines(connect, waits, over, is_wanted=lambda: True))


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.EHLO, Phase.AUTH])
async def test_a_run_that_is_over_does_not_wait_for_a_silent_relay(phase: Phase) -> None:
    relay = Relay(at({phase: SAYS_NOTHING}), extensions=("AUTH PLAIN",))
    over = asyncio.Event()
    async with asyncio.timeout(SOON), relay.running():
        line = line_of(way_to(relay, login=True).connect, over=over)
        opening = asyncio.create_task(line.ready())
        while phase is not Phase.CONNECT and not relay.lines:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)
        over.set()
        assert not await opening
        while relay.opened != relay.closed:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)


async def test_a_run_that_is_over_does_not_wait_for_the_next_try() -> None:
    relay, over = Relay(at({Phase.CONNECT: HANGS_UP})), asyncio.Event()
    async with asyncio.timeout(SOON), relay.running():
        opening = asyncio.create_task(line_of(way_to(relay).connect, 3600.0, over=over).ready())
        while not relay.closed:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)
        over.set()
        assert not await opening


async def test_a_connection_that_comes_to_stand_is_live_until_it_is_closed() -> None:
    async with Relay().running() as relay:
        lines = Lines(way_to(relay).connect, (), asyncio.Event(), is_wanted=lambda: True)
        line = Line(lines)
        assert await line.ready()
        assert len(lines.live) == 1
        assert not line.broken
        await line.close()

    assert line.broken
    assert not lines.live


async def test_what_a_connection_could_not_be_had_for_is_told_at_once() -> None:
    """Only a relay that is away is tried again."""

    async def defective() -> Connection:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        await line_of(defective, 3600.0, over=asyncio.Event()).ready()


@pytest.mark.parametrize(
    "slow", [says("220 relay.example", wait=0.3), Act(say=b"220 relay.example\r\n", drip=0.02)]
)
async def test_all_steps_of_a_connection_have_one_patience_together(slow: Act) -> None:
    """Otherwise a relay that is slow at each outlasts the lease of a row that waits for it."""
    relay = Relay(at({Phase.CONNECT: slow, Phase.EHLO: says("250 relay.example", wait=0.3)}))
    async with relay.running():
        with pytest.raises(RelayAway):
            await relay_at(relay, patience=Patience(connect=0.4)).connect()

    assert "MAIL" not in relay.commands
