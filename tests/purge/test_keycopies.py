"""Copies of keys beside backups: a purge destroys them, or names those that it cannot reach."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from repermit.ledger import copying, replacing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import keycopies, written
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from repermit.purge.scan import scan
from tests.builders import FakeClock
from tests.ledger.backedup import places_in, taken
from tests.purge.builders import DUE, Told, fill, kill, ordered, signed


@pytest.fixture
async def burn(a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path) -> Path:
    """Where the keys lie beside a backup of a ledger in which some are due."""
    await fill(a_ledger, a_clock)
    places = places_in(tmp_path)
    await taken(a_ledger, places)
    return keycopies.beside(places.copies)


async def purged(ledger: Ledger) -> tuple[list[str], object]:
    """Purge, and return what was told of copies of keys, and what the report says of them."""
    told = Told([])
    done = await purge(ledger, ordered(ledger, DUE), Watch(), sign=signed, tell=told)
    at = [number for number, line in enumerate(told.lines) if line.startswith("copies of the keys")]
    return told.lines[at[0] :] if at else [], done.report.get("key_copies")


async def test_promise_8_a_purge_destroys_the_keys_beside_every_backup(
    a_ledger: Ledger, burn: Path
) -> None:
    told, report = await purged(a_ledger)

    assert keycopies.there(burn) == []
    assert report == {"destroyed": 1, "out_of_reach": []}
    assert told == [
        "copies of the keys beside backups, destroyed: 1",
        "  the backups from before yield nobody now: take one with `repermit backup`",
    ]
    assert await a_ledger.read(written.key_copies) == []
    assert await purged(a_ledger) == ([], None)


@pytest.mark.parametrize("at", ["destroying", "giving", "looking"])
async def test_promise_8_a_purge_that_was_killed_tells_of_them_at_its_end(
    a_ledger: Ledger, burn: Path, at: str
) -> None:
    await kill(a_ledger, at=at)

    _, report = await purged(a_ledger)
    assert (keycopies.there(burn), report) == ([], {"destroyed": 1, "out_of_reach": []})


async def test_promise_8_what_is_out_of_reach_is_named_until_it_is_destroyed(
    a_ledger: Ledger, burn: Path
) -> None:
    """Also by the next purge, for which nobody is due."""
    away = Path(shutil.move(burn, burn.with_name("away")))
    name = str(burn / "1.key")

    told, report = await purged(a_ledger)
    assert report == {"destroyed": 0, "out_of_reach": [name]}
    assert told == [
        "copies of the keys beside backups, out of reach: 1",
        f"  {name}",
        "  mount their disk and run `repermit purge` again, or destroy them by hand",
    ]
    assert (await purged(a_ledger))[0] == told

    shutil.move(away, burn)
    assert (await purged(a_ledger))[0][0] == "copies of the keys beside backups, destroyed: 1"
    assert keycopies.there(burn) == []
    assert await purged(a_ledger) == ([], None)


async def test_a_purge_without_a_backup_elsewhere_tells_nothing_of_keys(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)

    assert await purged(a_ledger) == ([], {"destroyed": 0, "out_of_reach": []})


@pytest.mark.sqlite
async def test_a_purge_looks_into_a_ledger_that_was_moved_aside(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    copying.copy(a_ledger.database, campaign_folder / "staged")
    await a_ledger.close()
    aside = campaign_folder / "ledger.db.replaced-20261121T093000Z"
    replacing.replace(
        *(a_ledger.database, campaign_folder / "staged"),
        aside=aside,
        instead=replacing.entries(a_ledger.database),
    )

    again = Ledger.open(a_ledger.path, a_ledger.vault, FakeClock())
    with_it = await scan(again)
    aside.unlink()
    without = await scan(again)
    await again.close()
    assert (with_it.files, with_it.unread) == (without.files + 1, 0)
