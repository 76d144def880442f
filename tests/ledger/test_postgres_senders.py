"""What keeps the senders of several machines apart: locks that a cut or a restart takes away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import closing

import pytest

from repermit.errors import LedgerAway
from repermit.ledger.database import DatabaseFailed
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.connection import PgConnection, connect, notice_cuts
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.postgres.locks import Session
from tests.postgres import again

pytestmark = pytest.mark.postgres
SOON = 30.0


@pytest.fixture
async def other(a_ledger: Ledger) -> AsyncIterator[Ledger]:
    """The same ledger as another process has it."""
    opened = Ledger.open(again(a_ledger.database), a_ledger.vault, a_ledger.clock)
    yield opened
    await opened.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.05)


def connected(ledger: Ledger) -> PgConnection:
    assert isinstance(ledger.database, PostgreSQL)
    return ledger.database.connect()


def restart(ledger: Ledger) -> None:
    """End every connection to the server, as its restart does."""
    with closing(connected(ledger)) as ours:
        ours.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND application_name = 'repermit'"
        )


async def test_a_lock_that_a_restart_took_away_is_taken_again(
    a_ledger: Ledger, other: Ledger
) -> None:
    lock = a_ledger.lock("sender-a")
    assert lock.acquire()
    await asyncio.to_thread(restart, a_ledger)
    await until(lambda: lock.is_held and not other.database.is_free("sender-a"))

    lock.release()
    assert other.database.is_free("sender-a")


async def test_a_lock_that_another_took_meanwhile_is_ours_again_once_they_let_go(
    a_ledger: Ledger, other: Ledger
) -> None:
    lock, theirs = a_ledger.lock("purge"), other.lock("purge")
    assert lock.acquire()
    assert not theirs.acquire()
    taken = False
    async with asyncio.timeout(SOON):
        while not taken:  # as soon as the session has ended, and before the next one
            await asyncio.to_thread(restart, a_ledger)
            taken = await asyncio.to_thread(theirs.acquire)
            if taken and lock.is_held:
                await until(lambda: not lock.is_held)
    assert not lock.is_held
    theirs.release()
    await until(lambda: lock.is_held)

    lock.release()


async def test_a_lock_is_let_go_of_also_when_its_session_is_lost(a_ledger: Ledger) -> None:
    lock = a_ledger.lock("sender-a")
    assert lock.acquire()
    await asyncio.to_thread(restart, a_ledger)
    lock.release()

    assert not lock.is_held
    assert a_ledger.database.is_free("sender-a")


async def test_a_connection_that_is_abandoned_gives_no_sign_of_life(a_ledger: Ledger) -> None:
    opened = await asyncio.to_thread(connected, a_ledger)
    opened.ping()
    opened.abandon()

    assert opened.is_closed
    with pytest.raises(DatabaseFailed):
        opened.ping()
    opened.close()


def test_a_way_to_another_machine_is_watched() -> None:
    with socket.socket() as far, socket.socket(socket.AF_UNIX) as near:
        notice_cuts(far)
        notice_cuts(near)
        notice_cuts(None)
        watched = far.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert (watched, far.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) == (20_000, 1)


def test_where_there_is_no_database_there_is_no_lock() -> None:
    session = Session(lambda: connect("postgresql://postgres@/postgres?host=/nowhere"))
    with pytest.raises(LedgerAway, match="not there"):
        session.acquire("purge")
    assert not session.holds("purge")
    session.close()


async def test_a_lock_is_taken_and_let_go_of_once(a_ledger: Ledger, other: Ledger) -> None:
    lock = a_ledger.lock("purge")
    assert lock.acquire()
    assert not a_ledger.lock("purge").acquire()
    lock.release()
    lock.release()

    assert other.lock("purge").acquire()
    other.lock("purge").release()


async def test_a_lock_whose_session_is_not_there_any_more_is_let_go_of_without_it(
    a_ledger: Ledger,
) -> None:
    assert isinstance(a_ledger.database, PostgreSQL)
    opened: list[PgConnection] = []

    def connected_once() -> PgConnection:
        opened.append(connected(a_ledger))
        return opened[-1]

    session = Session(connected_once)
    assert await asyncio.to_thread(session.acquire, "purge")
    opened[0].abandon()
    await asyncio.to_thread(session.release, "purge")
    await asyncio.to_thread(session.close)

    assert len(opened) == 1
