"""Short transactions beside the one that may write: for what many machines do all the time, and
where each takes rows that no other has.

They never wait for one another, and never touch the log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from repermit.ledger import connect
from repermit.ledger.database import Connection, Database, DatabaseFailed
from repermit.ledger.transaction import Transaction

T = TypeVar("T")


class Sharer:
    """Runs parts in transactions of their own; it belongs to one thread at a time."""

    def __init__(self, database: Database, begin: Callable[[Connection], Transaction]) -> None:
        self._database, self._begin = database, begin
        self._connection: Connection | None = None

    def run(self, part: Callable[[Transaction], T]) -> T:
        """Return what *part* returned once that is durable.

        Raises: what *part* raised, its changes rolled back; LedgerAway when the database is not
        there, and then nothing of it is; ChangeUnknown.
        """
        with connect.translated():
            connection = self._begun()
            try:
                result = part(self._begin(connection))
                self._database.commit(connection)
            except BaseException:
                self._leave(connection)
                raise
            return result

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()

    def _begun(self) -> Connection:
        """Return the connection with a transaction, another one when it was lost meanwhile."""
        if self._connection is not None:
            try:
                self._database.begin_sharing(self._connection)
            except DatabaseFailed:
                self._leave(self._connection)
            else:
                return self._connection
        self._connection = connection = self._database.connect()
        self._database.begin_sharing(connection)
        return connection

    def _leave(self, connection: Connection) -> None:
        """Leave the transaction that is open, and the connection with it if it is lost."""
        if connection.in_transaction:
            with suppress(DatabaseFailed):
                connection.execute("ROLLBACK")
        if not self._database.usable(connection):
            self._connection = None
            connection.close()
