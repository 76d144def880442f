"""What a server and a purge do about keys that another machine has changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.cli.answers import until_revoked
from repermit.cli.begin import write_campaign
from repermit.cli.purging import Wish, carry_out
from repermit.errors import KeysUnusable
from repermit.ledger import linkkeys
from repermit.ledger.linkkeys import Change
from repermit.ledger.log import Kind
from repermit.ledger.store import machines, token_keys
from repermit.ledger.store.machines import Machine
from repermit.runtime import Runtime
from tests.builders import FakeClock, asked

_SECONDS = 30.0


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """A campaign just begun, without a ledger."""
    write_campaign(tmp_path / "campaign", {})
    return Runtime.of(tmp_path / "campaign" / "config.toml", FakeClock())


async def test_a_server_ends_when_its_key_was_revoked_elsewhere(runtime: Runtime) -> None:
    """Not when the new key is in its folder, too."""
    stop = asyncio.Event()
    async with runtime.ledger(create=True) as ledger:
        watching = asyncio.create_task(until_revoked(runtime, ledger, stop, seconds=0.01))
        change = linkkeys.change(runtime.config.keys_dir, Kind.REVOKED)
        await ledger.write(token_keys.log_change, change)
        linkkeys.note_logged(runtime.config.keys_dir, change)
        await asyncio.sleep(0.1)
        assert not watching.done()

        await ledger.write(token_keys.log_change, Change(Kind.REVOKED, (change.new,), "elsewhere"))
        with pytest.raises(KeysUnusable, match="were revoked on 2026-11-21"):
            await asyncio.wait_for(watching, _SECONDS)
        assert stop.is_set()


async def test_a_server_that_is_stopped_looks_no_more(runtime: Runtime) -> None:
    stop = asyncio.Event()
    async with runtime.ledger(create=True) as ledger:
        watching = asyncio.create_task(until_revoked(runtime, ledger, stop))
        await asyncio.sleep(0)
        stop.set()
        await asyncio.wait_for(watching, _SECONDS)


async def test_a_purge_names_the_machines_that_may_hold_the_old_keys(runtime: Runtime) -> None:
    clock, told = runtime.clock, list[str]()
    assert isinstance(clock, FakeClock)
    wish = Wish("An", 1, accepted_outage="nobody looks at the page of a test")
    async with runtime.ledger(create=True) as ledger:
        await asked(ledger, "an@voorbeeld.example")
        async with runtime.joined(ledger):
            await ledger.write(machines.join, _like(runtime, "web2"))
            clock.advance(timedelta(days=40))
            done = await carry_out(runtime, ledger, wish, told.append)

        assert done.report["machines"] == ["web2"]
        assert "These machines may still hold the old keys: web2." in told
        await ledger.write(machines.join, _like(runtime, "web2"))
        assert await ledger.read(machines.lagging, 2) == [runtime.machine().name]


def _like(runtime: Runtime, name: str) -> Machine:
    here = runtime.machine()
    return Machine(name, here.release, here.facts, here.generation)
