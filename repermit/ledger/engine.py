"""Opens the ledger, and runs transactions on it: one writer thread, a few readers.

What callers hand to `write` at the same time shares one BEGIN IMMEDIATE and one COMMIT, so that
durability costs one sync for many mails; each part has its own savepoint, and one that fails
takes nobody else's with it. A part is a plain function of a `Transaction`.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from repermit.domain.clock import Clock
from repermit.errors import LedgerUnusable, RepermitError
from repermit.ledger import connect
from repermit.ledger.log import Kind
from repermit.ledger.mark import Mark, MarkFile, Point
from repermit.ledger.merkle import Frontier
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.ledger.verify import Verified, verify

P = ParamSpec("P")
T = TypeVar("T")
_READERS = 4
_GROUP = 256  # parts that share a commit at the most
_GROUP_SECONDS = 0.05  # after this a group commits, so that no answer waits


@dataclass
class _Part:
    run: Callable[[Transaction], Any]
    done: Callable[[Any, BaseException | None], None]


class Ledger:
    """The database of one campaign."""

    def __init__(self, path: Path, vault: Vault, clock: Clock, mark: Path) -> None:
        self.path, self.vault, self.clock = path, vault, clock
        self._mark = MarkFile(mark)
        self._parts: queue.SimpleQueue[_Part | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="ledger-reader")
        self._local = threading.local()
        self._reading: list[sqlite3.Connection] = []
        self._writer = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._log_key = b""
        self._file: os.stat_result  # SQLite writes on, unseen, when the file is moved away
        self._accepted: Transaction | None = None  # in which a copy became the campaign's again

    @classmethod
    def open(
        cls,
        path: Path,
        vault: Vault,
        clock: Clock,
        *,
        create: bool = False,
        mark: Path | None = None,
    ) -> Ledger:
        """Return the ledger at *path*, checked; with *create* a new one if there is none.

        *mark* is for a copy that is thrown away: it leaves the mark of the key folder alone.

        Raises: LedgerUnusable when it is missing, damaged, newer than this release, or of
        another campaign than the key folder.
        """
        ledger = cls(path, vault, clock, mark or vault.keys.mark)
        connect.prepare(path, clock, vault, create=create)
        with connect.translated():
            connection = connect.connection(path)
            row = connection.execute("SELECT log_key FROM campaign").fetchone()
            connection.close()
            ledger._file = path.stat()
        ledger._log_key = row[0]
        ledger._writer.start()
        return ledger

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

        def settle(result: Any, failure: BaseException | None) -> None:
            if future.cancelled():
                return
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

        def done(result: Any, failure: BaseException | None) -> None:
            loop.call_soon_threadsafe(settle, result, failure)

        self._parts.put(_Part(lambda tx: part(tx, *args, **kwargs), done))
        return await future

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

    async def close(self) -> None:
        """Finish what was handed in, and let go of every file."""
        self._parts.put(None)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._writer.join)
        self._readers.shutdown()
        for connection in self._reading:
            connection.close()
        self._mark.close()

    def older_copy(self, tx: Transaction) -> bool:
        """Return whether this ledger is behind the mark: a copy from before was put back."""
        mark = self._mark.read()
        behind = mark is not None and not mark.covers(_point(tx))
        return behind or bool(tx.value("SELECT older_copy FROM campaign"))

    def accept_copy(self, tx: Transaction) -> None:
        """Let this ledger be the campaign's again, whatever the mark said.

        Crash: the mark goes first, and the ledger still says that it is an older copy.
        """
        point = _point(tx)
        self._mark.write(Mark(committed=point, intended=point))
        self._accepted = tx
        tx.run("UPDATE campaign SET older_copy = 0")
        tx.log.append(Kind.RESTORED, {"size": point.size}, now=tx.now)

    async def verified(self) -> Verified:
        """Return what a replay of the whole log finds."""
        return await self.read(verify, self._mark.read())

    async def checkpoint(self) -> None:
        """Move what the write-ahead log holds into the ledger's file, and empty it."""

        def truncate() -> None:
            with connect.translated(), closing(connect.connection(self.path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        await asyncio.get_running_loop().run_in_executor(self._readers, truncate)

    def _read(self, part: Callable[[Transaction], T]) -> T:
        with connect.translated():
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = connect.connection(self.path, read_only=True)
                self._local.connection = connection
                self._reading.append(connection)
            connection.execute("BEGIN")
            tx = self._transaction(connection)
            try:
                result = part(tx)
                tx.close()
            finally:
                tx.discard()
                connection.execute("ROLLBACK")
            return result

    def _transaction(self, connection: sqlite3.Connection) -> Transaction:
        return Transaction(connection, self.vault, self.clock.now(), self._log_key)

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        while (part := self._parts.get()) is not None:
            group = [part, *self._waiting()]
            try:
                if connection is None:
                    with connect.translated():
                        connection = connect.connection(self.path)
                self._commit(connection, group)
            except BaseException as failure:  # noqa: BLE001 - each caller gets it, none may hang
                if connection is not None and connection.in_transaction:
                    connection.execute("ROLLBACK")
                for each in group:
                    each.done(None, failure)
        if connection is not None:
            self._confirm_mark(connection)
            connection.close()

    def _confirm_mark(self, connection: sqlite3.Connection) -> None:
        """After a clean end the mark says exactly where the log stands."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            tx = self._transaction(connection)
            if not self.older_copy(tx):
                self._mark.write(Mark(committed=_point(tx), intended=_point(tx)))
            connection.execute("ROLLBACK")
        except (sqlite3.Error, OSError, RepermitError):
            return  # the mark that stands covers this ledger too

    def _waiting(self) -> list[_Part]:
        """Return what else was handed in meanwhile, up to a group's size."""
        waiting: list[_Part] = []
        while len(waiting) < _GROUP:
            try:
                part = self._parts.get_nowait()
            except queue.Empty:
                break
            if part is None:
                self._parts.put(None)
                break
            waiting.append(part)
        return waiting

    def _commit(self, connection: sqlite3.Connection, group: list[_Part]) -> None:
        """Run the parts of *group* and commit them; those that time left over come next."""
        while group:
            outcomes: list[tuple[_Part, Any, BaseException | None]] = []
            try:
                with connect.translated():
                    self._run_group(connection, group, outcomes)
            except BaseException:  # nothing of the group is there: each of them is to know
                group[:0] = [part for part, _, _ in outcomes]
                raise
            for part, result, failure in outcomes:
                part.done(result, failure)

    def _run_group(
        self,
        connection: sqlite3.Connection,
        group: list[_Part],
        outcomes: list[tuple[_Part, Any, BaseException | None]],
    ) -> None:
        """Commit parts of *group*, moving each to *outcomes*, until their time is up."""
        if not os.path.samestat(self._file, self.path.stat()):
            raise LedgerUnusable(
                "the ledger was replaced while it was in use",
                hint="end every repermit command and start again; this change was not made",
            )
        connection.execute("BEGIN IMMEDIATE")
        tx = self._transaction(connection)
        before, started = _point(tx), time.monotonic()
        while group and (not outcomes or time.monotonic() - started < _GROUP_SECONDS):
            outcomes.append((group[0], *_savepoint(tx, group[0].run)))
            group.pop(0)
        tx.log.flush(now=tx.now)
        after = _point(tx)
        if after.size != before.size:
            self._set_mark(tx, before, after)
        connection.execute("COMMIT")

    def _set_mark(self, tx: Transaction, before: Point, after: Point) -> None:
        """Sync the mark ahead of the commit; an older copy is noted as one, and leaves it alone."""
        mark = self._mark.read()
        behind = mark is not None and not mark.covers(before)
        if self._accepted is tx or not (behind or tx.value("SELECT older_copy FROM campaign")):
            self._mark.write(Mark(committed=before, intended=after))
        else:
            tx.run("UPDATE campaign SET older_copy = 1")


def _savepoint(
    tx: Transaction, run: Callable[[Transaction], Any]
) -> tuple[Any, BaseException | None]:
    """Return what *run* returned or raised; when it raised, nothing of it remains."""
    noted = tx.log.noted()
    tx.run("SAVEPOINT part")
    try:
        result = run(tx)
        tx.close()
    except BaseException as failure:
        tx.discard()
        if not tx.connection.in_transaction:  # a full disk ended it, with the whole group
            raise
        tx.run("ROLLBACK TO part")
        tx.run("RELEASE part")
        tx.log.take_back(noted)
        return None, connect.translate(failure)
    tx.run("RELEASE part")
    return result, None


def _point(tx: Transaction) -> Point:
    size, frontier = tx.one("SELECT size, frontier FROM log_head WHERE id = 1")
    return Point(size, Frontier.from_bytes(size, frontier).root())
