"""The one writer of a ledger: a thread that runs what is handed in, in groups.

What is handed in at the same time shares one BEGIN IMMEDIATE and one COMMIT, so that durability
costs one sync for many mails; each part has its own savepoint, and one that fails takes nobody
else's with it. The mark is synced ahead of each commit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from repermit.errors import LedgerUnusable, RepermitError
from repermit.ledger import connect
from repermit.ledger.database import FAILURES, Connection, Database, DatabaseFailed
from repermit.ledger.log import Kind
from repermit.ledger.mark import Mark, MarkFile, Point
from repermit.ledger.merkle import Frontier
from repermit.ledger.transaction import Transaction

_GROUP = 256  # parts that share a commit at the most
_GROUP_SECONDS = 0.05  # after this a group commits, so that no answer waits
# Ids that are left out where nobody knows how many were given since: a link that went to one person
# must never lead to another.
LEFT_OUT = 10_000_000

Begin = Callable[[Connection], Transaction]
Done = Callable[[Any, BaseException | None], None]


@dataclass
class _Part:
    run: Callable[[Transaction], Any]
    done: Done


class Writer:
    """Runs parts of transactions in a thread of its own, and makes them durable in groups."""

    def __init__(self, database: Database, mark: Path, begin: Begin) -> None:
        self._database, self._mark, self._begin = database, MarkFile(mark), begin
        self._connection: Connection | None = None
        self._parts: queue.SimpleQueue[_Part | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._thread.start()

    def put(self, run: Callable[[Transaction], Any], done: Done) -> None:
        """Hand in a part; *done* is called, in the writer's thread, with what it returned once
        that is durable, or with what it or the commit raised."""
        self._parts.put(_Part(run, done))

    def close(self) -> None:
        """Finish what was handed in, and let go of every file."""
        self._parts.put(None)
        self._thread.join()
        self._mark.close()

    def mark(self) -> Mark | None:
        """Return the mark as it stands. Raises: KeysUnusable when it cannot be read."""
        return self._mark.read()

    def older_copy(self, tx: Transaction) -> bool:
        """Return whether this ledger is behind the mark: a copy from before was put back."""
        mark = self._mark.read()  # first: the ledger may go on meanwhile
        known = self._is_known(tx, mark, _point(tx))
        return not known or bool(tx.value("SELECT older_copy FROM campaign"))

    def accept_copy(self, tx: Transaction) -> None:
        """Let this ledger be the campaign's again, whatever the mark said.

        Ids of recipients go on after the last one that the mark knows was given, so that no old
        link leads to somebody else; some are left out where other machines may have given more.
        Their marks are of a ledger that is no more: they know it by how often this was done.
        Crash: the older copy stays one.
        """
        point = _point(tx)
        mark = self._mark.read() or Mark(point, point)
        following, accepted = _counters(tx)
        given = max(mark.next_recipient, following) + (LEFT_OUT if tx.is_shared else 0)
        tx.run(
            "UPDATE campaign SET older_copy = FALSE, next_recipient = ?, accepted = ?",
            *(given, max(mark.accepted, accepted) + 1),
        )
        tx.log.append(Kind.RESTORED, {"size": point.size}, now=tx.now)

    def _serve(self) -> None:
        while (part := self._parts.get()) is not None:
            group = [part, *self._waiting()]
            try:
                self._commit(group)
            except BaseException as failure:  # noqa: BLE001 - each caller gets it, none may hang
                self._leave()
                for each in group:
                    each.done(None, failure)
        if self._connection is not None:
            self._confirm_mark(self._connection)
            self._connection.close()

    def _leave(self) -> None:
        """Leave the transaction that is open, and the connection too when it is lost."""
        connection = self._connection
        if connection is not None and connection.in_transaction:
            with suppress(DatabaseFailed):  # then it is lost, and its transaction with it
                connection.execute("ROLLBACK")
        if connection is not None and not self._database.usable(connection):
            self._connection = None
            connection.close()

    def _confirm_mark(self, connection: Connection) -> None:
        """After a clean end the mark says exactly where the log stands."""
        try:
            self._database.begin(connection)
            tx = self._begin(connection)
            if not self.older_copy(tx):
                point = _point(tx)
                self._mark.write(Mark(point, point, *_counters(tx)))
            connection.execute("ROLLBACK")
        except (*FAILURES, OSError, RepermitError):
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

    def _commit(self, group: list[_Part]) -> None:
        """Run the parts of *group* and commit them; those that time left over come next."""
        while group:
            outcomes: list[tuple[_Part, Any, BaseException | None]] = []
            try:
                with connect.translated():
                    self._run_group(self._begun(), group, outcomes)
            except BaseException:  # nothing of the group is there: each of them is to know
                group[:0] = [part for part, _, _ in outcomes]
                raise
            for part, result, failure in outcomes:
                part.done(result, failure)

    def _begun(self) -> Connection:
        """Return the connection with a transaction that may write, another one when it was lost
        since the last group."""
        self._database.require_in_place()
        if self._connection is not None:
            try:
                self._database.begin(self._connection)
            except DatabaseFailed:
                self._leave()
                if self._connection is not None:
                    raise
            else:
                return self._connection
        self._connection = connection = self._database.connect()
        self._database.begin(connection)
        return connection

    def _run_group(
        self,
        connection: Connection,
        group: list[_Part],
        outcomes: list[tuple[_Part, Any, BaseException | None]],
    ) -> None:
        """Commit parts of *group*, moving each to *outcomes*, until their time is up."""
        tx = self._begin(connection)
        before, started = _point(tx), time.monotonic()
        self._note_older_copy(tx, before)
        while group and (not outcomes or time.monotonic() - started < _GROUP_SECONDS):
            outcomes.append((group[0], *_savepoint(tx, group[0].run)))
            group.pop(0)
        tx.log.flush(now=tx.now)
        after, counters = _point(tx), _counters(tx)
        marks = (tx.marks or after.size != before.size) and self._set_mark(tx, before, after)
        self._database.commit(connection)
        if marks:
            with suppress(OSError):  # the mark that was synced before covers this ledger, too
                self._mark.write(Mark(after, after, *counters), sync=False)

    def _is_known(self, tx: Transaction, mark: Mark | None, ledger: Point) -> bool:
        """Return whether the ledger, which stands at *ledger*, is as new as *mark*; without one,
        only a ledger in which nothing has happened yet is: the mark may be lost, or older than it.

        What this machine was about to write when it was killed may stand in no ledger, and another
        machine has written something else in its place: then what was known to be committed is
        still the beginning of the log. And an older copy may have been accepted on another machine
        since the mark was written here.
        """
        if mark is None:
            return ledger.size <= 1
        if mark.covers(ledger) or self._was_accepted_elsewhere(tx, mark):
            return True
        may_have_gone_on = mark.committed.size < ledger.size <= mark.intended.size
        return (
            self._database.is_shared
            and may_have_gone_on
            and _root_at(tx, mark.committed.size) == mark.committed.root
        )

    def _was_accepted_elsewhere(self, tx: Transaction, mark: Mark) -> bool:
        return self._database.is_shared and _counters(tx)[1] > mark.accepted

    def _note_older_copy(self, tx: Transaction, before: Point) -> None:
        """Note in a ledger that is behind its mark that it is, so that no part takes it for the
        present one: a copy can be put back while it is in use."""
        mark = self._mark.read()
        if not self._is_known(tx, mark, before):
            tx.run("UPDATE campaign SET older_copy = TRUE")
        elif mark is not None and not mark.covers(before):
            tx.marks = True  # it is to be the mark of this ledger

    def _set_mark(self, tx: Transaction, before: Point, after: Point) -> bool:
        """Sync the mark ahead of the commit, and return True; an older copy leaves it alone."""
        if tx.value("SELECT older_copy FROM campaign"):
            return False
        self._mark.write(Mark(before, after, *_counters(tx)))
        return True


def _savepoint(
    tx: Transaction, run: Callable[[Transaction], Any]
) -> tuple[Any, BaseException | None]:
    """Return what *run* returned or raised; when it raised, nothing of it remains."""
    noted = tx.log.noted()
    tx.run("SAVEPOINT part")
    try:
        result = run(tx)
    except BaseException as failure:
        if not tx.connection.in_transaction:  # a full disk ended it, with the whole group
            raise
        tx.run("ROLLBACK TO part")
        tx.run("RELEASE part")
        tx.log.take_back(noted)
        return None, connect.translate(failure)
    tx.run("RELEASE part")
    return result, None


def _root_at(tx: Transaction, size: int) -> bytes:
    """Return the root that the log had at that size."""
    frontier = Frontier()
    for (hashed,) in tx.connection.execute(
        'SELECT hash FROM log ORDER BY "index" LIMIT ?', (size,)
    ):
        frontier = frontier.with_leaf(hashed)
    return frontier.root()


def _counters(tx: Transaction) -> tuple[int, int]:
    """Return the next id of a recipient, and how often an older copy was accepted."""
    with _altered():
        following, accepted = tx.one("SELECT next_recipient, accepted FROM campaign")
        return int(following), int(accepted)


def _point(tx: Transaction) -> Point:
    with _altered():
        return _point_at(*tx.one("SELECT size, frontier FROM log_head WHERE id = 1"))


@contextmanager
def _altered() -> Iterator[None]:
    """Raise LedgerUnusable for a value that no command writes there."""
    try:
        yield
    except (AttributeError, TypeError, ValueError) as failure:
        raise LedgerUnusable(
            "the head of the log, or its count of ids, was altered",
            hint="`repermit proof verify` names it; put back the newest backup",
        ) from failure


@lru_cache(maxsize=4)  # where one group ends the next one begins
def _point_at(size: int, frontier: bytes) -> Point:
    return Point(size, Frontier.from_bytes(size, frontier).root())
