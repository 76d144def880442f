"""Copies of keys beside backups: a purge destroys them, and tells which it cannot reach."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from repermit.errors import BackupRefused, FileRefused
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.keys import Keys
from repermit.ledger.store import keycopies, written
from repermit.ledger.store.keycopies import Fate
from tests.ledger.backedup import places_in, taken

_AT = "2026-12-22T10:00:00Z"


@pytest.fixture
def burn(tmp_path: Path) -> Path:
    """Where the copies of keys lie beside the backups."""
    return keycopies.beside(places_in(tmp_path).copies)


async def backed_up(ledger: Ledger, burn: Path) -> Keys:
    """Take a backup, and let a purge have destroyed generation 1 since; return the keys."""
    await taken(ledger, places_in(burn.parents[1]))
    keys.note_destroyed(ledger.vault.keys.burn, 1, _AT)
    return ledger.vault.keys


def left_in(folder: Path) -> list[Path]:
    """Return everything in *folder*."""
    return list(folder.iterdir())


def write_anew(path: Path, content: str) -> None:
    """Write *content* to *path*, whose folder need not be there."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


async def fate(ledger: Ledger) -> Fate:
    """Let a purge look for copies of keys."""
    return keycopies.destroy(await ledger.read(written.key_copies), ledger.vault.keys)


async def test_a_copy_of_a_destroyed_generation_is_destroyed(a_ledger: Ledger, burn: Path) -> None:
    await backed_up(a_ledger, burn)

    found = await fate(a_ledger)
    await a_ledger.write(keycopies.forget, found)

    assert found == Fate((burn / "1.key",))
    assert left_in(burn) == []
    assert await a_ledger.read(written.key_copies) == []


async def test_it_is_gone_as_well_when_it_went_before(a_ledger: Ledger, burn: Path) -> None:
    """The purge was killed after it, or somebody deleted it, and its folder is there."""
    await backed_up(a_ledger, burn)

    assert await fate(a_ledger) == await fate(a_ledger) == Fate((burn / "1.key",))


async def test_the_generation_of_now_stays(a_ledger: Ledger, burn: Path) -> None:
    await taken(a_ledger, places_in(burn.parents[1]))
    keys.note_destroyed(a_ledger.vault.keys.burn, 7, _AT)

    assert await fate(a_ledger) == Fate()
    assert (burn / "1.key").exists()


async def test_a_disk_that_is_not_there_is_out_of_reach(a_ledger: Ledger, burn: Path) -> None:
    await backed_up(a_ledger, burn)
    shutil.move(burn, burn.with_name("away"))

    assert await fate(a_ledger) == Fate((), (str(burn / "1.key"),))


async def test_the_key_of_another_campaign_in_its_place_stays(a_ledger: Ledger, burn: Path) -> None:
    """Another disk is mounted there."""
    await backed_up(a_ledger, burn)
    other = json.dumps({"campaign": "another", "seal": "00" * 32, "lookup": "00" * 32})
    (burn / "1.key").write_text(other)

    assert await fate(a_ledger) == Fate((), (str(burn / "1.key"),))
    assert (burn / "1.key").read_text() == other
    assert keycopies.destroy_in(burn, a_ledger.vault.keys) == []


async def test_one_that_cannot_be_read_goes(a_ledger: Ledger, burn: Path) -> None:
    """Half of a key may be enough for somebody."""
    await backed_up(a_ledger, burn)
    (burn / "1.key").write_text("{")
    (burn / ".1.key.4711").write_text("left by a backup that was killed")

    assert await fate(a_ledger) == Fate((burn / "1.key",))
    assert left_in(burn) == []


async def test_one_that_refuses_is_out_of_reach(a_ledger: Ledger, burn: Path) -> None:
    """Here something else has its name."""
    await backed_up(a_ledger, burn)
    (burn / "1.key").unlink()
    (burn / "1.key").mkdir()

    assert await fate(a_ledger) == Fate((), (str(burn / "1.key"),))


async def test_what_came_back_with_its_disk_is_destroyed_by_the_next_backup(
    a_ledger: Ledger, burn: Path
) -> None:
    kept_by = await backed_up(a_ledger, burn)

    assert keycopies.destroy_in(burn, kept_by) == [1]
    assert keycopies.destroy_in(burn, kept_by) == []
    assert keycopies.there(burn) == []


async def test_another_key_under_the_same_name_is_refused(a_ledger: Ledger, burn: Path) -> None:
    """Of another campaign, or another history of this one; it stays."""
    kept_by = a_ledger.vault.keys
    for campaign in ("another", kept_by.campaign):
        content = json.dumps({"campaign": campaign, "seal": "00" * 32, "lookup": "00" * 32})
        write_anew(burn / "1.key", content)

        with pytest.raises(BackupRefused, match=r"burn/1\.key in that folder is not the key"):
            keycopies.copy(kept_by, [1], burn)
        assert (burn / "1.key").read_text() == content


async def test_copies_of_keys_are_no_files_with_addresses(a_ledger: Ledger, burn: Path) -> None:
    await a_ledger.write(keycopies.note, burn, [1, 2])

    assert await a_ledger.read(written.files) == []
    found = [each.path for each in await a_ledger.read(written.key_copies)]
    assert found == [burn / "1.key", burn / "2.key"]


async def test_what_somebody_noted_by_hand_is_passed_over(a_ledger: Ledger, burn: Path) -> None:
    await a_ledger.write(written.note_file, burn / "mine.key", written.KEYS)

    assert await fate(a_ledger) == Fate()


async def test_a_folder_with_an_address_in_its_path_is_not_noted(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    with pytest.raises(FileRefused):
        await a_ledger.write(keycopies.note, tmp_path / "jan@elders.example", [1])
