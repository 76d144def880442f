import errno
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from repermit.errors import KeysUnusable, LedgerUnusable
from repermit.ledger import connect, keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, verified


@pytest.fixture
def path(campaign_folder: Path) -> Path:
    """The file of a closed, empty ledger."""
    return campaign_folder / "ledger.db"


def statements(path: Path, *sql: str) -> None:
    """Change a ledger's file behind its back."""
    with closing(sqlite3.connect(path)) as raw:
        for statement in sql:
            raw.execute(statement)
        raw.commit()


def names(folder: Path) -> set[str]:
    return {child.name for child in folder.iterdir()}


def content(path: Path) -> bytes:
    return path.read_bytes()


def opened(path: Path, vault: Vault) -> Ledger:
    return Ledger.open(path, vault, FakeClock())


async def test_a_new_ledger_is_whole_and_its_first_entry_says_so(tmp_path: Path) -> None:
    """What a killed attempt left beside its place is no obstacle."""
    vault = Vault(keys.create(tmp_path / "keys"))
    path = tmp_path / "ledger.db"
    for leftover in (".ledger.db.new", ".ledger.db.new-wal", ".ledger.db.new-shm"):
        (tmp_path / leftover).write_bytes(b"half a ledger")
    ledger = Ledger.open(path, vault, FakeClock(), create=True)
    found = await verified(ledger)
    await ledger.close()

    assert (found.holds, found.size) == (True, 1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == {"keys", "ledger.db"}


def test_a_ledger_is_made_only_on_request(tmp_path: Path, a_vault: Vault) -> None:
    with pytest.raises(LedgerUnusable, match="there is no ledger yet") as refused:
        opened(tmp_path / "other.db", a_vault)

    assert "repermit import" in refused.value.hint
    assert not (tmp_path / "other.db").exists()


def test_a_ledger_in_a_folder_that_is_not_there_is_refused(tmp_path: Path, a_vault: Vault) -> None:
    with pytest.raises(LedgerUnusable, match="No such file or directory"):
        Ledger.open(tmp_path / "no" / "ledger.db", a_vault, FakeClock(), create=True)


async def test_a_ledger_that_is_there_is_never_made_anew(path: Path, a_vault: Vault) -> None:
    before = content(path)
    ledger = Ledger.open(path, a_vault, FakeClock(), create=True)
    await ledger.close()

    assert content(path) == before


def test_a_connection_has_every_setting_that_durability_and_erasure_need(path: Path) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "auto_vacuum": 2,
        "temp_store": 2,
    }
    with closing(connect.connection(path)) as connection:
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}

    assert found == wanted


