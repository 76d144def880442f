"""A ledger taken from one database into another, row by row, as it stood at one moment.

A backup of a ledger in PostgreSQL is a ledger in a SQLite file, as any other backup is; and a
ledger that moves to PostgreSQL, or is put back there, is filled from such a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Boolean, Table

from repermit.errors import LedgerUnusable
from repermit.ledger import connect, tables
from repermit.ledger.database import Connection, Database
from repermit.ledger.merkle import Frontier
from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.postgres.engine import PostgreSQL

# The campaign comes last: once it is there, no row may be sealed under an older generation than its
# own, which is what a purge that is under way leaves.
_TABLES: Final[Sequence[Table]] = sorted(
    tables.Campaign.metadata.sorted_tables, key=lambda table: table.name == "campaign"
)
_AT_ONCE = 2_000
_HEAD = "SELECT size, frontier FROM log_head"


def to_file(database: Database, target: Path) -> None:
    """Copy the ledger, in use or not, into a new SQLite file (0600) at *target*.

    Raises: LedgerUnusable. Crash: a file that is not whole; it has not its name yet.
    """
    with connect.translated():
        connect.make_empty(target)
        with (
            closing(database.connect(read_only=True)) as source,
            closing(connect.connection(target)) as filled,
        ):
            database.begin_reading(source)
            filled.execute("BEGIN IMMEDIATE")
            _fill(source, filled)
            filled.execute("COMMIT")
            filled.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            source.execute("ROLLBACK")


def to_postgres(
    file: Path, database: PostgreSQL, *, instead: bool = False, entries: int | None = None
) -> None:
    """Fill the schema of *database* from the SQLite file of a ledger; *instead* of one that is
    there, whose log has so many *entries*, if that is said.

    Raises: LedgerUnusable when there is one and it is not to be replaced, or is not that one.
    Crash: all of it is there, or the schema is as it was.
    """
    with connect.translated(), closing(connect.connection(file, read_only=True)) as source:
        to_schema(source, database, instead=instead, entries=entries)


def to_schema(
    source: Connection,
    database: PostgreSQL,
    *,
    instead: bool = False,
    entries: int | None = None,
    then: Callable[[PgConnection], None] = lambda _: None,
) -> None:
    """Do the same from a connection to such a file, and *then* something more in the same
    transaction."""
    source.execute("BEGIN")
    with closing(database.connect()) as filled:
        database.begin_making(filled, instead=instead, entries=entries)
        try:
            _fill(source, filled)
            _go_on_counting(filled)
            then(filled)
            database.commit(filled)
        except BaseException:
            if filled.in_transaction:
                filled.execute("ROLLBACK")
            raise
    source.execute("ROLLBACK")


def _fill(source: Connection, target: Connection) -> None:
    """Copy every row of every table, within the transactions that are open; the log must lead to
    the root that it says."""
    for table in _TABLES:
        for rows in _portions(source, table):
            _put(target, table, rows)
        counted = f'SELECT count(*) FROM "{table.name}"'  # noqa: S608 - one of our own tables
        _require(_one(source, counted) == _one(target, counted))
    _require_log(target)


def _portions(source: Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    flags = [isinstance(column.type, Boolean) for column in table.columns]
    rows: list[tuple[Any, ...]] = []
    for row in source.execute(f'SELECT {_columns(table)} FROM "{table.name}"'):  # noqa: S608
        rows.append(
            tuple(bool(value) if flag else value for value, flag in zip(row, flags, strict=True))
        )
        if len(rows) == _AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def _put(target: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    if isinstance(target, PgConnection):
        target.fill(table.name, table.columns.keys(), rows)
        return
    marks = ", ".join("?" * len(table.columns))
    target.executemany(
        f'INSERT INTO "{table.name}" ({_columns(table)}) VALUES ({marks})',  # noqa: S608
        rows,
    )


def _go_on_counting(filled: PgConnection) -> None:
    """Let numbers that the database gives go on after those that were given."""
    for table in _TABLES:
        if table.autoincrement_column is None or table.autoincrement_column.name != "id":
            continue
        sequence = filled.query("SELECT pg_get_serial_sequence($1, 'id')", table.name)[0][0]
        filled.query(
            "SELECT setval(CAST(CAST($1 AS text) AS regclass),"  # noqa: S608 - our own table
            f' coalesce((SELECT max(id) FROM "{table.name}"), 0) + 1, false)',
            sequence,
        )


def _require_log(target: Connection) -> None:
    frontier = Frontier()
    for (hashed,) in target.execute('SELECT hash FROM log ORDER BY "index"'):
        frontier = frontier.with_leaf(hashed)
    _require(target.execute(_HEAD).fetchone() == (frontier.size, frontier.to_bytes()))


def _one(connection: Connection, sql: str) -> Any:
    return connection.execute(sql).fetchone()[0]


def _columns(table: Table) -> str:
    return ", ".join(f'"{name}"' for name in list(table.columns.keys()))


def _require(is_whole: bool) -> None:
    if not is_whole:
        raise LedgerUnusable(
            "the copy of the ledger is not whole", hint="run `repermit proof verify`; try again"
        )
