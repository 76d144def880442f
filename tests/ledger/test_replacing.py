"""Another ledger in the place of the one that is there: whole, never half, never none."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from repermit.errors import LedgerUnusable, RestoreRefused
from repermit.ledger import copying, keys, replacing
from repermit.ledger.engine import Ledger
from repermit.ledger.locks import Lock
from repermit.ledger.sqlite import SQLite
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, admit, standings

AN = "an@voorbeeld.example"
_HOLD = (
    "import sqlite3, sys; opened = sqlite3.connect(sys.argv[1]);"
    " opened.execute('SELECT * FROM log_head').fetchall(); print(flush=True); input()"
)


pytestmark = pytest.mark.sqlite


@pytest.fixture
async def campaign(a_ledger: Ledger, campaign_folder: Path) -> Path:
    """A campaign whose ledger has moved on since it was copied to `staged`; nobody uses it."""
    await admit(a_ledger, AN)
    copying.copy(a_ledger.database, campaign_folder / "staged")
    await admit(a_ledger, "jan@voorbeeld.example")
    await a_ledger.close()
    return campaign_folder


def entries(ledger: Path) -> int:
    """Return how many entries that ledger has."""
    return replacing.entries(SQLite(ledger))


def put(folder: Path, *, instead: int | None = None) -> bool:
    """Put the staged copy in the place of the ledger."""
    ledger = SQLite(folder / "ledger.db")
    there = replacing.entries(ledger) if instead is None else instead
    return replacing.replace(ledger, folder / "staged", aside=folder / "aside", instead=there)


def remove_beside(ledger: Path) -> None:
    """Remove what SQLite keeps beside a ledger."""
    for left in ("-wal", "-shm"):
        Path(f"{ledger}{left}").unlink(missing_ok=True)


@contextmanager
def open_elsewhere(ledger: Path) -> Iterator[None]:
    """Let another process have the ledger open for the length of a block."""
    words = [sys.executable, "-c", _HOLD, str(ledger)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.kill()


async def people(folder: Path, name: str = "ledger.db") -> int:
    """Return how many people stand in that ledger of *folder*."""
    vault = Vault(keys.load(folder / "keys"))
    ledger = Ledger.open(folder / name, vault, FakeClock(), mark=folder / "mark")
    found = await standings(ledger)
    await ledger.close()
    return len(found)


async def test_what_a_killed_restore_left_is_removed(campaign: Path) -> None:
    left = campaign / ".ledger.db.replaced-20261121T093000Z.new"
    left.write_bytes(b"half")

    put(campaign)

    assert not left.exists()


async def test_the_old_ledger_is_aside_and_the_new_in_its_place(campaign: Path) -> None:
    before = entries(campaign / "ledger.db")

    assert put(campaign)

    assert (await people(campaign), await people(campaign, "aside")) == (1, 2)
    assert entries(campaign / "ledger.db") < before
    assert entries(campaign / "aside") == before
    assert (campaign / "aside").stat().st_mode & 0o777 == 0o600


async def test_it_is_put_where_none_is_any_more(campaign: Path) -> None:
    """What SQLite kept beside the one that is gone is moved aside: it is no part of this one."""
    (campaign / "ledger.db").unlink()
    (campaign / "ledger.db-wal").write_bytes(b"of the one that is gone")

    assert not put(campaign)

    assert await people(campaign) == 1
    assert (campaign / "aside-wal").read_bytes() == b"of the one that is gone"


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "foreign"])
async def test_a_damaged_ledger_is_replaced_too(campaign: Path, damage: str) -> None:
    path = campaign / "ledger.db"
    whole = path.read_bytes()
    remove_beside(path)
    if damage == "foreign":
        path.unlink()
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE mine (x)")
    else:
        path.write_bytes({"garbage": b"x" * 9_000, "cut": whole[:9_000], "empty": b""}[damage])

    assert entries(path) == 0
    assert put(campaign)
    assert await people(campaign) == 1
    assert (campaign / "aside").exists()


async def test_a_ledger_without_a_head_of_its_log_has_no_entries(campaign: Path) -> None:
    with closing(sqlite3.connect(campaign / "ledger.db", isolation_level=None)) as opened:
        opened.execute("DELETE FROM log_head")

    assert entries(campaign / "ledger.db") == 0


def test_where_there_is_no_ledger_there_are_no_entries(tmp_path: Path) -> None:
    assert entries(tmp_path / "ledger.db") == 0


async def test_a_ledger_that_another_process_has_open_stays(campaign: Path) -> None:
    """Also when it only has it open, as the server of the answer pages."""
    before = entries(campaign / "ledger.db")
    with open_elsewhere(campaign / "ledger.db"), pytest.raises(RestoreRefused, match="is in use"):
        put(campaign)

    assert (await people(campaign), (campaign / "aside").exists()) == (2, False)
    assert entries(campaign / "ledger.db") == before


async def test_a_ledger_that_has_grown_meanwhile_stays(campaign: Path) -> None:
    with pytest.raises(RestoreRefused, match="another number of entries by now"):
        put(campaign, instead=1)

    assert (await people(campaign), (campaign / "aside").exists()) == (2, False)


def test_what_holds_a_lock_uses_the_ledger_also_when_its_file_is_gone(
    campaign_folder: Path,
) -> None:
    path = campaign_folder / "ledger.db"
    replacing.require_unused(SQLite(path))
    lock = Lock(path, "sender-1")
    assert lock.acquire()
    path.unlink()

    with pytest.raises(RestoreRefused, match="in use"):
        replacing.require_unused(SQLite(path))
    lock.release()


async def test_a_failure_of_the_disk_leaves_the_old_ledger(campaign: Path) -> None:
    """Here a folder has the name of the copy aside."""
    (campaign / "aside").mkdir()

    with pytest.raises(LedgerUnusable):
        put(campaign)
    assert await people(campaign) == 2


async def test_a_failure_of_sqlite_that_is_no_damage_leaves_the_old_ledger(
    campaign: Path,
) -> None:
    """Here the staged copy cannot be opened."""
    (campaign / "staged").unlink()
    (campaign / "staged").mkdir()

    with pytest.raises(LedgerUnusable, match="gone or cannot be opened"):
        put(campaign)
    assert await people(campaign) == 2


async def test_a_folder_in_the_place_of_the_ledger_is_refused(campaign: Path) -> None:
    (campaign / "ledger.db").unlink()
    (campaign / "ledger.db").mkdir()

    with pytest.raises(LedgerUnusable, match="gone or cannot be opened"):
        put(campaign)


async def test_a_failure_of_the_disk_is_not_taken_for_another_process(campaign: Path) -> None:
    """Here a folder has the name of the write-ahead log."""
    remove_beside(campaign / "ledger.db")
    (campaign / "ledger.db-wal").mkdir()

    with pytest.raises(LedgerUnusable, match="gone or cannot be opened"):
        put(campaign, instead=1)
