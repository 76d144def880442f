"""A backup or a restore that cannot be: one line why, one line what to do, nothing half written."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from repermit.ledger import keys
from repermit.ledger.backups import standing
from tests.cli.refusals import assert_explained_as_json, make_stranger
from tests.journeys.campaign import Campaign

pytestmark = pytest.mark.journey


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder with `disk` for the copies and `stick` for the lasting keys."""
    for name in ("disk", "stick"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def small_disk(folders: Path) -> Iterator[Path]:
    """`disk`, of 1 MB; mounting one is for root only."""
    disk = folders / "disk"
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail("this test needs a small disk, and none could be mounted")
        pytest.skip("NOT TESTED: a full disk, because none could be mounted (try it as root)")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def refused(campaign: Campaign, words: list[str | Path], why: str) -> None:
    """Run a command that must refuse, and leave the ledger as it is."""
    before = campaign.status()
    assert_explained_as_json(campaign.run(*words, "--json", expect=1), why=why)
    assert campaign.status() == before


def fill_up(ballast: Path) -> None:
    """Let a file take what room is left on its disk."""
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def backup_to(folders: Path) -> list[str | Path]:
    """Return the command that takes a backup."""
    return ["backup", folders / "disk", "--keys", folders / "stick"]


def test_a_backup_onto_a_full_disk_leaves_nothing_under_its_name(
    approved: Campaign, folders: Path, small_disk: Path
) -> None:
    """With less room than the copy needs, and with none at all; then there is room again."""
    ballast = small_disk / "ballast"
    room = os.statvfs(small_disk)
    ballast.write_bytes(b"\0" * (room.f_bavail * room.f_frsize - 150_000))
    refused(approved, backup_to(folders), "the disk is full")
    assert not list(small_disk.glob(".*")), "what is left of it would keep the disk full"
    fill_up(ballast)
    refused(approved, backup_to(folders), "full")
    assert standing(small_disk) == []

    ballast.unlink()
    approved.here(*backup_to(folders))
    assert len(standing(small_disk)) == 1
    assert not list(small_disk.glob(".*"))


def test_a_disk_that_cannot_be_written_is_named(
    approved: Campaign, folders: Path, small_disk: Path
) -> None:
    """And it can be restored from: nothing is written there."""
    approved.here(*backup_to(folders))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    time.sleep(1.0)  # a copy has the name of its second

    refused(approved, backup_to(folders), "disk cannot be written (Read-only file system)")
    entries = str(approved.status()["log"]["size"])
    approved.run("restore", small_disk, "--instead", entries)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)


def test_folders_that_are_none_or_lie_within_each_other_are_refused(
    approved: Campaign, folders: Path
) -> None:
    disk, stick = folders / "disk", folders / "stick"
    (folders / "file").write_text("a file")
    for copies, kept, why in (
        (folders / "file", stick, "there is no folder file"),
        (folders / "none", stick, "there is no folder none"),
        (approved.folder, stick, "the key folder lie within each other"),
        (approved.folder / "keys", stick, "the key folder lie within each other"),
        (disk, disk, "lie within each other"),
    ):
        refused(approved, ["backup", copies, "--keys", kept], why)
    assert list(disk.iterdir()) == list(stick.iterdir()) == []


def test_a_folder_within_that_of_the_campaign_is_taken(approved: Campaign, folders: Path) -> None:
    """Somebody may carry it away from there."""
    inside = approved.folder / "backups"
    inside.mkdir()

    approved.here("backup", inside, "--keys", folders / "stick")
    assert len(standing(inside)) == 1


def test_without_a_ledger_there_is_nothing_to_copy(begun: Campaign, folders: Path) -> None:
    failed = begun.run(*backup_to(folders), "--json", expect=1)

    assert_explained_as_json(failed, why="there is no ledger yet")
    assert list((folders / "disk").iterdir()) == []


def test_a_backup_says_what_it_took_and_what_stands_there(
    approved: Campaign, folders: Path
) -> None:
    said = approved.run(*backup_to(folders))

    assert "entries" in said.out
    assert "1 copy" in said.out
    assert "ever deleted" in said.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "no copy in disk can be put back"),
        ({"ledger-20260101T000000Z.db": b"x" * 9_000}, "it is no ledger, or damaged"),
        ({"ledger-20260101T000000Z.db": b""}, "it is no ledger, or damaged"),
        ({"photo.jpg": b"x"}, "no copy in disk can be put back"),
    ],
)
def test_a_folder_without_a_copy_of_the_ledger_is_refused(
    approved: Campaign, folders: Path, content: dict[str, bytes], why: str
) -> None:
    for name, octets in content.items():
        (folders / "disk" / name).write_bytes(octets)

    entries = str(approved.status()["log"]["size"])
    refused(approved, ["restore", folders / "disk", "--instead", entries], why)


def test_garbage_and_copies_of_others_are_passed_over_for_one_that_is_whole(
    approved: Campaign, folders: Path
) -> None:
    """A half copy, one of another campaign, and what is no ledger at all."""
    disk, entries = folders / "disk", str(approved.status()["log"]["size"])
    approved.here(*backup_to(folders))
    (whole,) = standing(disk)
    half = disk / "ledger-20991231T000000Z.db"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    make_stranger(folders / "stranger")
    shutil.copy(folders / "stranger" / "repermit.db", disk / "ledger-20991231T000001Z.db")
    (disk / "ledger-20991231T000002Z.db").write_text("garbage")

    done = approved.run("restore", disk, "--instead", entries, "--json").json

    assert done["copy"] == whole.name
    assert {each["name"]: each["why"] for each in done["passed_over"]} == {
        "ledger-20991231T000000Z.db": "it is no ledger, or damaged",
        "ledger-20991231T000001Z.db": "it is of another campaign than the keys",
        "ledger-20991231T000002Z.db": "it is no ledger, or damaged",
    }


def test_keys_of_another_campaign_are_not_mixed_in(approved: Campaign, folders: Path) -> None:
    """Neither in the folder for them nor in place."""
    approved.here(*backup_to(folders))
    other = keys.create(folders / "other")
    entries = str(approved.status()["log"]["size"])

    copies, instead = folders / "disk", ("--instead", entries)
    words: list[str | Path] = ["restore", copies, "--keys", other.folder, *instead]
    refused(approved, words, "of another campaign than the keys to put back")
    refused(
        approved,
        ["backup", folders / "disk", "--keys", folders / "other"],
        "other holds the keys of another campaign",
    )
    words[3] = folders / "stick" / "keep"
    refused(approved, words, "there are no keys in keep")
    words[3] = other.folder
    shutil.rmtree(approved.folder / "keys")
    failed = approved.run(*words, "--json", expect=1)
    assert_explained_as_json(failed, why="it is of another campaign than the keys")
    assert not (approved.folder / "keys").exists()


def test_a_folder_of_backups_of_another_campaign_takes_none_of_ours(
    approved: Campaign, folders: Path
) -> None:
    make_stranger(folders / "stranger")
    shutil.copytree(folders / "stranger" / "keys" / "burn", folders / "disk" / "burn")

    refused(approved, backup_to(folders), "burn/1.key in that folder is not the key")
    assert standing(folders / "disk") == []
