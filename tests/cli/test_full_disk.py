"""A full disk: what was confirmed is safe, nothing is half done, and it goes on afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.refusals import assert_explained, assert_explained_as_json
from tests.journeys.campaign import (
    CONNECTIONS,
    LISTED,
    Campaign,
    Templates,
    everybody,
    row,
    wait_until,
    write_list,
)
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey

_SPARE_BYTES = 150_000  # enough to begin, too little to end


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB; mounting one is for root only."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail("this test needs a small disk, and none could be mounted")
        pytest.skip("NOT TESTED: a full disk, because none could be mounted (try it as root)")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def on(disk: Path, template: Campaign, tmp_path: Path) -> Campaign:
    """Return a copy of *template* whose folder is on *disk*, and its other files are not."""
    campaign = template.copied(disk)
    (tmp_path / "outside").mkdir()
    campaign.outside = tmp_path / "outside"
    return campaign


def fill(disk: Path, *, spare_bytes: int) -> Path:
    """Leave only that much room on *disk*; return the file that takes up the rest."""
    room = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * (room.f_bavail * room.f_frsize - spare_bytes))
    return ballast


def test_an_import_onto_a_full_disk_keeps_nothing(
    templates: Templates, small_disk: Path, tmp_path: Path
) -> None:
    """Once there is room again, the next import takes back what there was of it."""
    campaign = on(small_disk, templates.imported, tmp_path)
    before = campaign.status()["admitted"]
    many = [*everybody(), *(row(number) for number in range(1_000, 13_000))]
    path = write_list(campaign.outside / "list.csv", many)
    ballast = fill(small_disk, spare_bytes=1_000_000)

    text = campaign.run("import", path, expect=1)
    as_json = campaign.run("import", path, "--json", expect=1)
    ballast.unlink()
    again = campaign.here(
        "import", write_list(campaign.outside / "small.csv", [row(700)]), "--json"
    ).json

    assert_explained(text, why="the disk is full")
    assert_explained_as_json(as_json, why="the disk is full")
    assert again["admitted"] == 1
    assert campaign.status()["admitted"] == before + 1
    assert campaign.here("proof", "verify", "--json").json["holds"] is True
    campaign.end()


def test_a_campaign_that_finds_no_room_to_begin_says_so_and_leaves_nothing(
    templates: Templates, small_disk: Path, tmp_path: Path
) -> None:
    campaign = templates.begun.copied(tmp_path / "begun")
    ballast = fill(small_disk, spare_bytes=0)

    failed = campaign.run("init", small_disk / "garden", "--yes", expect=1)

    assert "make room" in failed.err
    assert "another" not in failed.err
    assert [each.name for each in small_disk.iterdir()] == ["ballast"]
    ballast.unlink()
    campaign.run("init", small_disk / "garden", "--yes")
    campaign.end()


def test_a_first_import_onto_a_full_disk_leaves_no_half_ledger(
    templates: Templates, small_disk: Path, tmp_path: Path
) -> None:
    campaign = on(small_disk, templates.begun, tmp_path)
    path = write_list(campaign.outside / "list.csv", everybody())
    ballast = fill(small_disk, spare_bytes=30_000)

    failed = campaign.run("import", path, "--json", expect=1)
    ballast.unlink()

    assert_explained_as_json(failed, why="the disk is full")
    assert not campaign.ledger.exists()
    assert campaign.here("import", path, "--json").json["admitted"] == len(everybody())
    campaign.end()


def test_a_sender_on_a_full_disk_stops_and_nobody_gets_two_mails(
    templates: Templates, small_disk: Path, tmp_path: Path, relay: Relay
) -> None:
    """No mail leaves without its intent on the disk; what could not be settled is in doubt."""
    campaign = on(small_disk, templates.approved, tmp_path)
    campaign.use(relay.port)
    relay.seconds = 0.02
    ballast = fill(small_disk, spare_bytes=_SPARE_BYTES)

    failed = campaign.run("send", "--json", expect=1)
    in_time = len(relay.taken)
    ballast.unlink()
    campaign.here("send")

    assert_explained_as_json(failed, why="the disk is full")
    assert in_time < LISTED
    assert len(set(relay.mailboxes)) == len(relay.taken)
    standings = campaign.standings()
    assert standings.get("doubtful", 0) <= CONNECTIONS
    assert standings["asked"] + standings.get("doubtful", 0) == LISTED
    assert set(standings) <= {"asked", "doubtful", "withheld", "exempt"}
    campaign.end()


def test_a_disk_that_fills_while_mails_are_in_hand_leaves_those_in_doubt(
    templates: Templates, small_disk: Path, tmp_path: Path, relay: Relay
) -> None:
    """The relay has them in full; that it took them cannot be written any more."""
    campaign = on(small_disk, templates.approved, tmp_path)
    campaign.use(relay.port)
    relay.holds = True
    sender = campaign.start("send", "--json")
    wait_until(lambda: len(relay.taken) == CONNECTIONS)
    ballast = fill(small_disk, spare_bytes=0)
    relay.holds = False

    assert_explained_as_json(sender.ended(), why="the disk is full")
    assert len(relay.taken) == CONNECTIONS
    assert_explained(campaign.run("send", expect=1), why="the disk is full")
    assert len(relay.taken) == CONNECTIONS
    ballast.unlink()
    sent = campaign.run("send", "--json").json
    assert (sent["doubtful"], sent["asked"]) == (CONNECTIONS, LISTED - CONNECTIONS)
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    assert campaign.here("proof", "verify", "--json").json["holds"] is True
    campaign.end()


def with_keys_on(disk: Path, campaign: Campaign) -> None:
    """Move the key folder of *campaign*, with its mark, onto *disk*."""
    shutil.move(campaign.folder / "keys", disk / "keys")
    campaign.edit('dir = "keys"', f'dir = "{disk / "keys"}"')


def test_a_key_folder_on_a_full_disk_keeps_its_mark(
    approved: Campaign, small_disk: Path, relay: Relay
) -> None:
    """It is written over in place and needs no room; everybody is mailed."""
    with_keys_on(small_disk, approved)
    approved.use(relay.port)
    ballast = fill(small_disk, spare_bytes=0)

    assert approved.run("send", "--json").json["asked"] == LISTED
    assert approved.run("send", "--json").json["asked"] == 0
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    ballast.unlink()


def test_no_mail_leaves_without_its_mark(
    approved: Campaign, small_disk: Path, relay: Relay
) -> None:
    """Here the disk of the key folder can be read only."""
    with_keys_on(small_disk, approved)
    approved.use(relay.port)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    refused = approved.run("send", "--json", expect=1)

    assert_explained_as_json(refused, why="the ledger or its key folder cannot be used")
    assert relay.taken == []
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert approved.here("send", "--json").json["asked"] == LISTED
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
