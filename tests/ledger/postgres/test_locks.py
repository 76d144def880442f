"""Locks that end with their process, on whichever machine that is."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from repermit.errors import LedgerUnusable
from repermit.ledger.postgres.engine import PostgreSQL
from tests.databases import another, end_sessions_with_locks
from tests.ledger.postgres.way import Way

pytestmark = pytest.mark.postgres
PATIENCE = 30.0
_HOLDS = """
import sys, time
from pathlib import Path
from repermit.ledger.postgres.engine import PostgreSQL
database = PostgreSQL(sys.argv[1], Path("ledger.db"))
assert database.lock("sender-7").acquire()
print(flush=True)
time.sleep(600)
"""


@pytest.fixture
def other(a_server: PostgreSQL) -> Iterator[PostgreSQL]:
    """The same database as another process has it."""
    database = another(a_server)
    assert isinstance(database, PostgreSQL)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, a_server: PostgreSQL) -> Iterator[None]:
    """A lost session is noticed soon."""
    monkeypatch.setattr("repermit.ledger.postgres.locks.PING_SECONDS", 0.05)
    yield
    a_server.close()


def until(is_so: Callable[[], object]) -> None:
    """Wait for that."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_lock_is_held_by_one(a_server: PostgreSQL, other: PostgreSQL) -> None:
    ours, theirs = a_server.lock("purge"), other.lock("purge")

    assert ours.acquire()
    assert (ours.is_held, theirs.is_held) == (True, False)
    assert not theirs.acquire()
    assert not ours.acquire()  # also in one process it is held once
    assert (other.is_free("purge"), other.is_free("sender-1")) == (False, True)
    ours.release()
    ours.release()
    assert theirs.acquire()
    assert not ours.is_held


def test_those_of_one_kind_are_counted(a_server: PostgreSQL, other: PostgreSQL) -> None:
    assert other.holders("sender") == 0
    for database, name in ((a_server, "sender-1"), (a_server, "sender-2"), (other, "sender-3")):
        assert database.lock(name).acquire()
    assert a_server.lock("purge").acquire()

    assert (a_server.holders("sender"), other.holders("sender")) == (3, 3)


def test_a_ledger_in_another_schema_has_locks_of_its_own(
    a_server: PostgreSQL, a_schema: str
) -> None:
    elsewhere = PostgreSQL(a_schema, a_server.place)
    assert a_server.lock("purge").acquire()

    assert elsewhere.is_free("purge")
    assert elsewhere.lock("purge").acquire()
    elsewhere.close()


def test_a_lock_ends_with_its_process(a_server: PostgreSQL) -> None:
    process = subprocess.Popen([sys.executable, "-c", _HOLDS, a_server.url], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert (a_server.is_free("sender-7"), a_server.holders("sender")) == (False, 1)
    process.kill()
    process.wait()
    process.stdout.close()

    until(lambda: a_server.is_free("sender-7"))
    assert a_server.lock("sender-7").acquire()


def test_a_lock_whose_session_was_ended_is_taken_again(
    a_server: PostgreSQL, other: PostgreSQL
) -> None:
    lock = a_server.lock("sender-1")
    assert lock.acquire()
    end_sessions_with_locks(a_server)

    until(lambda: not other.is_free("sender-1") and lock.is_held)
    assert not other.lock("sender-1").acquire()
    lock.release()
    assert other.lock("sender-1").acquire()


def test_a_lock_that_another_took_meanwhile_is_lost(
    a_server: PostgreSQL, a_way: Way, other: PostgreSQL
) -> None:
    far = PostgreSQL(a_way.through, a_server.place)
    lock, kept = far.lock("sender-1"), far.lock("sender-2")
    assert lock.acquire()
    assert kept.acquire()
    a_way.closed = True
    a_way.cut_all()
    taken = other.lock("sender-1")
    until(taken.acquire)
    until(lambda: not lock.is_held)
    assert not kept.is_held  # nobody can say
    a_way.closed = False

    until(lambda: kept.is_held)
    assert not lock.is_held
    lock.release()
    assert taken.is_held
    assert not other.is_free("sender-1")
    far.close()


def test_without_a_database_no_lock_is_to_be_had(
    a_server: PostgreSQL, a_way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repermit.ledger.postgres.locks.BUSY_SECONDS", 0.1)
    a_way.closed = True
    far = PostgreSQL(a_way.through, a_server.place)

    with pytest.raises(LedgerUnusable, match="not there"):
        far.lock("purge").acquire()
    far.close()


def test_the_first_lock_waits_for_a_database_that_is_away(a_server: PostgreSQL, a_way: Way) -> None:
    a_way.closed = True
    far = PostgreSQL(a_way.through, a_server.place)

    def open_the_way() -> None:
        a_way.closed = False

    opening = threading.Timer(0.3, open_the_way)
    opening.start()
    assert far.lock("purge").acquire()
    opening.join()
    assert not a_server.is_free("purge")
    far.close()


def test_closing_twice_lets_go_once(a_server: PostgreSQL) -> None:
    database = another(a_server)
    assert database.lock("purge").acquire()
    database.close()
    database.close()

    assert a_server.is_free("purge")
