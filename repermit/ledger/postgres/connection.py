"""One connection to PostgreSQL, used as one to SQLite is: by the thread that it belongs to."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from repermit.errors import LedgerUnusable
from repermit.ledger.database import DatabaseFailed
from repermit.ledger.postgres.dialect import Said, said

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.prepared_stmt import PreparedStatement

T = TypeVar("T")
_STATEMENTS: Final = 512  # that are kept prepared
# Too many connections, one that idled, conflicts with another machine, and its lock.
_NOT_NOW: Final = ("53300", "25P03", "40001", "40P01", "55P03")
_AT_ONCE: Final = 500  # rows that are fetched together
CONNECT_SECONDS: Final = 10.0
_STATEMENT_SECONDS: Final = 120.0
_LONG_SECONDS: Final = 86_400.0  # of one that reads or writes all there is
_PING_SECONDS: Final = 5.0
_WATCHING: Final = {  # of the socket: within 20 seconds a way that is cut counts as such
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 20_000,
}
# A machine that is gone is noticed, and what it holds is free again, within a quarter of a minute:
# it may hold the lock of whoever writes, for which all others wait. (On Linux the user timeout
# counts for keepalives too, whatever their count.)
_SETTINGS: Final = {
    "application_name": "repermit",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "12000",
    "client_connection_check_interval": "5000",
    "idle_in_transaction_session_timeout": "60000",
    "lock_timeout": "30000",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",  # of a disk without a moving head: indexes are read, not tables
    "jit": "off",  # it costs more than it saves, on statements as short as ours
}
_SHOWN_IN_URL = "database.url"


def connect(
    url: str,
    *,
    password: str | None = None,
    read_only: bool = False,
    seconds: float = CONNECT_SECONDS,
) -> PgConnection:
    """Return a connection; without a *password* as the environment or a password file has it. A
    server that says nothing for so many *seconds* is away.

    Raises: DatabaseFailed; LedgerUnusable when the driver is missing.
    """
    try:
        import asyncpg
    except ModuleNotFoundError:
        raise LedgerUnusable(
            f"{_SHOWN_IN_URL} names PostgreSQL, and its driver is not installed",
            hint='install it: pip install "repermit[postgres]"',
        ) from None
    settings = dict(_SETTINGS)
    if read_only:
        settings |= {
            "default_transaction_read_only": "on",
            "idle_in_transaction_session_timeout": "600000",
        }
    return PgConnection(asyncpg, url, password, settings, seconds)


class PgConnection:
    """A connection in autocommit mode; asyncpg runs in a loop of its own, in this thread."""

    def __init__(
        self,
        driver: Any,
        url: str,
        password: str | None,
        settings: Mapping[str, str],
        seconds: float,
    ) -> None:
        self._driver = driver
        self._loop = asyncio.new_event_loop()
        self._prepared: OrderedDict[str, PreparedStatement[Any]] = OrderedDict()
        try:
            self._pg: asyncpg.Connection[Any] = self._run(
                _opened(driver, url, password, settings, seconds)
            )
        except BaseException:
            self._loop.close()
            raise

    @property
    def in_transaction(self) -> bool:
        """Return whether a transaction is open."""
        return bool(not self._pg.is_closed() and self._pg.is_in_transaction())

    @property
    def is_closed(self) -> bool:
        """Return whether the connection is lost."""
        return bool(self._pg.is_closed())

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = (), /) -> PgCursor:
        """Run a statement; the rows of a query may come as they are asked for, within its
        transaction. Raises: DatabaseFailed."""
        told = said(sql)
        cursor = PgCursor(self, told, _ordered(told, values))
        if not (told.is_query and self.in_transaction):
            cursor.fetch()
        return cursor

    def executemany(self, sql: str, values: Sequence[Sequence[Any]], /) -> None:
        """Run a statement once for each of *values*, within the transaction that is open."""
        self._run(self._pg.executemany(said(sql).sql, [tuple(each) for each in values]))

    def fill(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add *rows* to *table* by COPY."""
        self._run(self._pg.copy_records_to_table(table, columns=list(columns), records=list(rows)))

    def script(self, sql: str, *, is_long: bool = False) -> None:
        """Run statements that are PostgreSQL's own, without values."""
        self._run(self._pg.execute(sql, timeout=_LONG_SECONDS if is_long else None))

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a statement that is PostgreSQL's own."""
        return self._run(self._pg.fetch(sql, *values))

    def ping(self) -> None:
        """Return once the server has given a sign of life. Raises: DatabaseFailed, before long."""
        self._run(self._pg.execute("SELECT 1", timeout=_PING_SECONDS))

    def abandon(self) -> None:
        """Be closed at once, without a word to a server that does not answer."""
        self._pg.terminate()

    def begin(self, lock: int) -> None:
        """Begin a transaction that may write, once nobody else does under the same *lock*."""
        self.script(f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({lock})")

    def close(self) -> None:
        """End the connection."""
        if self._loop.is_closed():
            return
        self._prepared.clear()
        try:
            self._run(self._pg.close(timeout=2))
        except DatabaseFailed:
            self._pg.terminate()
        self._loop.close()

    def rows(self, told: Said, values: Sequence[Any]) -> tuple[list[Any], str]:
        """Return what a statement found, and the tag of the command."""

        async def fetched() -> tuple[list[Any], str]:
            statement = await self._statement(told.sql)
            found = await statement.fetch(*values)
            return [tuple(row) for row in found], statement.get_statusmsg()

        return self._run(fetched())

    def portions(self, told: Said, values: Sequence[Any]) -> Iterator[list[Any]]:
        """Yield the rows of a query, so many at once, within the transaction that is open."""

        async def opened() -> Any:
            return await (await self._statement(told.sql)).cursor(*values)

        cursor = self._run(opened())

        async def fetched() -> list[Any]:
            return list(await cursor.fetch(_AT_ONCE))

        while rows := self._run(fetched()):
            yield [tuple(row) for row in rows]
            if len(rows) < _AT_ONCE:
                return

    def _here(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what *work* returns; where a loop runs in this thread, another thread waits."""
        if asyncio._get_running_loop() is None:
            return self._loop.run_until_complete(work)
        with ThreadPoolExecutor(1) as beside:
            return beside.submit(self._loop.run_until_complete, work).result()

    async def _statement(self, sql: str) -> PreparedStatement[Any]:
        if (known := self._prepared.get(sql)) is not None:
            self._prepared.move_to_end(sql)
            return known
        prepared = await self._pg.prepare(sql)
        self._prepared[sql] = prepared
        if len(self._prepared) > _STATEMENTS:
            self._prepared.popitem(last=False)
        return prepared

    def _run(self, work: Awaitable[T]) -> T:
        try:
            return self._here(_patient(work))
        except self._driver.PostgresError as failure:
            code = failure.sqlstate or ""
            raise DatabaseFailed(str(failure), code=code, is_away=_is_away(code)) from failure
        except (
            *(self._driver.InterfaceError, self._driver.InternalClientError),
            *(OSError, TimeoutError),
        ) as failure:
            if isinstance(failure, ValueError):  # of what the URL says, as a server would tell it
                raise DatabaseFailed(str(failure), code="22023") from failure
            if (pg := getattr(self, "_pg", None)) is not None:
                pg.terminate()  # amid an answer, perhaps: it is of no more use
            raise DatabaseFailed(str(failure), is_away=True) from failure


class PgCursor:
    """What one statement found."""

    def __init__(self, connection: PgConnection, told: Said, values: Sequence[Any]) -> None:
        self._connection, self._told, self._values = connection, told, values
        self._rows: list[Any] | None = None
        self._portions: Iterator[list[Any]] | None = None
        self._status, self._at = "", 0

    @property
    def rowcount(self) -> int:
        """Return how many rows the statement changed."""
        tag = self._status.rpartition(" ")[2]
        return int(tag) if tag.isdecimal() else -1

    def fetch(self) -> None:
        """Have all rows now."""
        self._rows, self._status = self._connection.rows(self._told, self._values)

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        if self._rows is None and self._portions is None:
            self.fetch()
        return next(self, None)

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        if self._rows is None and self._portions is None:
            self.fetch()
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._rows is None or self._at == len(self._rows):
            self._rows, self._at = self._portion(), 0
        row = self._rows[self._at]
        self._at += 1
        return row

    def _portion(self) -> list[Any]:
        if self._rows is not None and self._portions is None:  # all of them were there
            raise StopIteration
        if self._portions is None:
            self._portions = self._connection.portions(self._told, self._values)
        return next(self._portions)


async def _opened(
    driver: Any, url: str, password: str | None, settings: Mapping[str, str], seconds: float
) -> asyncpg.Connection[Any]:
    """Return a connection on which numbers are numbers: the sum of whole ones is whole."""
    opened: asyncpg.Connection[Any] = await driver.connect(
        url,
        password=password,
        timeout=seconds,
        command_timeout=_STATEMENT_SECONDS,
        server_settings=dict(settings),
        statement_cache_size=0,  # we keep our own
    )
    # asyncpg has no public name for its socket
    notice_cuts(opened._transport.get_extra_info("socket"))
    await opened.set_type_codec(
        "numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text"
    )
    return opened


def notice_cuts(end: socket.socket | None) -> None:
    """Let a connection to another machine end when nothing arrives any more: the system would wait
    for the answer to a statement for a quarter of an hour.

    Source: RFC 5482; tcp(7).
    """
    if end is None or end.family not in (socket.AF_INET, socket.AF_INET6):
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _WATCHING.items():
        if hasattr(socket, name):  # pragma: no branch - Linux has them all
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _patient(work: Awaitable[T]) -> T:
    return await work


def _ordered(told: Said, values: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any]:
    return [values[name] for name in told.names] if isinstance(values, Mapping) else values


def _number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)


def _is_away(code: str) -> bool:
    """Return whether that SQLSTATE says that nothing was done now, and that it may be later."""
    return code.startswith(("08", "57P")) or code in _NOT_NOW
