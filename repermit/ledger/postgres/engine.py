"""The database that several machines share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from repermit.errors import LedgerUnusable
from repermit.ledger import connect as opening
from repermit.ledger.database import BUSY_SECONDS, Connection, DatabaseFailed, Held
from repermit.ledger.postgres.connection import PgConnection, connect
from repermit.ledger.postgres.locks import Lock, Session
from repermit.ledger.postgres.schema import make

if TYPE_CHECKING:
    from repermit.domain.clock import Clock
    from repermit.ledger.vault import Vault

WRITING: Final = 0x7265_7065_726D  # the lock of whoever writes, in each schema plus its number
_AGAIN_SECONDS = 0.5
_EXISTS = (
    "SELECT to_regclass('campaign') IS NOT NULL AND to_regclass('alembic_version') IS NOT NULL"
)
_STATUS = "SELECT pg_xact_status(CAST(CAST($1 AS text) AS xid8))"
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
_UNKNOWN = LedgerUnusable(
    "the database was lost while a change was made, and nobody can say whether it is there",
    hint="look at `repermit status` once the database is there again, then run the command again",
)


class PostgreSQL:
    """The ledger in the schema that *url* leads to; *place* is where its backups say it was."""

    is_shared = True

    def __init__(self, url: str, place: Path, *, password: str | None = None) -> None:
        self.place = place
        self._url, self._password = url, password
        self._session = Session(lambda: connect(url, password=password))
        self._lock_number: int | None = None

    def prepare(self, clock: Clock, vault: Vault, *, create: bool) -> None:
        """Check that the ledger is there, ours and of this release; make it if *create*.

        Raises: LedgerUnusable, with what to do.
        Crash: a ledger is made in one transaction.
        """
        with opening.translated():
            opened = self.connect()
            try:
                if not opened.query(_EXISTS)[0][0]:
                    opening.require_none_before(vault)
                    if not create:
                        raise opening.none_yet()
                    self._require_empty(opened)
                    opened.begin(self._number(opened))
                    try:
                        if not opened.query(_EXISTS)[0][0]:  # another may have been quicker
                            make(opened)
                            opening.begin_campaign(opened, clock, vault, self.place)
                        opened.execute("COMMIT")
                    except BaseException:
                        if opened.in_transaction:
                            opened.execute("ROLLBACK")
                        raise
                opening.require_ours(opened, vault)
            finally:
                opened.close()

    def exists(self) -> bool:
        """Return whether there is a ledger."""
        with opening.translated(), closing(self.connect(read_only=True)) as opened:
            return bool(opened.query(_EXISTS)[0][0])

    def begin_making(self, opened: PgConnection, *, instead: int | None) -> None:
        """Begin a transaction in which there are the empty tables of a ledger; in place of those of
        one that is there, whose log has *instead* entries.

        Raises: LedgerUnusable when there is one and it is not to be replaced, or is not that one.
        """
        opened.begin(self._number(opened))
        if opened.query(_EXISTS)[0][0]:
            if instead is None:
                raise LedgerUnusable(
                    "there is a ledger already where database.url leads to",
                    hint="name an empty database, or an empty schema with ?search_path=NAME",
                )
            size = opened.query("SELECT size FROM log_head")
            if (size[0][0] if size else 0) != instead:
                raise LedgerUnusable(
                    "the ledger has another number of entries by now",
                    hint="look again what would be lost, then run it again",
                )
            names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            found = [f'"{row[0]}"' for row in opened.query(names) if row[0] != "alembic_version"]
            opened.script(f"TRUNCATE {', '.join(found)} RESTART IDENTITY")
        else:
            self._require_empty(opened)
            make(opened)

    def _require_empty(self, opened: PgConnection) -> None:
        if opened.query(_TABLES)[0][0]:
            raise LedgerUnusable(
                "there are tables in that schema which are not a ledger's",
                hint="name an empty database, or an empty schema with ?search_path=NAME, in"
                " database.url",
            )

    def connect(self, *, read_only: bool = False) -> PgConnection:
        """Return a connection in autocommit mode; it waits a while for a database that is away."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return connect(self._url, password=self._password, read_only=read_only)
            except DatabaseFailed as failure:
                if not failure.is_away or time.monotonic() > until:
                    raise
            time.sleep(_AGAIN_SECONDS)

    def connect_at_once(self) -> None:
        """Return None: another machine is never there at once."""

    def require_in_place(self) -> None:
        """The one that a URL leads to is in place."""

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that may write, once no other machine does."""
        assert isinstance(connection, PgConnection)  # noqa: S101 - it is ours
        connection.begin(self._number(connection))

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction that sees one moment."""
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self, connection: Connection) -> None:
        """Make a transaction durable. When the database is lost meanwhile it is asked afterwards
        whether it was.

        Raises: DatabaseFailed when nothing of it is there; LedgerUnusable when that is unknown.
        Source: PostgreSQL documentation, 9.27 (pg_xact_status).
        """
        assert isinstance(connection, PgConnection)  # noqa: S101 - it is ours
        number = connection.query("SELECT CAST(pg_current_xact_id_if_assigned() AS text)")[0][0]
        try:
            connection.script("COMMIT")
        except DatabaseFailed as failure:
            if number is None or not failure.is_away or not self._was_committed(number):
                raise

    def _was_committed(self, number: str) -> bool:
        """Return whether that transaction was committed, once it has ended."""
        until = time.monotonic() + 2 * BUSY_SECONDS
        while time.monotonic() < until:
            try:
                opened = self.connect()
            except DatabaseFailed as failure:
                raise _UNKNOWN from failure
            try:
                found = opened.query(_STATUS, number)[0][0]
            except DatabaseFailed:
                found = None
            finally:
                opened.close()
            if found in ("committed", "aborted"):
                return bool(found == "committed")
            time.sleep(_AGAIN_SECONDS)
        raise _UNKNOWN

    def usable(self, connection: Connection) -> bool:
        """Return whether *connection* still leads to the database."""
        assert isinstance(connection, PgConnection)  # noqa: S101 - it is ours
        return not connection.is_closed

    def give_back(self, connection: Connection, pages: int) -> int:  # noqa: ARG002 - see `empty`
        """Return 0: VACUUM gives the space back."""
        return 0

    def empty(self, patience: float) -> None:  # noqa: ARG002 - nobody is in the way
        """VACUUM, so that no page holds a deleted row. What the write-ahead log, a replica or a
        base backup still has of it, only the destroyed keys reach."""
        with opening.translated():
            opened = self.connect()
            try:
                opened.script("SET statement_timeout = 0")
                opened.script("VACUUM (ANALYZE)")
            finally:
                opened.close()

    def lock(self, name: str) -> Held:
        """Return the lock of that name, not held yet."""
        return Lock(self._session, name)

    def is_free(self, name: str) -> bool:
        """Return whether no living process holds that lock, on any machine."""
        return self._session.is_free(name)

    def holders(self, prefix: str) -> int:
        """Return how many locks whose name begins so are held, on all machines."""
        return self._session.count(prefix)

    def waiting(self) -> AbstractContextManager[None]:
        """Nothing needs to be shown: the server knows who waits."""
        return _nothing()

    def is_awaited(self) -> bool:
        """Return False: the server lets those who wait come in their order."""
        return False

    def close(self) -> None:
        """Let go of the locks."""
        self._session.close()

    def _number(self, opened: PgConnection) -> int:
        if self._lock_number is None:
            oid = "SELECT CAST(oid AS bigint) FROM pg_namespace WHERE nspname = current_schema()"
            found = opened.query(oid)
            if not found:
                raise LedgerUnusable(
                    "the schema that database.url names is not there", hint="make it, or correct it"
                )
            self._lock_number = WRITING + int(found[0][0])
        return self._lock_number


@contextmanager
def _nothing() -> Iterator[None]:
    yield
