"""Keys that a purge destroyed: they are known as that, and a copy that comes back is destroyed."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from repermit.errors import KeysUnusable, LedgerUnusable
from repermit.ledger import keys, locks
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing
from tests.builders import FakeClock, admit, begin_purge
from tests.purge.builders import reopened

AN = "an@voorbeeld.example"


async def resealed(ledger: Ledger) -> None:
    """Seal everybody under generation 2, and destroy generation 1."""
    burn = ledger.vault.keys.burn
    keys.create_generation(burn, 2)
    await ledger.write(erasing.begin_generation, 2)
    while await ledger.write(erasing.reseal_slice, slice_rows=10):
        pass
    shutil.copy(burn / "1.key", burn.parent / "copy")
    keys.destroy_generation(burn, 1)
    ledger.vault.forget(1)
    await ledger.write(erasing.log_resealed, destroyed=1)


def put_back(folder: Path) -> Path:
    """Put the copy of generation 1 back into the key folder."""
    burn = folder / "keys" / "burn"
    shutil.copy(burn.parent / "copy", burn / "1.key")
    return burn


async def test_promise_8_a_copy_that_came_back_is_destroyed_and_told(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await admit(a_ledger, AN)
    await resealed(a_ledger)
    burn = put_back(campaign_folder)

    again = reopened(a_ledger, a_clock)
    (dropped,) = again.dropped
    await again.close()

    assert (dropped.generation, dropped.destroyed_at[:10]) == (1, "2026-11-21")
    assert [path.name for path in burn.iterdir()] == ["2.key"]
    assert keys.destroyed(burn) == {1: dropped.destroyed_at}


async def test_a_key_folder_that_is_older_than_the_ledger_is_named(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Only the destroyed generation is in it; it is dropped, and the next command says so, too."""
    await admit(a_ledger, AN)
    await resealed(a_ledger)
    burn = put_back(campaign_folder)
    (burn / "2.key").unlink()

    for has in ("has generation 1, destroyed on 2026-11-21, and ", ""):
        wanted = f"this key folder is older than the ledger: it {has}lacks 2"
        with pytest.raises(KeysUnusable, match=wanted):
            reopened(a_ledger, a_clock)
        assert list(burn.iterdir()) == []


async def test_a_generation_that_a_purge_under_way_may_need_stays(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await admit(a_ledger, AN)
    begun = await begin_purge(a_ledger)
    await resealed(a_ledger)
    burn = put_back(campaign_folder)

    again = reopened(a_ledger, a_clock)
    assert (again.dropped, (burn / "1.key").exists()) == ((), True)
    await again.write(erasing.finish_purge, begun.id or 0, {})
    await again.close()

    last = reopened(a_ledger, a_clock)
    assert [each.generation for each in last.dropped] == [1]
    await last.close()


async def test_keys_of_which_the_log_does_not_say_that_they_were_destroyed_stay(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await admit(a_ledger, AN)
    keys.create_generation(a_ledger.vault.keys.burn, 2)

    again = reopened(a_ledger, a_clock)
    assert again.dropped == ()
    await again.close()


async def test_a_copy_of_destroyed_keys_is_named_whatever_ledger_is_there(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """The ledger is of before the purge, too; its log does not say that the keys were destroyed."""
    await admit(a_ledger, AN)
    burn = campaign_folder / "keys" / "burn"
    keys.note_destroyed(burn, 1, "2026-12-22T10:00:00Z")

    older = reopened(a_ledger, a_clock)
    (named,) = older.dropped
    await older.close()

    assert str(named) == (
        "generation 1 was destroyed on 2026-12-22, and a copy of its key lies in the key folder:"
        " delete burn/1.key there"
    )
    assert (burn / "1.key").exists()


def test_a_destroyed_generation_is_named_with_its_date(campaign_folder: Path) -> None:
    """The first date counts, and a file that is there again is not read."""
    burn = campaign_folder / "keys" / "burn"
    keys.note_destroyed(burn, 1, "2026-12-24T10:00:00Z")
    keys.note_destroyed(burn, 1, "2027-01-01T10:00:00Z")

    with pytest.raises(KeysUnusable, match="sealed under generation 1, destroyed on 2026-12-24"):
        keys.load_generation(burn, 1)


@pytest.mark.parametrize("content", ["[]", "{", '{"x": "2026"}'])
def test_a_note_of_what_was_destroyed_that_cannot_be_read_is_named(
    campaign_folder: Path, content: str
) -> None:
    burn = campaign_folder / "keys" / "burn"
    (burn.parent / "keep" / "destroyed").write_text(content)

    with pytest.raises(KeysUnusable, match="keep/destroyed in the key folder cannot be read"):
        keys.load_generation(burn, 1)


@pytest.mark.parametrize("table", ["recipient", "origin", "reply"])
async def test_promise_8_a_row_that_is_sealed_under_an_older_generation_is_refused(
    a_ledger: Ledger, table: str
) -> None:
    (one,) = await admit(a_ledger, AN)
    await resealed(a_ledger)
    old = f"UPDATE {table} SET sealed = ?, generation = 1"
    if table == "origin":
        old = f"INSERT INTO origin VALUES (1, {one}, 1, ?, 0)"
    if table == "reply":
        old = f"INSERT INTO reply VALUES (1, {one}, 0, 'other', TRUE, 1, ?)"

    with pytest.raises(LedgerUnusable, match="a purge has put new keys in place"):
        await a_ledger.write(lambda tx: tx.run(old, bytes(1)))


@pytest.mark.sqlite
async def test_whoever_waits_to_write_is_let_in_between_two_slices(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Two processes: what would starve at SQLite's own waiting goes next."""
    other = reopened(a_ledger, a_clock)
    with closing(sqlite3.connect(a_ledger.path, isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        waits = asyncio.ensure_future(other.write(lambda tx: tx.run("SELECT 1")))
        while not locks.is_awaited(a_ledger.path):  # noqa: ASYNC110 - another process waits
            await asyncio.sleep(0.001)
        await a_ledger.give_way()  # for as long as it may take, no longer
        busy.execute("COMMIT")
    await waits
    await a_ledger.give_way()

    assert not locks.is_awaited(a_ledger.path)
    await other.close()
