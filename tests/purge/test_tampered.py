"""A purge whose keys, rows or backup somebody changed meanwhile destroys nothing that is needed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from repermit.errors import KeysUnusable, LedgerUnusable, PurgeRefused, SealBroken
from repermit.ledger.binding import unreadable
from repermit.ledger.engine import Ledger
from repermit.ledger.purged import false_phases
from repermit.ledger.transaction import Transaction
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from tests.builders import FakeClock, begin_purge
from tests.databases import alter
from tests.purge.builders import (
    DUE,
    GO,
    STAY,
    Told,
    fill,
    kill,
    on_file,
    ordered,
    reopened,
    signed,
)

BURN = "keys/burn"


async def cut_off(ledger: Ledger, at: str) -> None:
    """Begin a purge that is killed at the beginning of that phase, and let go of the ledger."""
    await kill(ledger, at)
    await ledger.close()


async def resumed(cut: Ledger, clock: FakeClock) -> tuple[Ledger, list[str], Mapping[str, Any]]:
    """Finish the purge in another process; return its ledger, what it told and its report."""
    ledger, told = reopened(cut, clock), Told([])
    done = await purge(ledger, ordered(ledger, None), Watch(), sign=signed, tell=told)
    return ledger, told.lines, done.report


async def edit(cut: Ledger, clock: FakeClock, statement: str) -> None:
    """Run *statement* on a purge that was cut off, as somebody does by hand."""
    ledger = reopened(cut, clock)
    await ledger.write(run(statement))
    await ledger.close()


def generations(folder: Path) -> list[str]:
    """Return the names of the keys that are there."""
    return sorted(path.name for path in (folder / BURN).iterdir())


def run(statement: str) -> Callable[[Transaction], int]:
    """Return what runs *statement*, as somebody does by hand."""
    return lambda tx: tx.run(statement)


async def test_promise_8_without_the_next_keys_on_disk_the_old_ones_stay(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """The key folder is replaced by its older copy while a purge runs, and put back."""
    await fill(a_ledger, a_clock)
    keys, aside = campaign_folder / "keys", campaign_folder / "aside"
    shutil.copytree(keys, campaign_folder / "older")

    def replaced(line: str) -> None:
        if line.startswith("destroying"):
            keys.rename(aside)
            (campaign_folder / "older").rename(keys)

    with pytest.raises(KeysUnusable, match="generation 2 is not in the key folder"):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=replaced)
    assert generations(campaign_folder) == ["1.key"]
    await a_ledger.close()

    shutil.rmtree(keys)
    aside.rename(keys)
    ledger, told, _ = await resumed(a_ledger, a_clock)
    assert told[0] == "destroying the old keys"
    assert (generations(campaign_folder), await on_file(ledger)) == (["2.key"], set(STAY))
    await ledger.close()


async def test_promise_8_keys_that_open_nobody_are_not_those_that_stay(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    burn = campaign_folder / BURN

    def replaced(line: str) -> None:
        if line.startswith("destroying"):
            (burn / "2.key").write_bytes((burn / "1.key").read_bytes())

    with pytest.raises(KeysUnusable, match="generation 2 in the key folder does not open"):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=replaced)
    assert generations(campaign_folder) == ["1.key", "2.key"]


async def test_promise_8_a_backup_that_is_gone_is_taken_again_before_keys_are_destroyed(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    await cut_off(a_ledger, "destroying")
    (campaign_folder / "backup" / "ledger.db").unlink()

    ledger, told, _ = await resumed(a_ledger, a_clock)
    assert told[:2] == ["verifying the log", "taking a fresh backup"]
    assert (campaign_folder / "backup" / "ledger.db").exists()
    await ledger.close()


async def test_promise_8_a_backup_that_goes_at_the_last_moment_keeps_the_old_keys(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)

    def removed(line: str) -> None:
        if line.startswith("destroying"):
            (campaign_folder / "backup" / "ledger.db").unlink()

    with pytest.raises(LedgerUnusable, match="the fresh backup of the ledger is not there"):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=removed)
    assert generations(campaign_folder) == ["1.key", "2.key"]


async def test_promise_8_a_ledger_that_still_needs_the_old_keys_keeps_them(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Somebody's row of before is put back after the others were sealed anew."""
    await fill(a_ledger, a_clock)
    back = (
        "UPDATE campaign SET generation = 1",
        "UPDATE recipient SET generation = 1 WHERE id = (SELECT max(id) FROM recipient)",
        "UPDATE campaign SET generation = 2",
    )

    class Altering(Told):
        def __call__(self, line: str) -> None:
            super().__call__(line)
            if line.startswith("destroying"):
                for each in back:
                    alter(a_ledger.database, each)

    with pytest.raises(LedgerUnusable, match="the ledger still needs the keys of generation 1"):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=Altering([]))
    assert generations(campaign_folder) == ["1.key", "2.key"]


