"""A ledger in a SQLite file, on one machine."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from repermit.errors import LedgerUnusable
from repermit.ledger import connect, locks
from repermit.ledger.database import BUSY_SECONDS, Connection, Held

if TYPE_CHECKING:
    from repermit.domain.clock import Clock
    from repermit.ledger.vault import Vault

_AGAIN_SECONDS = 0.002  # between two tries to lock the ledger
_PRIMARY = 0xFF  # of an error code of SQLite


class SQLite:
    """The file at *place*."""

    is_shared = False

    def __init__(self, place: Path) -> None:
        self.place = place
        self._file: os.stat_result | None = None  # SQLite writes on, unseen, when it is moved away

    def exists(self) -> bool:
        """Return whether there is a ledger."""
        return self.place.exists()

    def prepare(self, clock: Clock, vault: Vault, *, create: bool) -> None:
        """Check that the ledger is whole, ours and of this release; make it if *create*."""
        connect.prepare(self.place, clock, vault, create=create)
        self._file = self.place.stat()

    def connect(self, *, read_only: bool = False) -> Connection:
        """Return a connection in autocommit mode. Raises: LedgerUnusable."""
        opened = connect.connection(self.place, read_only=read_only)
        if not read_only:
            opened.execute("PRAGMA busy_timeout = 0")  # see _wait_for_lock
        return opened

    def connect_at_once(self) -> Connection | None:
        """Return a connection for reading that never waits."""
        return connect.connection(self.place, read_only=True, busy_seconds=0)

    def require_in_place(self) -> None:
        """Raise LedgerUnusable when another file stands where the ledger was opened, or none."""
        try:
            found = self.place.stat()
        except FileNotFoundError as failure:
            raise connect.gone() from failure
        if self._file is None or not os.path.samestat(self._file, found):
            raise LedgerUnusable(
                "the ledger was replaced while it was in use",
                hint="end every repermit command and start again; this change was not made",
            )

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that may write; whoever writes slice after slice sees us wait."""
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as failure:
            if not _is_busy(failure):
                raise
            with self.waiting():
                _wait_for_lock(connection)

    def begin_sharing(self, connection: Connection) -> None:
        """Begin a transaction that may write: only one at a time does."""
        self.begin(connection)

    def moment(self, connection: Connection, now: datetime) -> datetime:  # noqa: ARG002 - one clock
        """Return *now*: this machine is the only one."""
        return now

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction that sees one moment."""
        connection.execute("BEGIN")

    def commit(self, connection: Connection) -> None:
        """Make a transaction durable."""
        connection.execute("COMMIT")

    def usable(self, connection: Connection) -> bool:  # noqa: ARG002 - a file is always there
        """Return whether *connection* still leads to the database."""
        return True

    def give_back(self, connection: Connection, pages: int) -> int:
        """Return up to *pages* free pages to the disk, and how many that were."""
        free = min(pages, connection.execute("PRAGMA freelist_count").fetchone()[0])
        for _ in range(free):
            connection.execute("PRAGMA incremental_vacuum(1)")  # one step each, whatever the number
        return int(free)

    def empty(self, patience: float) -> None:
        """Move what the write-ahead log holds into the ledger's file, and empty it.

        Raises: LedgerUnusable when somebody reads for longer than *patience*, in seconds.
        """
        until = time.monotonic() + patience
        with connect.translated(), closing(connect.connection(self.place)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {round(patience * 1000)}")
            # SQLite does not wait for another checkpoint, which any commit elsewhere may begin.
            while busy := connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() >= until:
                    break
                time.sleep(_AGAIN_SECONDS)
        if busy:
            raise LedgerUnusable(
                "the ledger is being read by another process, and its write-ahead log cannot"
                " be emptied",
                hint="end what reads it, then run the same command again",
            )

    def content(self) -> None:
        """Return None: its files hold every row."""

    def lock(self, name: str) -> Held:
        """Return the lock of that name, not held yet."""
        return locks.Lock(self.place, name)

    def is_free(self, name: str) -> bool:
        """Return whether no living process holds that lock."""
        return locks.is_free(self.place, name)

    def holders(self, prefix: str) -> int:
        """Return how many locks whose name begins so are held by living processes."""
        return locks.holders(self.place, prefix)

    def waiting(self) -> AbstractContextManager[None]:
        """Let it be seen for the length of a block that somebody waits to write."""
        return self._waiting()

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        with locks.waiting(self.place):
            yield

    def is_awaited(self) -> bool:
        """Return whether somebody waits to write."""
        return locks.is_awaited(self.place)

    def close(self) -> None:
        """Nothing is left."""


def _is_busy(failure: sqlite3.OperationalError) -> bool:
    return failure.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY


def _wait_for_lock(connection: Connection) -> None:
    """Try again and again; SQLite's own waiting sleeps for longer than others hold the lock."""
    told = connection.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    end = time.monotonic() + (told or BUSY_SECONDS)
    while True:
        time.sleep(_AGAIN_SECONDS)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as failure:
            if not _is_busy(failure) or time.monotonic() > end:
                raise
        else:
            return
