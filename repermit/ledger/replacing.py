"""Another ledger in the place of the one that is there.

The database itself puts it there, in one transaction: over all pages of a SQLite file, while
nobody else has it open, or over all tables in PostgreSQL. Whoever looks meanwhile waits, and a
process that is killed leaves the old ledger or the new.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from glob import escape
from pathlib import Path

from repermit.errors import RestoreRefused
from repermit.ledger import connect, copying
from repermit.ledger.database import Connection, Database
from repermit.ledger.keys import sync_folder

_USERS = ("sender-", "purge", "import", "inbound-", "backup")  # who holds a lock of the ledger
_PATIENCE_SECONDS = 1.0  # for commands that only look, and end by themselves
_PRIMARY = 0xFF  # of an error code of SQLite
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def entries(database: Database) -> int:
    """Return how many entries the log of the ledger has; 0 when there is none, or it cannot be
    read.

    Raises: LedgerUnusable when a shared database is not there.
    """
    if not database.exists():
        return 0
    with connect.translated():
        try:
            with closing(_reading(database)) as opened:
                return _entries(opened)
        except sqlite3.DatabaseError:
            return 0


def require_unused(database: Database) -> None:
    """Raise RestoreRefused while a process holds a lock of the ledger, be its file there or not;
    one that only has it open is seen by `replace`, where it is a file."""
    if any(database.holders(kind) for kind in _USERS):
        raise _in_use()


def replace(database: Database, staged: Path, *, aside: Path, instead: int) -> bool:
    """Put the ledger *staged* in the place of the one in *database*, of whose log *instead* entries
    are known, and return whether one was there: it is at *aside* now.

    Raises: RestoreRefused when it is in use, or has another number of entries by now;
    LedgerUnusable when the disk is full. The ledger that was there stays then.
    Crash: the old ledger or the new one; perhaps a copy of the old one at *aside* all the same.
    """
    with connect.translated():
        for left in database.place.parent.glob(f".{escape(database.place.name)}.replaced-*.new*"):
            left.unlink()  # of a restore that was killed
        if database.is_shared:
            return _fill_shared(database, staged, aside, instead)
        return _replace_file(database.place, staged, aside, instead)


def _fill_shared(database: Database, staged: Path, aside: Path, instead: int) -> bool:
    from repermit.ledger import transfer
    from repermit.ledger.postgres.engine import PostgreSQL

    assert isinstance(database, PostgreSQL)  # noqa: S101 - the only one that is shared
    if not database.exists():
        transfer.to_postgres(staged, database)
        return False
    beside = aside.with_name(f".{aside.name}.new")
    copying.copy(database, beside)
    _keep(beside, aside)
    transfer.to_postgres(staged, database, instead=True, entries=instead)
    return True


def _replace_file(ledger: Path, staged: Path, aside: Path, instead: int) -> bool:
    if not ledger.exists():
        _set_aside_what_belonged(ledger, aside)
        os.link(staged, ledger)
        sync_folder(ledger.parent)
        return False
    try:
        with _held(ledger) as held:
            if _entries(held) != instead:
                raise RestoreRefused(
                    "the ledger has another number of entries by now",
                    hint="look again what would be lost, then run it again",
                )
            _copy_aside(held, aside)
            _fill(held, staged)
    except sqlite3.DatabaseError as failure:
        if failure.sqlite_errorcode & _PRIMARY not in _DAMAGED:
            raise
        _put_over(ledger, staged, aside)
    return True


def _reading(database: Database) -> Connection:
    """Return a connection for reading; of a file, whatever it is, one that checks nothing."""
    if database.is_shared:
        return database.connect(read_only=True)
    return sqlite3.connect(f"{database.place.absolute().as_uri()}?mode=rw", uri=True)


@contextmanager
def _held(ledger: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection besides which there is none. Raises: RestoreRefused."""
    uri = f"{ledger.absolute().as_uri()}?mode=rw"
    with closing(
        sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE_SECONDS)
    ) as held:
        held.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            held.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as failure:
            if failure.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY:
                raise
            raise _in_use() from failure
        yield held


def _entries(opened: Connection) -> int:
    """Return how many entries a log has; 0 when it cannot be read."""
    try:
        row = opened.execute("SELECT size FROM log_head").fetchone()
    except sqlite3.OperationalError:  # there is no such table, or column
        row = None
    return int(row[0]) if row else 0


def _copy_aside(held: sqlite3.Connection, aside: Path) -> None:
    """Copy what is held to *aside* as it is, damaged or not."""
    beside = aside.with_name(f".{aside.name}.new")
    beside.touch(mode=0o600)
    with closing(sqlite3.connect(beside)) as copied:
        held.backup(copied)
    _keep(beside, aside)


def _keep(beside: Path, aside: Path) -> None:
    """Give a copy its name, durably."""
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.rename(aside)
    sync_folder(aside.parent)


def _fill(held: sqlite3.Connection, staged: Path) -> None:
    with closing(sqlite3.connect(staged)) as source:
        source.backup(held)
    held.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _put_over(ledger: Path, staged: Path, aside: Path) -> None:
    """Rename *staged* over a file that is no ledger or is damaged: no process can use it."""
    os.link(ledger, aside)
    _set_aside_what_belonged(ledger, aside)
    staged.replace(ledger)
    sync_folder(ledger.parent)


def _set_aside_what_belonged(ledger: Path, aside: Path) -> None:
    """Move what SQLite left of a ledger that is gone: it would put it into the new one."""
    for end in ("-wal", "-shm"):
        if (left := Path(f"{ledger}{end}")).exists():
            left.rename(f"{aside}{end}")


def _in_use() -> RestoreRefused:
    return RestoreRefused(
        "the ledger is in use",
        hint="end every repermit process of this campaign first (`fuser` on the ledger names them)",
    )
