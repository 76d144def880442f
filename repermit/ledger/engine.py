"""The ledger: opened and checked, read by a few threads, written by one (see `writer`).

A part of a transaction is a plain function of a `Transaction`; `read` and `write` run it away
from the event loop and return what it returned.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from repermit.domain.clock import Clock
from repermit.errors import LedgerUnusable
from repermit.ledger import connect, leftovers
from repermit.ledger.checkpoint import Checkpoint
from repermit.ledger.database import FAILURES, Connection, Database, DatabaseFailed, Held
from repermit.ledger.leftovers import Leftover
from repermit.ledger.replay import Replay
from repermit.ledger.sharing import Sharer
from repermit.ledger.sqlite import SQLite
from repermit.ledger.superseded import Superseded, superseded
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.ledger.verify import Verified, replayed, verify
from repermit.ledger.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")
_READERS = 4
_TURNS, _TURN_SECONDS = 100, 0.002  # how long a writer of many slices lets others go first


class Ledger:
    """The database of one campaign."""

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, *, log_key: bytes, mark: Path
    ) -> None:
        self.database, self.vault, self.clock = database, vault, clock
        self.dropped: tuple[Leftover, ...] = ()  # keys that had come back
        self.superseded: Superseded | None = None  # by the ledger after a purge
        self._log_key = log_key
        self._writer = Writer(database, mark, self._transaction)
        self.older_copy, self.accept_copy = self._writer.older_copy, self._writer.accept_copy
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="ledger-reader")
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="ledger-sharer")
        self._sharer = Sharer(database, self._transaction)
        self._local = threading.local()
        self._reading: list[Connection] = []
        self._looking: Connection | None = None
        self._settled: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()

    @classmethod
    def open(
        cls,
        database: Database | Path,
        vault: Vault,
        clock: Clock,
        *,
        create: bool = False,
        mark: Path | None = None,
    ) -> Ledger:
        """Return the ledger in *database*, a path being that of a SQLite file, checked; with
        *create* a new one if there is none.

        *mark* is for a copy that is thrown away: it leaves the key folder alone. Otherwise keys
        that a purge destroyed and that came back are destroyed again; see `dropped`. A ledger from
        before a purge is opened as any other; see `superseded`.

        Raises: LedgerUnusable when it is missing, damaged, newer than this release, or of
        another campaign than the key folder.
        """
        if isinstance(database, Path):
            database = SQLite(database)
        try:
            database.prepare(clock, vault, create=create)
            with connect.translated():
                with closing(database.connect(read_only=True)) as connection:
                    row = connection.execute("SELECT log_key FROM campaign").fetchone()
                    burn, place = vault.keys.burn, database.place
                    dropped = leftovers.drop(connection, burn) if mark is None else ()
                    known = superseded(connection, place, burn) if mark is None else None
                opened = cls(database, vault, clock, log_key=row[0], mark=mark or vault.keys.mark)
        except BaseException:
            database.close()
            raise
        opened.dropped, opened.superseded = dropped, known
        return opened

    @property
    def path(self) -> Path:
        """Return the file of the ledger, or where its backups say that it was."""
        return self.database.place

    def lock(self, name: str) -> Held:
        """Return the lock of that name, not held yet; it ends with its process."""
        return self.database.lock(name)

    async def write(
        self,
        part: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what *part* returned once it is durable.

        Raises: what *part* raised, its own changes rolled back; LedgerUnusable when the disk
        is full or the ledger locked, gone or read-only, and then nothing of it is there.
        Crash: either all of the part is there or nothing.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def done(result: Any, failure: BaseException | None) -> None:
            self._settled.append((future, result, failure))
            if len(self._settled) == 1:  # else the loop is already on its way
                loop.call_soon_threadsafe(self._settle)

        self._writer.put(lambda tx: part(tx, *args, **kwargs), done)
        return await future

    async def share(
        self,
        part: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what *part* returned once it is durable, as `write` does; where several machines
        share the ledger they do so at the same time, each with its own rows.

        Raises: as `write` does. A part that shares must not touch the log.
        """

        def alone(tx: Transaction) -> T:
            with tx.log.shut():
                return part(tx, *args, **kwargs)

        if not self.database.is_shared:
            return await self.write(alone)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._beside, self._sharer.run, alone)

    async def read(
        self,
        part: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what *part* returned, from one consistent snapshot; it must not write."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._readers, lambda: self._read(lambda tx: part(tx, *args, **kwargs))
        )

    async def look(
        self,
        part: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what *part* returned, as `read` does, for one statement that finds a row or two
        by their keys.

        It reads on the spot, in the event loop's own thread: that takes less than the way to
        another thread and back. It never waits there: a ledger that is busy is read by `read`.
        """
        try:
            if self._looking is None:
                self._looking = self.database.connect_at_once()
                if self._looking is None:
                    return await self.read(part, *args, **kwargs)
                self._reading.append(self._looking)
            self.database.require_in_place()
            return part(self._transaction(self._looking), *args, **kwargs)
        except (*FAILURES, LedgerUnusable, OSError):
            return await self.read(part, *args, **kwargs)

    async def give_way(self) -> None:
        """Return once nobody in another process waits to write, or has waited long enough."""
        for _ in range(_TURNS):
            if not self.database.is_awaited():
                return
            await asyncio.sleep(_TURN_SECONDS)

    async def close(self) -> None:
        """Finish what was handed in, and let go of every file."""
        await asyncio.get_running_loop().run_in_executor(None, self._writer.close)
        self._readers.shutdown()
        self._beside.shutdown()
        self._sharer.close()
        for connection in self._reading:
            connection.close()
        await asyncio.get_running_loop().run_in_executor(None, self.database.close)

    async def verified(self, known: Sequence[Checkpoint] = ()) -> Verified:
        """Return what a replay of the whole log finds; *known* are roots that were kept
        elsewhere."""
        return await self.read(verify, self._writer.mark(), known)

    async def read_proven(
        self,
        part: Callable[Concatenate[Transaction, Replay, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what *part* returned, as `read` does, of a ledger that verifies; it is given
        where the log leaves everybody at that moment.

        Raises: ProofBroken naming the first fault; *part* has not run then.
        """
        mark = self._writer.mark()

        def proven(tx: Transaction) -> T:
            found, replay = replayed(tx, mark)
            found.require()
            return part(tx, replay, *args, **kwargs)

        return await self.read(proven)

    async def checkpoint(self, *, patience: float = 30.0) -> None:
        """Leave nothing of deleted rows where the database can reach it.

        Raises: LedgerUnusable when somebody reads for longer than *patience*, in seconds.
        """

        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._readers, self.database.empty, patience)

    def _settle(self) -> None:
        """Hand out what the writer has done, in the event loop's thread."""
        while self._settled:
            future, result, failure = self._settled.popleft()
            if future.cancelled():
                continue
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _read(self, part: Callable[[Transaction], T]) -> T:
        with connect.translated():
            connection = getattr(self._local, "connection", None)
            if connection is not None:
                try:
                    return self._read_on(connection, part)
                except DatabaseFailed:
                    if self.database.usable(connection):
                        raise
                    self._reading.remove(connection)  # it was lost while nobody used it, or now
                    connection.close()
            connection = self._local.connection = self.database.connect(read_only=True)
            self._reading.append(connection)
            return self._read_on(connection, part)

    def _read_on(self, connection: Connection, part: Callable[[Transaction], T]) -> T:
        self.database.require_in_place()
        self.database.begin_reading(connection)
        try:
            return part(self._transaction(connection))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _transaction(self, connection: Connection) -> Transaction:
        database = self.database
        return Transaction(
            connection, self.vault, self.clock.now(), self._log_key, database.place, database
        )
