"""What stands in the way of a ledger, in either database: it is locked, read-only, or full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.transaction import Transaction

_FULL_FILE = """CREATE TRIGGER full_disk BEFORE INSERT ON {table}
 BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"""
_FULL_SERVER = """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
 AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END';
CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION full_disk()"""


@contextmanager
def locked(ledger: Ledger) -> Iterator[None]:
    """Let another process hold the ledger for the length of a block."""
    with closing(ledger.database.connect()) as another:
        ledger.database.begin(another)
        yield
        another.execute("ROLLBACK")


@contextmanager
def full(ledger: Ledger, table: str) -> Iterator[None]:
    """Let there be no room for another row of *table*, for the length of a block."""
    with closing(ledger.database.connect()) as another:
        if not isinstance(another, PgConnection):
            another.execute(_FULL_FILE.format(table=table))
            yield
            another.execute("DROP TRIGGER full_disk")
            return
        another.script(_FULL_SERVER.format(table=table))
        try:
            yield
        finally:
            another.script("DROP FUNCTION full_disk CASCADE")


def soon(tx: Transaction) -> None:
    """Let the ledger's writer give up on a lock after 20 milliseconds, not after 30 seconds."""
    is_server = isinstance(tx.connection, PgConnection)
    tx.connection.execute("SET lock_timeout = 20" if is_server else "PRAGMA busy_timeout = 20")


def read_only(tx: Transaction) -> None:
    """Let the ledger's writer change nothing from the next transaction on."""
    is_server = isinstance(tx.connection, PgConnection)
    tx.connection.execute(
        "SET default_transaction_read_only = on" if is_server else "PRAGMA query_only = 1"
    )
