"""Folders that are copied elsewhere by themselves, and those of another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from repermit.ledger.synchronised import (
    file_system,
    mounts,
    network_of,
    service_named,
    service_of,
)

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0

odd
//nas/share /mnt/nas cifs rw 0 0
nas:/export /mnt/our\\040share nfs4 rw 0 0
/dev/sdb1 /mnt/nas/disk ext4 rw 0 0
drive: /mnt/drive fuse.rclone rw 0 0
"""


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("OneDrive - Stad Voorbeeld", "OneDrive"),
        ("Dropbox (Tuin)", "Dropbox"),
        ("iCloud Drive", "iCloud Drive"),
        ("com~apple~CloudDocs", "iCloud Drive"),
        ("Mobile Documents", "iCloud Drive"),
        ("Google Drive", "Google Drive"),
        ("GoogleDrive-an@tuin.example", "Google Drive"),
        ("My Drive", "Google Drive"),
        ("Nextcloud", "Nextcloud"),
        ("ownCloud", "ownCloud"),
        ("SynologyDrive", "Synology Drive"),
        ("Synology Drive", "Synology Drive"),
        ("Syncthing", "Syncthing"),
        ("pCloudDrive", "pCloud"),
        ("Box", "Box"),
        ("Box Sync", "Box"),
        ("Seafile", "Seafile"),
        ("Resilio Sync", "Resilio Sync"),
        ("MEGA", "MEGA"),
        ("MEGAsync", "MEGA"),
        ("CloudStorage", "a cloud service"),
    ],
)
def test_a_folder_is_known_by_the_name_of_one_around_it(
    tmp_path: Path, name: str, service: str
) -> None:
    assert service_of(tmp_path / name / "campaign" / "keys") == service


@pytest.mark.parametrize("name", ["boxes", "Mega-tuin", "drop", "drive", "cloud", "megaphone"])
def test_a_name_that_only_looks_like_one_is_nothing(tmp_path: Path, name: str) -> None:
    assert service_of(tmp_path / name) is None


@pytest.mark.parametrize(
    ("left", "service"),
    [
        (".dropbox", "Dropbox"),
        (".dropbox.cache", "Dropbox"),
        (".849C9593-D756-4E56-8D6E-42412F2A707B", "OneDrive"),
        (".tmp.drivedownload", "Google Drive"),
        (".nextcloudsync.log", "Nextcloud"),
        (".owncloudsync.log", "ownCloud"),
        (".sync_0a1b2c3d.db", "Nextcloud or ownCloud"),
        ("._sync_0a1b2c3d.db", "Nextcloud or ownCloud"),
        (".SynologyWorkingDirectory", "Synology Drive"),
        (".stfolder", "Syncthing"),
        ("seafile-ignore.txt", "Seafile"),
        (".sync/ID", "Resilio Sync"),
        (".megaignore", "MEGA"),
    ],
)
def test_a_folder_is_known_by_what_lies_in_one_around_it(
    tmp_path: Path, left: str, service: str
) -> None:
    (tmp_path / "work" / left).parent.mkdir(parents=True)
    (tmp_path / "work" / left).touch()

    assert service_of(tmp_path / "work" / "campaign") == service
    assert service_of(tmp_path) is None
    assert service_named(tmp_path / "work" / "campaign") is None  # it lists no folder


def test_the_folder_that_dropbox_keeps_in_a_home_is_not_one_that_it_synchronises(
    tmp_path: Path,
) -> None:
    (tmp_path / ".dropbox").mkdir()

    assert service_of(tmp_path / "campaign") is None


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "synced" / "inside").mkdir(parents=True)
    (tmp_path / "synced" / ".stfolder").mkdir()
    (tmp_path / "campaign").symlink_to(tmp_path / "synced" / "inside")

    assert service_of(tmp_path / "campaign" / "keys") == "Syncthing"


def test_the_way_as_it_is_written_counts_as_well(tmp_path: Path) -> None:
    """Some services copy what a link in their folder leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "Dropbox").mkdir()
    (tmp_path / "Dropbox" / "campaign").symlink_to(tmp_path / "real")

    assert service_of(tmp_path / "Dropbox" / "campaign") == "Dropbox"


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/mnt/nas/garden", "cifs"),
        ("/mnt/our share/garden", "nfs4"),
        ("/mnt/nas/disk/garden", None),
        ("/srv/garden", None),
    ],
)
def test_a_network_file_system_is_known_by_the_nearest_mount(place: str, kind: str | None) -> None:
    assert network_of(Path(place), MOUNTS) == kind


def test_the_mounts_of_this_machine_are_looked_at(tmp_path: Path) -> None:
    assert network_of(tmp_path) is None


def test_a_folder_that_is_mounted_from_a_cloud_is_synchronised() -> None:
    assert service_of(Path("/mnt/drive/garden"), MOUNTS) == "rclone"


def test_a_machine_that_does_not_tell_its_mounts_has_none_that_are_known(tmp_path: Path) -> None:
    assert mounts(tmp_path / "nothing") == ""
    assert file_system(tmp_path, "") == ""
