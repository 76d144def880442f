"""Locks that end with their process: advisory locks of a session that each process has for them.

They end when the server notices that the machine is gone. A process that lost its session (the
server was restarted, the network was cut) takes its locks again with the next one; whoever took one
of them meanwhile has it.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from repermit.errors import RepermitError
from repermit.ledger.connect import translate
from repermit.ledger.database import BUSY_SECONDS, DatabaseFailed
from repermit.ledger.postgres.connection import PgConnection

T = TypeVar("T")
PING_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.5
_SURE_SECONDS: Final = 10.0  # after the last word of the server nobody knows whose a lock is
_HELD = (
    "SELECT count(DISTINCT objid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND objsubid = 2 AND classid = $1"
)


class Session:
    """The session of this process for its locks; asked for by any thread."""

    def __init__(self, connect: Callable[[], PgConnection]) -> None:
        self._connect = connect
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="ledger-locks")
        self._connection: PgConnection | None = None
        self._schema = ""
        self._held: set[str] = set()  # names that we want to hold
        self._lost: set[str] = set()  # of those, what somebody else has, or nobody can say
        self._heard_at = 0.0  # when the server last said that the session is there
        self._ended = threading.Event()
        self._pinging: threading.Thread | None = None

    def acquire(self, name: str) -> bool:
        """Return whether the lock of that name is now ours."""
        return self._do(lambda: self._acquired(name))

    def release(self, name: str) -> None:
        """Let go of it."""
        self._do(lambda: self._released(name))

    def holds(self, name: str) -> bool:
        """Return whether it is still ours, as far as is known: the server lets go of a session
        that it hears nothing of."""
        is_sure = time.monotonic() - self._heard_at < _SURE_SECONDS
        return is_sure and name in self._held and name not in self._lost

    def is_free(self, name: str) -> bool:
        """Return whether no living process holds it."""

        def held() -> int:
            opened = self._there()
            return int(opened.query(f"{_HELD} AND objid = $2", *self._key(name))[0][0])

        return not self._do(held)

    def count(self, prefix: str) -> int:
        """Return how many locks whose name begins so are held."""

        def held() -> int:
            opened = self._there()
            return int(opened.query(_HELD, self._key(prefix)[0])[0][0])

        return self._do(held)

    def close(self) -> None:
        """Let go of all of them."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._pinging is not None:
            self._pinging.join()

        def end() -> None:
            if self._connection is not None:
                self._connection.close()

        self._worker.submit(end).result()
        self._worker.shutdown()

    def _do(self, work: Callable[[], T]) -> T:
        """Return what *work* returned; the first session waits a while for a database that is away
        or has no room for it, as every other connection does."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._worker.submit(self._done, work).result()
            except DatabaseFailed as failure:
                was_there = self._connection is not None
                if was_there or not failure.is_away or time.monotonic() > until:
                    raise translate(failure) from failure
            time.sleep(_AGAIN_SECONDS)

    def _done(self, work: Callable[[], T]) -> T:
        """Return what *work* returned, over another session when this one was lost meanwhile."""
        try:
            return work()
        except DatabaseFailed:
            if self._connection is None or not self._connection.is_closed:
                raise
        return work()

    def _there(self) -> PgConnection:
        """Return the session, a new one with the same locks if it was lost."""
        if self._connection is not None and not self._connection.is_closed:
            return self._connection
        self._lost = set(self._held)
        if self._connection is not None:
            self._connection.close()
        self._connection = opened = self._connect()
        self._schema = opened.query("SELECT current_schema()")[0][0]
        self._take_again(opened)
        if self._pinging is None:
            self._pinging = threading.Thread(target=self._ping, name="ledger-ping", daemon=True)
            self._pinging.start()
        return opened

    def _take_again(self, opened: PgConnection) -> None:
        """Take the locks that were lost, but for those that others have."""
        self._lost -= {name for name in self._lost if _locked(opened, *self._key(name))}
        self._heard_at = time.monotonic()

    def _acquired(self, name: str) -> bool:
        if name in self._held:
            return False
        opened = self._there()
        if not _locked(opened, *self._key(name)):
            return False
        self._held.add(name)
        return True

    def _released(self, name: str) -> None:
        if name not in self._held:
            return
        self._held.discard(name)
        opened = self._connection
        if name not in self._lost and opened is not None and not opened.is_closed:
            with suppress(DatabaseFailed):  # then it ends with the session
                opened.query("SELECT pg_advisory_unlock($1, $2)", *_signed(*self._key(name)))
        self._lost.discard(name)

    def _ping(self) -> None:
        """Look again and again whether the session is there, and have another if it is not."""
        while not self._ended.wait(PING_SECONDS):
            try:
                self._worker.submit(self._asked).result()
            except (DatabaseFailed, RepermitError):
                continue  # who asks sees that they are lost

    def _asked(self) -> None:
        """Ask the server for a sign of life; a session that gives none is left."""
        opened = self._there()
        try:
            opened.ping()
        except DatabaseFailed:
            opened.abandon()
            self._lost = set(self._held)
            raise
        self._take_again(opened)

    def _key(self, name: str) -> tuple[int, int]:
        """Return the key of the lock of that name: of its kind, and its own. Ledgers in other
        schemas of the same database have others."""
        kind = name.partition("-")[0]
        return self._number(kind), self._number(name)

    def _number(self, text: str) -> int:
        return zlib.crc32(f"repermit {self._schema} {text}".encode())


class Lock:
    """One lock of this process."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name

    @property
    def is_held(self) -> bool:
        """Return whether the lock is still ours."""
        return self._session.holds(self._name)

    def acquire(self) -> bool:
        """Return whether the lock is now ours; False when another holds it.

        Raises: LedgerUnusable when the database is not there.
        """
        return self._session.acquire(self._name)

    def release(self) -> None:
        """Let go of the lock."""
        self._session.release(self._name)


def _locked(opened: PgConnection, kind: int, name: int) -> bool:
    found = opened.query("SELECT pg_try_advisory_lock($1, $2)", *_signed(kind, name))
    return bool(found[0][0])


def _signed(*numbers: int) -> tuple[int, ...]:
    """Return unsigned numbers of 32 bits as PostgreSQL takes them."""
    return tuple(one - (1 << 32) if one >= 1 << 31 else one for one in numbers)
