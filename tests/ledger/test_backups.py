"""Backups: what is copied where, and what is refused before anything is written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.errors import BackupRefused
from repermit.ledger import backups, keys
from repermit.ledger.backups import Places
from repermit.ledger.engine import Ledger
from repermit.ledger.mark import MarkFile
from repermit.ledger.store import erasing, keycopies
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, admit, standings, verified
from tests.ledger.backedup import places_in, taken

AN = "an@voorbeeld.example"


def require(places: Places, campaign: Path) -> None:
    """Look at *places* as the command does."""
    places.require(ledger=campaign / "ledger.db", keys=campaign / "keys")


async def test_a_backup_can_be_opened_with_nothing_but_its_two_folders(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    (one,) = await admit(a_ledger, AN)
    places = places_in(tmp_path)
    path = await taken(a_ledger, places)
    alone = tmp_path / "alone"
    alone.mkdir(mode=0o700)
    shutil.copytree(places.kept / "keep", alone / "keep")
    shutil.copytree(places.copies / "burn", alone / "burn")

    copy = Ledger.open(path, Vault(keys.load(alone)), FakeClock(), mark=tmp_path / "mark")
    found, holds = await standings(copy), (await verified(copy)).holds
    await copy.close()

    assert path.name == "ledger-20261121T093000Z.db"
    assert (found, holds) == ({one: "listed"}, True)
    kept = MarkFile(places.kept / "keep" / "mark").read()
    assert kept == MarkFile(a_ledger.vault.keys.mark).read()
    assert kept is not None


async def test_only_their_owner_may_read_any_of_it(a_ledger: Ledger, tmp_path: Path) -> None:
    await admit(a_ledger, AN)
    keys.note_destroyed(a_ledger.vault.keys.burn, 7, "2026-01-01T00:00:00Z")
    places = places_in(tmp_path)
    await taken(a_ledger, places)

    modes = {
        str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777
        for folder in (places.copies, places.kept)
        for path in folder.rglob("*")
    }
    assert modes == {
        "disk/burn": 0o700,
        "disk/burn/1.key": 0o600,
        "disk/ledger-20261121T093000Z.db": 0o600,
        "stick/keep": 0o700,
        "stick/keep/destroyed": 0o600,
        "stick/keep/keys.json": 0o600,
        "stick/keep/mark": 0o600,
    }


async def test_the_copies_from_before_stay(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    places = places_in(tmp_path)
    first = await taken(a_ledger, places)
    a_clock.advance(timedelta(days=1))
    before = first.read_bytes()
    second = await taken(a_ledger, places)

    assert backups.standing(places.copies) == [first, second]
    assert first.read_bytes() == before


async def test_a_second_backup_in_one_second_leaves_the_first(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    places = places_in(tmp_path)
    first = await taken(a_ledger, places)
    before = first.read_bytes()

    with pytest.raises(BackupRefused, match="is there already"):
        await taken(a_ledger, places)
    assert first.read_bytes() == before


async def test_what_a_killed_backup_left_goes_with_the_next(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    places = places_in(tmp_path)
    (places.copies / "burn").mkdir()
    for left in (".ledger-20260101T000000Z.db.new", ".ledger-20260101T000000Z.db.new-wal"):
        (places.copies / left).write_text("half")
    (places.copies / "burn" / ".1.key.4711").write_text("a key")

    await taken(a_ledger, places)
    assert not [path for path in places.copies.rglob("*") if path.name.startswith(".")]


async def test_a_folder_with_the_keys_of_another_campaign_is_refused(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    places = places_in(tmp_path)
    other = keys.create(tmp_path / "other")
    shutil.copytree(other.file.parent, places.kept / "keep")
    before = other.file.read_bytes()

    with pytest.raises(BackupRefused, match="stick holds the keys of another campaign"):
        await taken(a_ledger, places)
    assert (places.kept / "keep" / "keys.json").read_bytes() == before
    assert list(places.copies.iterdir()) == []


async def test_a_key_folder_without_a_mark_is_copied_without_one(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """It was put back without it, and the ledger says so itself."""
    places = places_in(tmp_path)
    generations = keycopies.there(a_ledger.vault.keys.burn)
    a_ledger.vault.keys.mark.unlink(missing_ok=True)
    kept_by = a_ledger.vault.keys
    backups.take(a_ledger.database, kept_by, places, a_ledger.clock.now(), generations)

    assert [path.name for path in (places.kept / "keep").iterdir()] == ["keys.json"]


async def test_promise_8_keys_that_a_purge_destroys_meanwhile_leave_no_copy(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """They were noted and copied; then the purge destroyed them, before we looked again."""
    await admit(a_ledger, AN)
    places, kept_by = places_in(tmp_path), a_ledger.vault.keys
    keycopies.copy(kept_by, [1], places.copies / "burn")
    keys.create_generation(kept_by.burn, 2)
    copy = places.copies / "copy.db"
    shutil.copy(await taken(a_ledger, places), copy)
    keys.destroy_generation(kept_by.burn, 1)

    with pytest.raises(BackupRefused, match="not all in the key folder"):
        backups._require_generations(copy, kept_by, [1, 2], places.copies)
    assert sorted(path.name for path in (places.copies / "burn").iterdir()) == ["2.key"]


async def test_a_copy_whose_new_keys_came_after_we_looked_gets_no_name(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    await admit(a_ledger, AN)
    places, kept_by = places_in(tmp_path), a_ledger.vault.keys
    keys.create_generation(kept_by.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)

    with pytest.raises(BackupRefused, match="not all in the key"):
        backups.take(a_ledger.database, kept_by, places, a_ledger.clock.now(), [1])
    assert backups.standing(places.copies) == []


def test_folders_apart_on_other_disks_are_taken(campaign_folder: Path, tmp_path: Path) -> None:
    require(places_in(tmp_path), campaign_folder)


@pytest.mark.parametrize(
    ("copies", "kept", "why"),
    [
        ("none", "stick", "there is no folder none"),
        ("disk", "file", "there is no folder file"),
        ("campaign/keys/burn", "stick", "burn and the key folder lie within each other"),
        ("disk", "campaign", "campaign and the key folder lie within each other"),
        ("disk", "disk", "lie within each other: whoever took one"),
        ("disk", "disk/below", "lie within each other: whoever took one"),
        ("Dropbox", "stick", r"Dropbox lies in a synchronised folder \(Dropbox\)"),
        ("disk", "OneDrive - Tuin/keys", "keys lies in a synchronised folder"),
        ("campaign", "stick", "the key folder lie within each other"),
    ],
)
def test_folders_that_would_undo_what_keys_are_for_are_refused(
    campaign_folder: Path, tmp_path: Path, copies: str, kept: str, why: str
) -> None:
    places_in(tmp_path)
    for name in ("disk/below", "Dropbox", "OneDrive - Tuin/keys"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file").write_text("a file")

    with pytest.raises(BackupRefused, match=why):
        require(Places(tmp_path / copies, tmp_path / kept), campaign_folder)


def test_the_folder_of_the_ledger_is_refused_also_with_its_keys_elsewhere(tmp_path: Path) -> None:
    places = places_in(tmp_path)

    with pytest.raises(BackupRefused, match="the folder of the ledger itself"):
        places.require(ledger=places.copies / "ledger.db", keys=tmp_path / "keys")


def test_no_address_in_the_name_of_a_folder_is_told(campaign_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused) as refused:
        require(Places(tmp_path / "jan@elders.example", tmp_path), campaign_folder)

    assert "elders" not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.ENOSPC, "the disk of disk is full"),
        (errno.EDQUOT, "the disk of disk is full"),
        (errno.EACCES, r"disk cannot be written \(Permission denied\)"),
    ],
)
def test_what_the_disk_says_is_one_line(tmp_path: Path, number: int, why: str) -> None:
    with pytest.raises(BackupRefused, match=why), backups.usable(tmp_path / "disk"):
        raise OSError(number, os.strerror(number))


async def test_a_copy_of_a_key_names_its_campaign(a_ledger: Ledger, tmp_path: Path) -> None:
    places = places_in(tmp_path)
    await taken(a_ledger, places)

    content = json.loads((places.copies / "burn" / "1.key").read_bytes())
    assert content["campaign"] == a_ledger.vault.keys.campaign
    assert set(content) == {"campaign", "seal", "lookup"}
