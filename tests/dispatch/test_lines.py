"""Opening connections: patiently, and not a moment longer than the run goes on."""

from __future__ import annotations

import asyncio

import pytest

from repermit.dispatch.lines import Lines
from repermit.dispatch.relay import Connection, Patience, RelayAt, RelayAway
from repermit.dispatch.verdict import Accepted
from tests.dispatch.connections import AN, MAIL, SENDER, relay_at
from tests.relays import HANGS_UP, SAYS_NOTHING, Act, Phase, Relay, at, says

FOREVER = Patience(connect=3600.0)
SOON = 10.0  # seconds; whoever waits longer waits for ever


def way_to(relay: Relay, **more: object) -> RelayAt:
    return relay_at(relay, patience=FOREVER, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.EHLO, Phase.AUTH])
async def test_a_run_that_is_over_does_not_wait_for_a_silent_relay(phase: Phase) -> None:
    relay = Relay(at({phase: SAYS_NOTHING}), extensions=("AUTH PLAIN",))
    over = asyncio.Event()
    async with asyncio.timeout(SOON), relay.running():
        opening = asyncio.create_task(Lines(way_to(relay, login=True).connect, (), over).open())
        while phase is not Phase.CONNECT and not relay.lines:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)
        over.set()
        assert await opening is None
        while relay.opened != relay.closed:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)


async def test_a_run_that_is_over_does_not_wait_for_the_next_try() -> None:
    relay, over = Relay(at({Phase.CONNECT: HANGS_UP})), asyncio.Event()
    async with asyncio.timeout(SOON), relay.running():
        opening = asyncio.create_task(Lines(way_to(relay).connect, (3600.0,), over).open())
        while not relay.closed:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)
        over.set()
        assert await opening is None


async def test_a_connection_that_comes_to_stand_is_live_until_it_is_closed() -> None:
    async with Relay().running() as relay:
        lines = Lines(way_to(relay).connect, (), asyncio.Event())
        connection = await lines.open()
        assert connection is not None
        assert lines.live == {connection}
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")
        await lines.close(connection)

    assert not lines.live


async def test_what_a_connection_could_not_be_had_for_is_told_at_once() -> None:
    """Only a relay that is away is tried again."""

    async def defective() -> Connection:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        await Lines(defective, (3600.0,), asyncio.Event()).open()


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
