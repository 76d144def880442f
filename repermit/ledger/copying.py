"""A verified copy of the ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from repermit.errors import LedgerUnusable
from repermit.ledger import connect
from repermit.ledger.keys import sync_folder


def backup(ledger: Path) -> Path:
    """Copy the ledger to `backup/` beside it, replacing the copy there, and return its path.

    Raises: LedgerUnusable when the disk is full or the copy is not whole; the old copy stays.
    Crash: the old copy or the new one.
    """
    target = ledger.parent / "backup" / ledger.name
    beside = target.with_name(f".{target.name}.new")
    with connect.translated():
        target.parent.mkdir(mode=0o700, exist_ok=True)
        beside.unlink(missing_ok=True)
        copy(ledger, beside)
        beside.replace(target)
        sync_folder(target.parent)
    return target


def copy(ledger: Path, target: Path) -> None:
    """Copy the ledger, in use or not, to *target* (0600), and check that the copy is whole.

    Raises: LedgerUnusable when the disk is full or the copy is not whole.
    """
    with connect.translated():
        target.touch(mode=0o600)
        with (
            closing(connect.connection(ledger, read_only=True)) as source,
            closing(sqlite3.connect(target)) as copied,
        ):
            source.backup(copied)
            whole = copied.execute("PRAGMA integrity_check").fetchone()[0]
            copied.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if whole != "ok":
        raise LedgerUnusable("the copy of the ledger is not whole", hint="check the disk")
