"""What a ledger needs of its database: connections, the one who writes, and locks of processes.

Two databases serve it: a SQLite file (`sqlite`) on one machine, and PostgreSQL (`postgres`) where
several machines share one ledger. The statements are the same for both, in the words of SQLite;
`postgres.dialect` says them to PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from repermit.domain.clock import Clock
    from repermit.ledger.vault import Vault

BUSY_SECONDS = 30.0  # how long whoever writes waits for others


class DatabaseFailed(Exception):
    """What PostgreSQL or the way to it raised: its SQLSTATE, or "" when it is not there at all.
    Its text may hold values: it is never shown."""

    def __init__(self, text: str, *, code: str = "", is_away: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.is_away = is_away  # no word from it: the same may work once it is there again


FAILURES = (sqlite3.Error, DatabaseFailed)


class Cursor(Protocol):
    """What a statement found; `rowcount` is how many rows it changed."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """One connection; it belongs to one thread at a time."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ..., /) -> Cursor: ...

    def executemany(self, sql: str, values: Sequence[Sequence[Any]], /) -> object: ...

    def close(self) -> None: ...


class Held(Protocol):
    """A lock that ends with its process, however that ends."""

    @property
    def is_held(self) -> bool:
        """Return whether the lock is still ours."""

    def acquire(self) -> bool:
        """Return whether the lock is now ours; False when another process holds it."""

    def release(self) -> None:
        """Let go of the lock."""


class Database(Protocol):
    """Where a ledger is."""

    @property
    def place(self) -> Path:
        """Return the file of the ledger, or where its backups say that it was: beside it stands
        what belongs to the ledger on this machine."""

    @property
    def is_shared(self) -> bool:
        """Return whether several machines may use it at once."""

    def exists(self) -> bool:
        """Return whether there is a ledger."""

    def prepare(self, clock: Clock, vault: Vault, *, create: bool) -> None:
        """Check that the ledger is whole, ours and of this release; make it if *create*."""

    def connect(self, *, read_only: bool = False) -> Connection:
        """Return a connection in autocommit mode."""

    def connect_at_once(self) -> Connection | None:
        """Return a connection for reading that never waits; None where there is no such thing."""

    def require_in_place(self) -> None:
        """Raise LedgerUnusable, or OSError, when it is not the ledger that was opened."""

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that may write, alone."""

    def begin_sharing(self, connection: Connection) -> None:
        """Begin a transaction that may write while others do, where the database is shared."""

    def moment(self, connection: Connection, now: datetime) -> datetime:
        """Return the moment by the one clock of all machines: that of the database where it is
        shared, *now* where there is one machine only."""

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction that sees one moment."""

    def commit(self, connection: Connection) -> None:
        """Make a transaction durable."""

    def usable(self, connection: Connection) -> bool:
        """Return whether *connection* still leads to the database."""

    def give_back(self, connection: Connection, pages: int) -> int:
        """Return up to *pages* free pages to the disk, and how many that were."""

    def empty(self, patience: float) -> None:
        """Leave nothing of deleted rows where the database can reach it; it waits so many seconds
        for others."""

    def content(self) -> Iterator[bytes] | None:
        """Yield every row of every table, its values apart, as they stood at one moment; None where
        the files at `place` hold them."""

    def lock(self, name: str) -> Held:
        """Return the lock of that name, not held yet."""

    def is_free(self, name: str) -> bool:
        """Return whether no living process holds that lock."""

    def holders(self, prefix: str) -> int:
        """Return how many locks whose name begins so are held by living processes."""

    def waiting(self) -> AbstractContextManager[None]:
        """Let it be seen for the length of a block that somebody waits to write."""

    def is_awaited(self) -> bool:
        """Return whether somebody waits to write."""

    def close(self) -> None:
        """Let go of what is left."""
