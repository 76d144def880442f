"""A backup and a restore that are killed before each of their steps: real processes, real SIGKILLs.

The steps are what the process does to files: it kills itself before the first, the second and so
on, until it comes to its end. What SQLite does between two of them is killed at random instants.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from repermit.cli import main
from repermit.ledger import copying, keys, replacing
from repermit.ledger.sqlite import SQLite
from tests.journeys.campaign import LISTED, Campaign, Templates, make_templates
from tests.journeys.relay import Relay

pytestmark = pytest.mark.torture

# 12 in `make test`; REPERMIT_KILLS=750, as `make torture` sets it, makes it 150.
KILLS = max(12, int(os.environ.get("REPERMIT_KILLS", "0")) // 5)
_STEPS = frozenset(
    ("open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "sqlite3.connect")
)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The campaigns to copy, made once."""
    return make_templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(scope="module")
def before(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A campaign with a backup in `outside/disk` and `outside/stick`; all were asked since."""
    campaign = templates.approved.copied(tmp_path_factory.mktemp("before") / "campaign")
    for name in ("disk", "stick"):
        (campaign.outside / name).mkdir()
    campaign.here("backup", campaign.outside / "disk", "--keys", campaign.outside / "stick")
    with Relay() as relay:
        campaign.use(relay.port)
        campaign.here("send")
    return campaign


def fresh(before: Campaign, folder: Path) -> Campaign:
    """Return a copy of the campaign *before*, with its backup."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(before.folder, folder / "campaign", symlinks=True)
    shutil.copytree(before.outside, folder / "outside")
    return Campaign(folder / "campaign", folder / "outside", before.web_port)


@contextmanager
def child(
    campaign: Campaign, words: Sequence[str | Path], prepare: Callable[[], None]
) -> Iterator[int]:
    """Run a command in a forked process, after *prepare*; yield its process id."""
    pid = os.fork()
    if not pid:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        prepare()
        os._exit(main(["--config", str(campaign.config), *map(str, words)]))
    yield pid


def killed_before(campaign: Campaign, words: Sequence[str | Path], step: int) -> bool:
    """Let a command kill itself before its *step* number so many; return whether it did."""
    root, left = str(campaign.folder.parent), step

    def prepare() -> None:
        def look(event: str, given: tuple[Any, ...]) -> None:
            nonlocal left
            if event in _STEPS and root in os.fsdecode(str(given[0])):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(look)

    with child(campaign, words, prepare) as pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def killed_after(campaign: Campaign, words: Sequence[str | Path], seconds: float) -> None:
    """Kill a command so long after its start."""
    with child(campaign, words, lambda: None) as pid:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def backup_words(campaign: Campaign) -> list[str | Path]:
    """Return the command that takes a backup."""
    return ["backup", campaign.outside / "disk", "--keys", campaign.outside / "stick"]


def restore_words(campaign: Campaign) -> list[str | Path]:
    """Return the command that puts it back, with the keys if they are lost."""
    instead = str(replacing.entries(SQLite(campaign.ledger)))
    return [
        *("restore", campaign.outside / "disk", "--instead", instead),
        *("--keys", campaign.outside / "stick"),
    ]


def assert_nothing_half(campaign: Campaign) -> None:
    """Whatever has its final name in the folders of the backup is whole."""
    disk, stick = campaign.outside / "disk", campaign.outside / "stick"
    for path in disk.glob("ledger-*.db"):
        copying.require_whole(path)
        copying.require_log(path)
    assert keys.read(stick / "keep" / "keys.json", stick).campaign
    assert keys.read_generation(disk / "burn" / "1.key", 1)


def people(ledger: Path) -> dict[str, int]:
    """Return how many stand where in that ledger, which must be whole."""
    with closing(sqlite3.connect(ledger)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return dict(opened.execute("SELECT standing, count(*) FROM recipient GROUP BY standing"))


def is_old_or_new(ledger: Path) -> bool:
    """Return whether the new ledger is in place, which is an older copy; fails when it is neither
    the old one nor the new."""
    found = people(ledger)
    assert LISTED in (found.get("asked"), found.get("listed")), found
    return found.get("listed") == LISTED


def restored(campaign: Campaign) -> None:
    """Restore after what went before, and check what comes of it."""
    words = restore_words(campaign)
    campaign.here(*words)
    assert is_old_or_new(campaign.ledger)
    assert "older copy" in campaign.here("send", expect=1).err
    assert not list(campaign.folder.glob(".repermit.db.restored*"))
    campaign.here("doubt", "restored")
    assert campaign.standings()["doubtful"] == LISTED
    assert campaign.here("proof", "verify", "--json").json["holds"] is True


def test_a_backup_that_is_killed_leaves_nothing_half_written(
    before: Campaign, tmp_path: Path
) -> None:
    """Before each of its steps; the next one is whole, and clears away what was left."""
    step = 0
    while True:
        step += 1
        campaign = fresh(before, tmp_path / "campaign")
        if not killed_before(campaign, backup_words(campaign), step):
            break
        assert_nothing_half(campaign)
        if step % 5 == 0:
            time.sleep(1.0)  # a copy has the name of its second
            campaign.here(*backup_words(campaign))
            assert_nothing_half(campaign)
            left = [path.name for path in (campaign.outside / "disk").rglob(".*")]
            assert left == []
    assert step > 15, "it did less than it must"


@pytest.mark.parametrize("lost", ["nothing", "the ledger", "the keys", "all"])
def test_a_restore_that_is_killed_leaves_the_old_ledger_or_the_new(
    before: Campaign, tmp_path: Path, lost: str
) -> None:
    """Before each of its steps. None is there only where none was."""
    step = 0
    while True:
        step += 1
        campaign = fresh(before, tmp_path / "campaign")
        if lost in ("the ledger", "all"):
            for path in campaign.folder.glob("repermit.db*"):
                path.unlink()
        if lost in ("the keys", "all"):
            shutil.rmtree(campaign.folder / "keys")
        if not killed_before(campaign, restore_words(campaign), step):
            break
        if campaign.ledger.exists():
            is_old_or_new(campaign.ledger)
        else:
            assert lost in ("the ledger", "all")
        if step % 7 == 0:
            restored(campaign)
    assert step > 25, "it did less than it must"
    assert is_old_or_new(campaign.ledger)


def test_a_restore_that_is_killed_at_any_instant_leaves_the_old_ledger_or_the_new(
    before: Campaign, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    campaign = fresh(before, tmp_path / "campaign")
    started = time.monotonic()
    campaign.here(*restore_words(campaign))
    whole = time.monotonic() - started
    for _ in range(KILLS):
        campaign = fresh(before, tmp_path / "campaign")
        killed_after(campaign, restore_words(campaign), chance.uniform(0, whole))
        is_old_or_new(campaign.ledger)
    restored(campaign)
