"""What is done to a ledger behind its back, on either database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from repermit.ledger import transfer
from repermit.ledger.database import Database
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.sqlite import SQLite
from repermit.ledger.transaction import Transaction


def another(database: Database) -> Database:
    """Return the same database as another process has it."""
    if isinstance(database, PostgreSQL):
        return PostgreSQL(database.url, database.place)
    return SQLite(database.place)


def alter(database: Database, *statements: str) -> None:
    """Change a ledger as somebody does by hand; each statement must find something to change."""
    with closing(database.connect()) as opened:
        for sql in statements:
            assert opened.execute(sql).rowcount > 0


def put_back(database: Database, copy: Path) -> None:
    """Put *copy*, a SQLite file, in the place of a ledger that nobody uses."""
    if isinstance(database, PostgreSQL):
        transfer.to_postgres(copy, database, instead=True)
        return
    for leftover in ("-wal", "-shm"):
        Path(f"{database.place}{leftover}").unlink(missing_ok=True)
    copy.replace(database.place)


def explained(tx: Transaction, sql: str, *values: Any) -> str:
    """Return how the database goes about a statement, once it knows how much is in each table."""
    if type(tx.connection).__name__ == "PgConnection":
        tx.run("ANALYZE")
        return "\n".join(row[0] for row in tx.rows(f"EXPLAIN {sql}", *values))
    return "\n".join(row[3] for row in tx.rows(f"EXPLAIN QUERY PLAN {sql}", *values))
