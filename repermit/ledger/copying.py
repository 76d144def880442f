"""A verified copy of the ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from repermit.errors import LedgerUnusable
from repermit.ledger import connect


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
        beside.touch(mode=0o600)
        with (
            closing(connect.connection(ledger, read_only=True)) as source,
            closing(sqlite3.connect(beside)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = delete")
            whole = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if whole != "ok":
            raise LedgerUnusable("the backup is not whole", hint="check the disk")
        beside.replace(target)
    return target