@pytest.mark.parametrize("phase", ["destroy", "report"])
async def test_a_phase_that_the_rows_contradict_is_named_and_the_purge_goes_back(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, phase: str
) -> None:
    await fill(a_ledger, a_clock)
    await cut_off(a_ledger, "erasing")

    ledger = reopened(a_ledger, a_clock)
    await ledger.write(run(f"UPDATE purge SET phase = '{phase}'"))
    named = await ledger.read(lambda tx: list(false_phases(tx)))
    assert named == ["purge 1: it is not as far as its phase says"]
    await ledger.close()

    ledger, told, _ = await resumed(a_ledger, a_clock)
    assert told[0].startswith("erasing")
    assert (generations(campaign_folder), await on_file(ledger)) == (["2.key"], set(STAY))
    assert await ledger.read(lambda tx: list(false_phases(tx))) == []
    await ledger.close()


async def test_keys_are_destroyed_although_the_phase_says_that_they_were(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    await cut_off(a_ledger, "verifying")
    await edit(a_ledger, a_clock, "UPDATE purge SET phase = 'clean'")

    ledger, told, _ = await resumed(a_ledger, a_clock)
    assert told[0] == "verifying the log"
    assert generations(campaign_folder) == ["2.key"]
    await ledger.close()


async def test_a_second_purge_does_not_begin_beside_one_that_is_not_finished(
    a_ledger: Ledger,
) -> None:
    await begin_purge(a_ledger)

    with pytest.raises(PurgeRefused) as refused:
        await begin_purge(a_ledger)
    assert [code for code, *_ in refused.value.reasons] == ["running"]


async def test_who_is_due_goes_although_what_is_sealed_of_them_was_altered(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    people = await fill(a_ledger, a_clock)
    one = people["silent2"]
    await a_ledger.write(
        run(f"UPDATE recipient SET sealed = CAST(standing AS BLOB) WHERE id = {one}")
    )
    (named,) = await a_ledger.read(lambda tx: list(unreadable(tx)))

    done = await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=Told([]))

    assert named.startswith(f"recipient {one}: its address cannot be opened")
    assert (done.purged, done.report["unreadable"]) == (DUE, 1)
    assert await on_file(a_ledger) == set(STAY)


async def test_who_stays_and_whose_sealed_fields_were_altered_stops_a_purge(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    people = await fill(a_ledger, a_clock)
    one = people["asked-later"]
    await a_ledger.write(run(f"UPDATE recipient SET sealed = 'text' WHERE id = {one}"))

    with pytest.raises(SealBroken, match=f"recipient {one} was altered"):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=Told([]))
    assert "1.key" in generations(campaign_folder)


async def test_keys_that_were_cut_off_before_anybody_was_sealed_are_made_anew(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    await cut_off(a_ledger, "sealing")
    cut = campaign_folder / BURN / "2.key"
    cut.write_bytes(b'{"seal": "aa')
    cut.chmod(0o600)

    ledger, _, _ = await resumed(a_ledger, a_clock)
    assert (generations(campaign_folder), await on_file(ledger)) == (["2.key"], set(STAY))
    await ledger.close()


async def test_keys_that_were_cut_off_after_somebody_was_sealed_are_not_made_anew(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    await cut_off(a_ledger, "verifying")
    await edit(a_ledger, a_clock, "UPDATE purge SET phase = 'reseal'")
    cut = campaign_folder / BURN / "2.key"
    cut.write_bytes(b'{"seal": "aa')

    ledger = reopened(a_ledger, a_clock)
    with pytest.raises(PurgeRefused, match="the log does not verify"):
        await purge(ledger, ordered(ledger, None), Watch(), sign=signed, tell=Told([]))
    assert cut.read_bytes() == b'{"seal": "aa'
    await ledger.close()


async def test_a_purge_is_through_only_when_nobody_of_its_manifest_is_due(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """How far it says that it has got was changed."""
    await fill(a_ledger, a_clock)
    await cut_off(a_ledger, "erasing")
    await edit(a_ledger, a_clock, "UPDATE purge SET last_id = 1000000")

    ledger, _, report = await resumed(a_ledger, a_clock)
    assert (report["purged"], report["saved"]) == (len(GO), 0)
    assert await on_file(ledger) == set(STAY)
    await ledger.close()
