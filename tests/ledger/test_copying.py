import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from repermit.domain.standing import Answer
from repermit.errors import LedgerUnusable
from repermit.ledger import copying
from repermit.ledger.engine import Ledger
from repermit.ledger.sqlite import SQLite
from tests.builders import FakeClock, admit, asked, press, standings, verified


def damage_an_index(path: Path) -> None:
    """Let an index say that it holds another column."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA writable_schema = 1")
        raw.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '(generation)', '(attempts)')"
            " WHERE name = 'ix_recipient_generation'"
        )
        raw.commit()


async def test_a_backup_of_a_ledger_in_use_holds_what_was_confirmed(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    (one,) = await asked(a_ledger, "an@voorbeeld.example")
    await press(a_ledger, one, Answer.YES)
    path = copying.backup(a_ledger.database)
    mark = tmp_path / "mark"
    copy = Ledger.open(path, a_ledger.vault, FakeClock(), mark=mark)
    found, holds = await standings(copy), (await verified(copy)).holds
    await copy.close()

    assert path == a_ledger.path.parent / "backup" / "ledger.db"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert found == {one: "opted_in"}
    assert holds


async def test_a_backup_replaces_the_one_before(a_ledger: Ledger) -> None:
    for number in range(2):
        await admit(a_ledger, f"r{number}@voorbeeld.example")
        path = copying.backup(a_ledger.database)
    with closing(sqlite3.connect(path)) as raw:
        count = raw.execute("SELECT count(*) FROM recipient").fetchone()

    assert count == (2,)
    assert {child.name for child in path.parent.iterdir()} <= {
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
    }


@pytest.mark.sqlite
async def test_a_copy_that_is_not_whole_leaves_the_old_backup(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    path = copying.backup(a_ledger.database)
    before = path.read_bytes()
    damage_an_index(a_ledger.path)

    with pytest.raises(LedgerUnusable, match="not whole"):
        copying.backup(a_ledger.database)
    assert path.read_bytes() == before


def test_a_ledger_that_is_not_there_has_no_copy(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnusable):
        copying.backup(SQLite(tmp_path / "ledger.db"))


def test_a_file_in_the_place_of_the_backup_is_refused(campaign_folder: Path) -> None:
    (campaign_folder / "backup").write_text("my notes")

    with pytest.raises(LedgerUnusable):
        copying.backup(SQLite(campaign_folder / "ledger.db"))


def test_a_folder_that_is_not_there_is_named_without_an_address(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnusable) as raised:
        copying.require_folder(tmp_path / "jan@elders.example")

    assert "elders" not in str(raised.value)
