"""The database that several machines share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from repermit.errors import ChangeUnknown, LedgerUnusable
from repermit.ledger import connect as opening
from repermit.ledger.database import BUSY_SECONDS, Connection, DatabaseFailed, Held
from repermit.ledger.instants import from_micros
from repermit.ledger.postgres.connection import CONNECT_SECONDS, PgConnection, connect
from repermit.ledger.postgres.locks import Lock, Session
from repermit.ledger.postgres.schema import make

if TYPE_CHECKING:
    from repermit.domain.clock import Clock
    from repermit.ledger.vault import Vault

WRITING: Final = 0x7265_7065_726D  # the lock of whoever writes, in each schema plus its number
_AGAIN_SECONDS = 0.5
_LEAST_SECONDS = 3.0  # that a server has to say something, however little patience there is
_EXISTS = (
    "SELECT to_regclass('campaign') IS NOT NULL AND to_regclass('alembic_version') IS NOT NULL"
)
_STATUS = "SELECT pg_xact_status(CAST(CAST($1 AS text) AS xid8))"
_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()"
_NOW = "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)"
_READERS = (  # whose snapshot was taken before that moment; VACUUM itself is in nobody's way
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    " AND age(backend_xmin) > age(CAST(CAST(CAST($1 AS text) AS xid8) AS xid))"
)
_APART = bytes(4)  # between two values: no encoding takes them for a part of either
_MOMENT = "SELECT moment()"


class PostgreSQL:
    """The ledger in the schema that *url* leads to; *place* is where its backups say it was.

    With *patience* a database that is away is waited for, so many seconds.
    """

    is_shared = True

    def __init__(
        self,
        url: str,
        place: Path,
        *,
        password: str | None = None,
        patience: float = BUSY_SECONDS,
    ) -> None:
        self.place = place
        self.url, self._password, self._patience = url, password, patience
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

    def begin_making(
        self, opened: PgConnection, *, instead: bool, entries: int | None = None
    ) -> None:
        """Begin a transaction in which there are the empty tables of a ledger; *instead* of those
        of one that is there, whose log has so many *entries*, if that is said.

        Raises: LedgerUnusable when there is one and it is not to be replaced, or is not that one.
        """
        opened.begin(self._number(opened))
        if opened.query(_EXISTS)[0][0]:
            if not instead:
                raise LedgerUnusable(
                    "there is a ledger already where database.url leads to",
                    hint="name an empty database, or an empty schema with ?search_path=NAME",
                )
            size = opened.query("SELECT size FROM log_head")
            if entries is not None and (size[0][0] if size else 0) != entries:
                raise LedgerUnusable(
                    "the ledger has another number of entries by now",
                    hint="look again what would be lost, then run it again",
                )
            from repermit.ledger.tables import Campaign  # slow to import

            ours = ", ".join(f'"{name}"' for name in Campaign.metadata.tables)
            opened.script(f"TRUNCATE {ours} RESTART IDENTITY")
        else:
            self._require_empty(opened)
            make(opened)

    def _require_empty(self, opened: PgConnection) -> None:
        if _tables(opened):
            raise LedgerUnusable(
                "there are tables in that schema which are not a ledger's",
                hint="name an empty database, or an empty schema with ?search_path=NAME, in"
                " database.url",
            )

    def connect(self, *, read_only: bool = False) -> PgConnection:
        """Return a connection in autocommit mode; it waits a while for a database that is away."""
        until = time.monotonic() + self._patience
        seconds = min(CONNECT_SECONDS, max(self._patience, _LEAST_SECONDS))
        while True:
            try:
                return connect(
                    self.url, password=self._password, read_only=read_only, seconds=seconds
                )
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

    def begin_sharing(self, connection: Connection) -> None:
        """Begin a transaction that may write while others do."""
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")

    def moment(self, connection: Connection, now: datetime) -> datetime:  # noqa: ARG002 - see below
        """Return the moment by the database's own clock, which is the same for all machines."""
        assert isinstance(connection, PgConnection)  # noqa: S101 - it is ours
        return from_micros(int(connection.query(_MOMENT)[0][0]))

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction that sees one moment."""
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self, connection: Connection) -> None:
        """Make a transaction durable. When the database is lost meanwhile it is asked afterwards
        whether it was.

        Raises: DatabaseFailed when nothing of it is there; ChangeUnknown when that is unknown.
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
                raise _unknown() from failure
            try:
                found = opened.query(_STATUS, number)[0][0]
            except DatabaseFailed:
                found = None
            finally:
                opened.close()
            if found in ("committed", "aborted"):
                return bool(found == "committed")
            time.sleep(_AGAIN_SECONDS)
        raise _unknown()

    def usable(self, connection: Connection) -> bool:
        """Return whether *connection* still leads to the database."""
        assert isinstance(connection, PgConnection)  # noqa: S101 - it is ours
        return not connection.is_closed

    def give_back(self, connection: Connection, pages: int) -> int:  # noqa: ARG002 - see `empty`
        """Return 0: VACUUM gives the space back."""
        return 0

    def empty(self, patience: float) -> None:
        """VACUUM every table, so that no query and no statistics find a deleted row. What the free
        space of a page, the write-ahead log, a replica or a base backup still has of it, only the
        destroyed keys reach.

        Raises: LedgerUnusable when somebody reads for longer than *patience*, in seconds: what
        they may still see stays.
        """
        with opening.translated(), closing(self.connect()) as opened:
            self._await_readers(opened, patience)
            opened.script("SET statement_timeout = 0")
            opened.script(f"VACUUM (ANALYZE) {', '.join(_tables(opened))}", is_long=True)

    def _await_readers(self, opened: PgConnection, patience: float) -> None:
        """Return once nobody sees what was there before now."""
        now, until = opened.query(_NOW)[0][0], time.monotonic() + patience
        while opened.query(_READERS, now)[0][0]:
            if time.monotonic() >= until:
                raise LedgerUnusable(
                    "the ledger is being read by another process, and what was deleted cannot be"
                    " cleared away",
                    hint="end what reads it (`pg_stat_activity` names it), then run the same"
                    " command again",
                )
            time.sleep(_AGAIN_SECONDS)

    def content(self) -> Iterator[bytes]:
        """Yield every row of every table, its values apart, as they stood at one moment.

        Raises: LedgerUnusable.
        """
        with opening.translated(), closing(self.connect(read_only=True)) as opened:
            self.begin_reading(opened)
            for name in _tables(opened):
                for row in opened.execute(f"SELECT * FROM {name}"):  # noqa: S608 - a table there
                    yield _APART.join([_octets(value) for value in row] + [b""])

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


def _tables(opened: PgConnection) -> list[str]:
    """Return the names of every table of the schema, as a statement names them."""
    return [row[0] for row in opened.query(_TABLES)]


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _unknown() -> ChangeUnknown:
    return ChangeUnknown(
        "the database was lost while a change was made, and nobody can say whether it is there",
        hint="look at `repermit status` once the database is there again, then run the command"
        " again",
    )


@contextmanager
def _nothing() -> Iterator[None]:
    yield
