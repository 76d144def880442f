"""What a store function works on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from repermit.ledger import connect
from repermit.ledger.log import Log
from repermit.ledger.vault import Vault

if TYPE_CHECKING:
    from sqlmodel import Session


@dataclass
class Transaction:
    """What a store function works on: statements, the vault, the log, and the moment it is."""

    connection: sqlite3.Connection
    vault: Vault
    now: datetime
    log_key: bytes = field(repr=False)
    log: Log = field(init=False)
    marks: bool = False  # sync the mark also without an entry: it is to be seen that it can be
    _session: Session | None = None

    def __post_init__(self) -> None:
        self.log = Log(self, self.log_key)

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None."""
        return self.connection.execute(sql, values).fetchone()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Return all rows; for what may be long pass a LIMIT."""
        return self.connection.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = self.one(sql, *values)
        return None if row is None else row[0]

    def run(self, sql: str, *values: Any) -> int:
        """Return how many rows the statement changed."""
        return self.connection.execute(sql, values).rowcount

    def many(self, sql: str, values: list[tuple[Any, ...]]) -> None:
        """Run *sql* once for each tuple of *values*."""
        self.connection.executemany(sql, values)

    @property
    def session(self) -> Session:
        """Return a SQLModel session inside this very transaction; flush, never commit."""
        if self._session is None:
            self._session = connect.session_on(self.connection)
        return self._session

    def close(self) -> None:
        """Flush and let go of the session, if one was used."""
        if self._session is not None:
            self._session.flush()
            self.discard()

    def discard(self) -> None:
        """Let go of the session, and of what it has not written."""
        if self._session is not None:
            session, self._session = self._session, None
            session.close()
