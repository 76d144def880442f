"""This machine among those that share a ledger; here it is SQLite, which nothing shares."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from repermit import __version__
from repermit.cli.begin import write_campaign
from repermit.cli.checks import machines_of
from repermit.cli.finding import Finding, State
from repermit.cli.purging import Wish, carry_out
from repermit.errors import KeysUnusable, MachineDiffers
from repermit.ledger import keys, linkkeys
from repermit.ledger.engine import Ledger
from repermit.ledger.log import Kind
from repermit.ledger.store import machines
from repermit.ledger.store.machines import Machine
from repermit.machine import joined, name
from repermit.runtime import Runtime
from tests.builders import FakeClock, asked

_TRIES = 3000  # of a hundredth of a second


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """A campaign just begun, and its ledger."""
    write_campaign(tmp_path / "campaign", {})
    return Runtime.of(tmp_path / "campaign" / "config.toml", FakeClock())


def copied(runtime: Runtime, folder: str) -> Runtime:
    """Return the same campaign as another machine has it."""
    there = shutil.copytree(runtime.config.folder, runtime.config.folder.with_name(folder))
    return Runtime.of(there / "config.toml", runtime.clock)


async def other(ledger: Ledger, there: Runtime, called: str = "web2") -> None:
    """Let another machine, which has the folder of *there*, join."""
    await ledger.write(machines.join, replace(there.machine(), name=called))


async def seen(ledger: Ledger) -> dict[str, bool]:
    return {each.machine.name: each.is_present for each in await ledger.read(machines.known)}


async def found(runtime: Runtime, ledger: Ledger) -> list[Finding]:
    return [each async for each in machines_of(runtime, ledger)]


async def test_a_machine_works_for_the_length_of_a_block(runtime: Runtime) -> None:
    async with runtime.ledger(create=True) as ledger:
        assert await seen(ledger) == {}  # on SQLite nobody joins by themselves
        async with runtime.joined(ledger):
            assert await seen(ledger) == {name(): True}
            async with runtime.joined(ledger):
                pass
            assert await seen(ledger) == {name(): True}
        assert await seen(ledger) == {name(): False}


async def test_a_machine_leaves_also_when_what_it_did_has_failed(runtime: Runtime) -> None:
    async with runtime.ledger(create=True) as ledger:
        with contextlib.suppress(ZeroDivisionError):
            async with runtime.joined(ledger):
                raise ZeroDivisionError
        assert await seen(ledger) == {name(): False}


async def test_a_machine_says_that_it_still_works_and_with_which_keys(runtime: Runtime) -> None:
    """A key that was added meanwhile is among them; what it held when it started stays."""
    async with runtime.ledger(create=True) as ledger:
        clock = runtime.clock
        assert isinstance(clock, FakeClock)
        async with joined(ledger, runtime.machine, seconds=0.01):
            clock.advance(timedelta(minutes=20))
            linkkeys.change(runtime.config.keys_dir, Kind.ROTATED)
            for _ in range(_TRIES):
                (now,) = await ledger.read(machines.known)
                if now.machine == runtime.machine() and now.is_present:
                    break
                await asyncio.sleep(0.01)
            else:
                raise AssertionError(now)
            (runtime.config.keys_dir / "keep" / "keys.json").rename(runtime.config.folder / "x")
            await asyncio.sleep(0.1)  # what cannot be read now can be later


async def test_a_machine_says_so_again_after_a_template_could_not_be_read(
    runtime: Runtime,
) -> None:
    """An editor had it, for a moment."""
    looks = iter((runtime.machine(), None))

    def look() -> Machine:
        if (first := next(looks, runtime.machine())) is None:
            raise FileNotFoundError
        return first

    async with runtime.ledger(create=True) as ledger, joined(ledger, look, seconds=0.01):
        clock = runtime.clock
        assert isinstance(clock, FakeClock)
        clock.advance(timedelta(minutes=20))
        for _ in range(_TRIES):
            (now,) = await ledger.read(machines.known)
            if now.is_present:
                break
            await asyncio.sleep(0.01)
        else:
            raise AssertionError(now)


async def test_a_machine_that_differs_is_refused_and_named(runtime: Runtime) -> None:
    there = copied(runtime, "web2")
    text = there.config.path.read_text("utf-8")
    there.config.path.write_text(text.replace("per_second = 50", "per_second = 5"), "utf-8")
    words = there.config.folder / "templates" / "wording" / "nl.toml"
    words.parent.mkdir(parents=True)
    words.write_text('[mail]\nsubject = "Dag"\n', "utf-8")
    linkkeys.change(there.config.keys_dir, Kind.ROTATED)
    there = Runtime.of(there.config.path, runtime.clock)

    async with runtime.ledger(create=True) as ledger:
        await other(ledger, there)
        with pytest.raises(MachineDiffers, match=r"web2 .* \[relay\], keys of the links, templat"):
            async with runtime.joined(ledger):
                raise AssertionError("it works")
        assert await seen(ledger) == {"web2": True}


async def test_a_machine_is_what_it_works_with(runtime: Runtime) -> None:
    """What an editor leaves beside the templates is none."""
    there = copied(runtime, "web2")
    (there.config.folder / "templates" / "mail").mkdir(parents=True)
    (there.config.folder / "templates" / "mail" / "question.txt.j2~").write_text("old")

    assert runtime.machine() == there.machine()
    assert runtime.machine().release == __version__
    assert runtime.machine().generation == 1
    keys.create_generation(there.config.keys_dir / "burn", 2)
    keys.destroy_generation(there.config.keys_dir / "burn", 1)
    assert there.machine().generation == 2
    keys.destroy_generation(there.config.keys_dir / "burn", 2)
    assert there.machine().generation == 0


async def test_a_machine_acknowledges_a_purge_when_it_starts_with_the_keys_of_now(
    runtime: Runtime,
) -> None:
    """It is not started without them, and destroys the old ones; here it opens the same file."""
    clock, there = runtime.clock, copied(runtime, "web2")
    assert isinstance(clock, FakeClock)
    text, url = there.config.path.read_text("utf-8"), f"sqlite:///{runtime.config.ledger_path}"
    there.config.path.write_text(text.replace("sqlite:///repermit.db", url), "utf-8")
    there = Runtime.of(there.config.path, clock)
    wish = Wish("An", 1, accepted_outage="nobody looks at the page of a test")
    async with runtime.ledger(create=True) as ledger:
        await asked(ledger, "an@voorbeeld.example")
        await other(ledger, there)
        clock.advance(timedelta(days=40))
        done = await carry_out(runtime, ledger, wish, lambda _: None)
        assert done.report["machines"] == ["web2"]

    burn = there.config.keys_dir / "burn"
    with pytest.raises(KeysUnusable, match="older than the ledger"):
        async with there.ledger():
            raise AssertionError("it works")
    shutil.copy2(runtime.config.keys_dir / "burn" / "2.key", burn)
    async with there.ledger() as ledger:
        await other(ledger, there)
        assert await ledger.read(machines.lagging, 2) == []
    assert [path.name for path in burn.iterdir()] == ["2.key"]


async def test_check_compares_every_other_machine(runtime: Runtime) -> None:
    there = copied(runtime, "web2")
    linkkeys.change(there.config.keys_dir, Kind.ROTATED)
    async with runtime.ledger(create=True) as ledger:
        assert await found(runtime, ledger) == []
        await other(ledger, there)
        await ledger.write(machines.leave, "web2")
        async with runtime.joined(ledger):
            await other(ledger, runtime, "web3")
        states = {
            each.name.split()[1]: (each.state, each.says) for each in await found(runtime, ledger)
        }

    differs = "another keys of the links; last seen 2026-11-21T09:30:00Z"
    assert states == {
        "web2": (State.WARN, differs),
        "web3": (State.OK, "the same fingerprints; last seen 2026-11-21T09:30:00Z"),
    }


async def test_check_says_that_a_machine_that_works_differs(runtime: Runtime) -> None:
    there = copied(runtime, "web2")
    linkkeys.change(there.config.keys_dir, Kind.ROTATED)
    async with runtime.ledger(create=True) as ledger:
        await other(ledger, there)
        (one,) = await found(runtime, ledger)
        assert (one.state, one.code) == (State.FAIL, "machine")
        assert "same release, config, templates and keys" in one.do
        (runtime.config.keys_dir / "burn" / "1.key").write_text("{")
        assert await found(runtime, ledger) == []  # the line of the keys says it
