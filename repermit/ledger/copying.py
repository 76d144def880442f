"""A verified copy of the ledger."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

from repermit.errors import LedgerUnusable
from repermit.files import shown
from repermit.ledger import connect
from repermit.ledger.database import Database
from repermit.ledger.keys import sync_folder
from repermit.ledger.merkle import Frontier


def place(ledger: Path) -> Path:
    """Return where the backup of the ledger is kept."""
    return ledger.parent / "backup" / ledger.name


def backup(ledger: Database) -> Path:
    """Copy the ledger to `backup/` beside it, replacing the copy there, and return its path.

    Raises: LedgerUnusable when the disk is full or the copy is not whole; the old copy stays.
    Crash: the old copy or the new one.
    """
    target = place(ledger.place)
    beside = target.with_name(f".{target.name}.new")
    with connect.translated():
        target.parent.mkdir(mode=0o700, exist_ok=True)
        beside.unlink(missing_ok=True)
        copy(ledger, beside)
        require_log(beside)
        _keep(beside, target)
    return target


def backup_to(backup: Path, folder: Path, today: date) -> Path:
    """Copy a *backup* into *folder*, under a name with the date, and return its path.

    Raises: LedgerUnusable when the folder is not there, it is full, or the copy is not whole.
    Crash: a hidden file that ends in `.new`.
    """
    target = folder / f"{backup.stem}-{today.isoformat()}{backup.suffix}"
    beside = target.with_name(f".{target.name}.new")
    with connect.translated():
        require_folder(folder)
        beside.unlink(missing_ok=True)
        beside.touch(mode=0o600)
        shutil.copyfile(backup, beside)
        require_whole(beside)
        require_log(beside)
        _keep(beside, target)
    return target


def require_folder(folder: Path, *, keys: Path | None = None) -> None:
    """Raise LedgerUnusable unless *folder* is one, and not within that of the *keys*."""
    name = shown(folder.name)
    if not folder.is_dir():
        raise LedgerUnusable(
            f"there is no folder {name} for the backup", hint="make it, or mount its disk"
        )
    if keys and folder.resolve().is_relative_to(keys.resolve()):
        raise LedgerUnusable(
            f"the folder {name} for the backup lies within the key folder: whoever took one would"
            " have both",
            hint="name a folder elsewhere",
        )


def copy(ledger: Database, target: Path) -> None:
    """Copy the ledger, in use or not, to a SQLite file at *target* (0600), and check that the copy
    is whole.

    Raises: LedgerUnusable when the disk is full or the copy is not whole.
    """
    if ledger.is_shared:
        from repermit.ledger import transfer

        transfer.to_file(ledger, target)
        return
    with connect.translated():
        target.touch(mode=0o600)
        with (
            closing(connect.connection(ledger.place, read_only=True)) as source,
            closing(sqlite3.connect(target)) as copied,
        ):
            source.backup(copied)
            copied.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        require_whole(target)


def _keep(beside: Path, target: Path) -> None:
    """Give a copy its name, durably."""
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    for one in (beside, target):  # of the copy before: SQLite would put it into this one
        for leftover in (f"{one}-wal", f"{one}-shm"):
            Path(leftover).unlink(missing_ok=True)
    beside.replace(target)
    sync_folder(target.parent)


def require_whole(target: Path) -> None:
    """Raise LedgerUnusable unless SQLite finds the copy whole; sqlite3.Error when it is none."""
    with closing(sqlite3.connect(target)) as copied:
        _require(copied.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


def require_log(target: Path) -> None:
    """Read the log of a copy back: raise LedgerUnusable unless it leads to the root it says."""
    frontier = Frontier()
    with closing(sqlite3.connect(target)) as copied:
        for (hashed,) in copied.execute('SELECT hash FROM log ORDER BY "index"'):
            frontier = frontier.with_leaf(hashed)
        head = copied.execute("SELECT size, frontier FROM log_head").fetchone()
    _require(head == (frontier.size, frontier.to_bytes()))


def _require(is_whole: bool) -> None:
    if not is_whole:
        raise LedgerUnusable("the copy of the ledger is not whole", hint="check the disk")