def test_a_read_only_connection_writes_nothing(path: Path) -> None:
    with (
        closing(connect.connection(path, read_only=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM log")


def test_a_database_with_another_journal_is_refused(path: Path, a_vault: Vault) -> None:
    statements(path, "PRAGMA journal_mode = delete")

    with pytest.raises(LedgerUnusable, match="journal_mode is delete, not wal"):
        opened(path, a_vault)


@pytest.mark.parametrize(
    "change",
    [
        ("DROP TABLE alembic_version",),
        ("DROP TABLE campaign",),
        ("DELETE FROM alembic_version",),
        ("DELETE FROM campaign",),
        ("DROP TABLE campaign", "CREATE TABLE campaign (name TEXT)"),
    ],
)
def test_another_programs_database_is_no_ledger(
    path: Path, a_vault: Vault, change: tuple[str, ...]
) -> None:
    statements(path, *change)

    with pytest.raises(LedgerUnusable, match="is not a ledger") as refused:
        opened(path, a_vault)
    assert "database.url" in refused.value.hint


@pytest.mark.parametrize("content", [b"mailbox;naam\nan@voorbeeld.example;An\n" * 200, b""])
def test_a_file_that_is_no_database_is_no_ledger(
    path: Path, a_vault: Vault, content: bytes
) -> None:
    path.write_bytes(content)

    with pytest.raises(LedgerUnusable):
        opened(path, a_vault)
    assert path.read_bytes() == content


def test_a_folder_in_the_place_of_the_ledger_is_refused(path: Path, a_vault: Vault) -> None:
    path.unlink()
    path.mkdir()

    with pytest.raises(LedgerUnusable, match="gone or cannot be opened"):
        opened(path, a_vault)


def test_a_ledger_of_a_newer_release_is_refused(path: Path, a_vault: Vault) -> None:
    statements(path, "UPDATE alembic_version SET version_num = '0999'")

    with pytest.raises(LedgerUnusable, match=r"newer release \(schema 0999"):
        opened(path, a_vault)


def test_a_key_folder_of_another_campaign_is_refused(path: Path, tmp_path: Path) -> None:
    foreign = Vault(keys.create(tmp_path / "foreign"))

    with pytest.raises(LedgerUnusable, match="belong to different campaigns"):
        opened(path, foreign)


def test_a_damaged_ledger_is_refused(path: Path, a_vault: Vault) -> None:
    size = path.stat().st_size
    descriptor = os.open(path, os.O_WRONLY)
    os.pwrite(descriptor, os.urandom(size - 4096), 4096)
    os.close(descriptor)

    with pytest.raises(LedgerUnusable, match="the ledger is damaged") as refused:
        opened(path, a_vault)
    assert "newest backup" in refused.value.hint


def test_bytes_that_are_no_text_are_damage_in_whatever_reads_them(
    path: Path, a_vault: Vault
) -> None:
    statements(path, "UPDATE campaign SET uuid = uuid || CAST(x'ff' AS TEXT)")

    with pytest.raises(LedgerUnusable, match="the ledger is damaged") as refused:
        opened(path, a_vault)
    assert "newest backup" in refused.value.hint


def test_a_ledger_whose_tables_cannot_be_read_fails_as_it_is(path: Path, a_vault: Vault) -> None:
    """A view upon itself: nothing that a release or a campaign could have left."""
    statements(
        path,
        "DROP TABLE alembic_version",
        "CREATE VIEW alembic_version AS SELECT version_num FROM alembic_version",
    )

    with pytest.raises(sqlite3.OperationalError, match="circularly defined"):
        opened(path, a_vault)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), r"cannot be used \(Permission"),
        (sqlite3.OperationalError("database is locked"), "locked by another process"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "is read-only"),
        (sqlite3.OperationalError("unable to open database file"), "is gone"),
        (sqlite3.OperationalError("disk I/O error"), "the disk refused"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (sqlite3.DatabaseError("file is not a database"), "not a ledger"),
        (sqlite3.DatabaseError("database disk image is malformed"), "is damaged"),
        (
            sqlite3.OperationalError("Could not decode to UTF-8 column 'x' with text 'is locked'"),
            "is damaged",
        ),
    ],
)
def test_what_the_disk_and_the_database_raise_tells_what_to_do(
    failure: Exception, message: str
) -> None:
    with pytest.raises(LedgerUnusable, match=message) as told, connect.translated():
        raise failure

    assert told.value.hint
    assert told.value.__cause__ is failure


def test_what_the_migrations_wrap_is_told_as_what_it_is() -> None:
    full = DBAPIError("CREATE TABLE", None, sqlite3.OperationalError("database or disk is full"))
    unknown = DBAPIError("CREATE TABLE", None, sqlite3.OperationalError("near FROM"))

    assert str(connect.translate(full)) == "the disk is full"
    assert connect.translate(unknown) is unknown


@pytest.mark.parametrize(
    "failure",
    [
        sqlite3.OperationalError("near FROM: syntax error"),
        ValueError("x"),
        KeysUnusable("x", hint=""),
    ],
)
def test_any_other_failure_stays_what_it_is(failure: Exception) -> None:
    with pytest.raises(type(failure)) as told, connect.translated():
        raise failure

    assert told.value is failure
    assert connect.translate(failure) is failure


async def test_a_ledger_and_its_keys_may_be_moved_together(
    campaign_folder: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "name with a ? and a #"
    shutil.move(campaign_folder, moved)
    ledger = opened(moved / "ledger.db", Vault(keys.load(moved / "keys")))

    assert (await verified(ledger)).holds
    await ledger.close()


def test_no_room_for_the_shared_memory_is_a_full_disk() -> None:
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    meaning = connect.translate(failure)
    assert str(meaning) == "the disk is full"


def test_two_first_commands_make_one_ledger(tmp_path: Path) -> None:
    """They started at the same time; both then work on the same one."""
    vault, path = Vault(keys.create(tmp_path / "keys")), tmp_path / "ledger.db"

    with ThreadPoolExecutor(2) as both:
        made = [
            both.submit(connect.prepare, path, FakeClock(), vault, create=True) for _ in range(2)
        ]
        for each in made:
            each.result()

    assert sorted(file.name for file in tmp_path.iterdir()) == ["keys", "ledger.db"]


@pytest.mark.parametrize("create", [False, True])
async def test_promise_1_a_ledger_that_is_gone_is_not_begun_anew(
    campaign_folder: Path, a_vault: Vault, *, create: bool
) -> None:
    """An empty one in its place would ask everybody again."""
    path = campaign_folder / "ledger.db"
    ledger = Ledger.open(path, a_vault, FakeClock())
    await ledger.write(campaign.pause)
    await ledger.close()
    path.unlink()

    with pytest.raises(LedgerUnusable, match="the ledger is gone: its log had 2 entries") as gone:
        Ledger.open(path, a_vault, FakeClock(), create=create)

    assert "put it back" in (gone.value.hint or "")
    assert not path.exists()
