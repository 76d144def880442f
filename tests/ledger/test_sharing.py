"""Short transactions that several machines have at the same time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta

import pytest

from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Standing
from repermit.errors import ChangeUnknown, LedgerUnusable
from repermit.ledger.database import Connection
from repermit.ledger.engine import Ledger
from repermit.ledger.log import Kind
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.store import bucket, sending, waves
from repermit.ledger.transaction import Transaction
from tests.builders import EVERYTHING, NOW, admit
from tests.postgres import InTime, again

PEOPLE = [f"r{number}@voorbeeld.example" for number in range(6)]


@pytest.fixture
async def other(a_ledger: Ledger) -> AsyncIterator[Ledger]:
    """The same ledger as another process has it."""
    opened = Ledger.open(again(a_ledger.database), a_ledger.vault, a_ledger.clock)
    yield opened
    await opened.close()


def reserved(tx: Transaction, owner: str, limit: int) -> list[int]:
    rows = sending.reserve(tx, owner, approved_size=EVERYTHING, limit=limit, caps=NO_CAPS)
    return [row.id for row in rows]


class Pause:
    """Lets a part wait in the middle of its transaction."""

    def __init__(self) -> None:
        self.reached, self.over = threading.Event(), threading.Event()

    def after(self, tx: Transaction, owner: str, limit: int) -> list[int]:
        found = reserved(tx, owner, limit)
        self.reached.set()
        assert self.over.wait(30)
        return found


@pytest.mark.postgres
@pytest.mark.parametrize("is_drawn", [False, True])
async def test_two_machines_reserve_at_the_same_time_and_never_the_same_row(
    a_ledger: Ledger, other: Ledger, *, is_drawn: bool
) -> None:
    ids = await admit(a_ledger, *PEOPLE)
    if is_drawn:
        begin = {"step": 0, "size": 6, "drawn": ids, "expected_bounces": 0}
        await a_ledger.write(lambda tx: waves.begin(tx, 1, **begin))  # type: ignore[arg-type]
    pause = Pause()
    first = asyncio.create_task(a_ledger.share(pause.after, "first", 4))
    await asyncio.to_thread(pause.reached.wait, 30)
    second = await other.share(reserved, "second", 6)
    written = await other.write(lambda tx: tx.value("SELECT count(*) FROM recipient"))
    pause.over.set()

    assert (len(second), written) == (2, 6)
    assert sorted([*await first, *second]) == ids


@pytest.mark.postgres
async def test_what_another_changes_at_this_moment_is_not_waited_for(
    a_ledger: Ledger, other: Ledger
) -> None:
    one, two = await admit(a_ledger, *PEOPLE[:2])
    assert set(await a_ledger.share(reserved, "sender", 2)) == {one, two}
    reached, over = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        tx.run("UPDATE recipient SET country = 'NL' WHERE id = ?", one)
        reached.set()
        assert over.wait(30)

    holding = asyncio.create_task(other.write(hold))
    await asyncio.to_thread(reached.wait, 30)
    assert await a_ledger.share(sending.release, "sender") == 1
    over.set()
    await holding

    assert await a_ledger.share(sending.release, "sender") == 1


@pytest.mark.parametrize("does", ["appends", "moves"])
async def test_who_shares_the_ledger_must_not_touch_its_log(a_ledger: Ledger, does: str) -> None:
    def part(tx: Transaction) -> None:
        if does == "appends":
            tx.log.append(Kind.PAUSED, {}, now=tx.now)
        tx.log.moved([1], Standing.LISTED)

    before = await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head"))
    with pytest.raises(RuntimeError, match="shares the ledger"):
        await a_ledger.share(part)
    assert await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head")) == before
    await admit(a_ledger, *PEOPLE)
    assert len(await a_ledger.share(reserved, "sender", 9)) == 6


def cut(ledger: Ledger) -> None:
    """End every other connection to the database, as a restart of the server does."""
    assert isinstance(ledger.database, PostgreSQL)
    with closing(ledger.database.connect()) as ours:
        ours.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND application_name = 'repermit'"
        )


@pytest.mark.postgres
async def test_a_connection_that_was_lost_meanwhile_is_replaced(a_ledger: Ledger) -> None:
    await admit(a_ledger, *PEOPLE)
    assert len(await a_ledger.share(reserved, "sender", 2)) == 2
    cut(a_ledger)

    assert len(await a_ledger.share(reserved, "sender", 9)) == 4


@pytest.mark.postgres
async def test_of_a_part_whose_connection_is_lost_nothing_is_there(a_ledger: Ledger) -> None:
    ids = await admit(a_ledger, *PEOPLE)

    def lost(tx: Transaction) -> None:
        reserved(tx, "sender", 9)
        cut(a_ledger)
        tx.value("SELECT 1")

    with pytest.raises(LedgerUnusable, match="not there"):
        await a_ledger.share(lost)
    assert sorted(await a_ledger.share(reserved, "other", 9)) == ids


async def test_leases_go_by_the_clock_that_all_machines_have(a_ledger: Ledger) -> None:
    connection = a_ledger.database.connect()
    tx = Transaction(connection, a_ledger.vault, NOW, b"", a_ledger.path)
    assert (tx.moment, tx.is_shared) == (NOW, False)
    shared = Transaction(
        connection, a_ledger.vault, NOW - timedelta(days=1), b"", a_ledger.path, a_ledger.database
    )
    is_shared = a_ledger.database.is_shared
    assert shared.moment == (NOW if is_shared else NOW - timedelta(days=1))
    assert shared.is_shared == is_shared
    connection.close()


@pytest.mark.postgres
async def test_the_clock_of_a_shared_ledger_is_that_of_the_database(a_ledger: Ledger) -> None:
    connection = a_ledger.database.connect()
    assert isinstance(a_ledger.database, InTime)
    first = PostgreSQL.moment(a_ledger.database, connection, NOW)
    second = PostgreSQL.moment(a_ledger.database, connection, NOW)
    connection.close()

    assert timedelta() < second - first < timedelta(seconds=30)


@pytest.mark.postgres
async def test_turns_of_two_machines_come_one_after_the_other(
    a_ledger: Ledger, other: Ledger
) -> None:
    gap = timedelta(seconds=100)
    first = await a_ledger.share(bucket.take, 3, gap)
    second = await other.share(bucket.take, 1, gap)

    assert abs(first) < timedelta(seconds=30)
    assert 3 * gap - timedelta(seconds=60) < second <= 3 * gap


@pytest.mark.postgres
async def test_turns_that_nobody_took_are_not_made_up_for(a_ledger: Ledger) -> None:
    gap = timedelta(microseconds=1)
    await a_ledger.share(bucket.take, 1, gap)
    await asyncio.sleep(0.1)

    assert await a_ledger.share(bucket.take, 1, gap) >= -bucket.SLACK - timedelta(seconds=0.05)


class Unsure(InTime):
    """A database that is lost over a commit."""

    def commit(self, connection: Connection) -> None:
        super().commit(connection)
        raise ChangeUnknown("nobody knows", hint="look")


@pytest.mark.postgres
async def test_a_commit_of_which_nobody_knows_is_told_as_such(a_ledger: Ledger) -> None:
    assert isinstance(a_ledger.database, InTime)
    a_ledger.database.__class__ = Unsure
    with pytest.raises(ChangeUnknown):
        await a_ledger.share(reserved, "sender", 1)
    a_ledger.database.__class__ = InTime
