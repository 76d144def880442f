"""What is done to a ledger behind its back, on either database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from repermit.ledger import transfer
from repermit.ledger.database import Database
from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.sqlite import SQLite
from repermit.ledger.tables import Campaign
from repermit.ledger.transaction import Transaction


def another(database: Database) -> Database:
    """Return the same database as another process has it."""
    if isinstance(database, PostgreSQL):
        return PostgreSQL(database.url, database.place)
    return SQLite(database.place)


def alter(database: Database, sql: str, *values: Any) -> None:
    """Change a ledger as somebody does by hand; there must be something to change."""
    with closing(database.connect()) as opened:
        assert opened.execute(sql, values).rowcount > 0


def put_back(database: Database, copy: Path) -> None:
    """Put *copy*, a SQLite file, in the place of a ledger that nobody uses."""
    if isinstance(database, PostgreSQL):
        transfer.to_postgres(copy, database, instead=True)
        return
    for leftover in ("-wal", "-shm"):
        Path(f"{database.place}{leftover}").unlink(missing_ok=True)
    copy.replace(database.place)


def end_sessions_with_locks(database: Database) -> None:
    """End the sessions that hold locks of processes, as a server does that is started again."""
    assert isinstance(database, PostgreSQL)
    with closing(database.connect()) as opened:
        opened.query(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND objsubid = 2"
        )


def crowd(tx: Transaction, like: int, count: int = 3_000) -> None:
    """Put so many rows into the ledger that are as that of the recipient *like*, and let the
    database know of them."""
    columns = Campaign.metadata.tables["recipient"].columns.keys()
    row = tx.one(f"SELECT {', '.join(columns)} FROM recipient WHERE id = ?", like)
    one = dict(zip(columns, row, strict=True))
    made = [{**one, "id": 1_000 + n, "lookup": n.to_bytes(32)} for n in range(count)]
    tx.fill("recipient", columns, [tuple(each.values()) for each in made])
    tx.run("ANALYZE recipient")


def steps_of(
    tx: Transaction, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()
) -> list[str]:
    """Return the steps in which the database goes about a statement."""
    if isinstance(tx.connection, PgConnection):
        return [row[0] for row in tx.connection.execute(f"EXPLAIN {sql}", values)]
    return [row[3] for row in tx.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
