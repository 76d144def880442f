"""A way to the database that is cut: what was confirmed is there, and nothing is there twice."""

import asyncio
from typing import Any

import pytest

from repermit.errors import LedgerUnusable
from repermit.ledger.database import DatabaseFailed
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.connection import connect
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.store import campaign
from repermit.ledger.transaction import Transaction
from tests.builders import admit, mark_of, verified
from tests.ledger.postgres.way import COMMIT, Cut, Way
from tests.postgres import Server

pytestmark = pytest.mark.postgres
AN = "an@voorbeeld.example"
PID = "SELECT pg_backend_pid()"
STATUS = b"pg_xact_status"


def log_size(tx: Transaction) -> int:
    return int(tx.value("SELECT size FROM log_head"))


def paused(tx: Transaction) -> bool:
    return tx.value("SELECT paused_at FROM campaign") is not None


async def is_at_its_mark(ledger: Ledger) -> bool:
    """Return whether the ledger verifies, its mark included."""
    assert (await verified(ledger)).holds
    mark, size = mark_of(ledger), await ledger.read(log_size)
    assert mark is not None
    return size in (mark.committed.size, mark.intended.size)


async def test_a_reader_whose_session_was_ended_reads_on(
    a_ledger: Ledger, postgres: Server
) -> None:
    """The server was restarted while nobody read."""
    pids = await asyncio.gather(*(a_ledger.read(lambda tx: tx.value(PID)) for _ in range(8)))
    postgres.run(*(f"SELECT pg_terminate_backend({pid})" for pid in set(pids)))

    assert await asyncio.gather(*(a_ledger.read(log_size) for _ in range(8))) == [1] * 8


async def test_a_read_that_the_database_refuses_is_not_tried_again(a_ledger: Ledger) -> None:
    with pytest.raises(DatabaseFailed, match="nothing_there"):
        await a_ledger.read(lambda tx: tx.value("SELECT nothing_there"))
    assert await a_ledger.read(log_size) == 1


async def test_rows_that_are_cut_off_are_told_as_lost(a_ledger: Ledger, postgres: Server) -> None:
    def part(tx: Transaction) -> int:
        pid, seen = tx.value(PID), 0
        for _ in tx.connection.execute("SELECT n FROM generate_series(1, 5000) AS n"):
            if not seen:
                postgres.run(f"SELECT pg_terminate_backend({pid})")
            seen += 1
        return seen

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        await a_ledger.read(part)
    assert await a_ledger.read(log_size) == 1


async def test_the_writer_goes_on_in_another_session(a_ledger: Ledger, postgres: Server) -> None:
    """The server was restarted while nobody wrote."""
    postgres.run(f"SELECT pg_terminate_backend({await a_ledger.write(lambda tx: tx.value(PID))})")

    assert await a_ledger.write(campaign.pause)
    assert await is_at_its_mark(a_ledger)


async def test_a_part_whose_session_is_ended_leaves_nothing(
    a_ledger: Ledger, postgres: Server
) -> None:
    def part(tx: Transaction) -> None:
        campaign.pause(tx)
        postgres.run(f"SELECT pg_terminate_backend({tx.value(PID)})")
        tx.value("SELECT 1")

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        await a_ledger.write(part)
    assert not await a_ledger.read(paused)
    assert await a_ledger.write(campaign.pause)
    assert await is_at_its_mark(a_ledger)


async def test_every_part_of_a_group_that_was_cut_is_told(far_ledger: Ledger, a_way: Way) -> None:
    await far_ledger.write(log_size)
    a_way.cut = Cut(COMMIT)
    told = await asyncio.gather(
        *(far_ledger.write(campaign.pause) for _ in range(3)), return_exceptions=True
    )

    assert any(isinstance(one, LedgerUnusable) for one in told)
    assert await far_ledger.read(paused) is any(one is True for one in told)
    assert await is_at_its_mark(far_ledger)


async def test_promise_1_a_commit_whose_word_was_lost_is_done_once(
    far_ledger: Ledger, a_way: Way
) -> None:
    """The database has committed, and is asked again whether it has."""
    await far_ledger.write(log_size)
    a_way.cut = Cut(COMMIT, after=True)

    assert await far_ledger.write(campaign.pause)
    assert a_way.cut.was
    assert await far_ledger.read(log_size) == 2
    assert await is_at_its_mark(far_ledger)


async def test_promise_1_a_commit_that_never_came_there_leaves_nothing(
    far_ledger: Ledger, a_way: Way
) -> None:
    await far_ledger.write(log_size)
    a_way.cut = Cut(COMMIT)

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        await far_ledger.write(campaign.pause)
    assert not await far_ledger.read(paused)
    assert await far_ledger.write(campaign.pause)
    assert await is_at_its_mark(far_ledger)


async def test_a_commit_is_not_given_up_while_the_database_goes_on_with_it(
    far_ledger: Ledger, a_way: Way
) -> None:
    """It has not noticed yet that nobody is there any more."""
    await far_ledger.write(log_size)
    a_way.cut = Cut(COMMIT, held=True)
    writing = asyncio.ensure_future(far_ledger.write(campaign.pause))
    await asyncio.sleep(1)
    assert not writing.done()
    a_way.let_go()

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        await writing
    assert not await far_ledger.read(paused)


async def test_the_question_whether_it_was_committed_is_asked_again(
    far_ledger: Ledger, a_way: Way
) -> None:
    """The way is cut once more while it is asked."""
    await far_ledger.write(log_size)
    a_way.cut = Cut(COMMIT, after=True, then=Cut(STATUS))

    assert await far_ledger.write(campaign.pause)
    assert await far_ledger.read(log_size) == 2


@pytest.mark.parametrize("is_held", [False, True], ids=["closed", "held"])
async def test_what_nobody_can_say_is_said_to_be_unknown(
    far_ledger: Ledger, a_way: Way, monkeypatch: pytest.MonkeyPatch, *, is_held: bool
) -> None:
    """The database does not come back, or does not end the transaction, in the time that is
    given."""
    await far_ledger.write(log_size)
    monkeypatch.setattr("repermit.ledger.postgres.engine.BUSY_SECONDS", 0.2)
    a_way.closed = not is_held
    a_way.cut = Cut(COMMIT, after=not is_held, held=is_held)

    with pytest.raises(LedgerUnusable, match="nobody can say whether it is there"):
        await far_ledger.write(campaign.pause)
    a_way.closed = False
    a_way.let_go()
    assert await far_ledger.write(paused) is not is_held


async def test_a_commit_that_writes_nothing_needs_no_question(
    far_ledger: Ledger, a_way: Way
) -> None:
    await far_ledger.write(log_size)
    a_way.cut = Cut(COMMIT)

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        await far_ledger.write(log_size)
    assert await far_ledger.write(log_size) == 1


async def test_a_commit_that_the_database_refuses_is_none(
    a_ledger: Ledger, a_server: PostgreSQL
) -> None:
    """Such as by a rule that it checks only at the end."""
    opened = connect(a_server.url)
    opened.script(
        "CREATE TABLE later (a bigint UNIQUE DEFERRABLE INITIALLY DEFERRED);"
        " INSERT INTO later VALUES (1)"
    )
    try:
        with pytest.raises(DatabaseFailed, match="unique"):
            await a_ledger.write(lambda tx: tx.run("INSERT INTO later VALUES (1)"))
        assert await a_ledger.write(campaign.pause)
    finally:
        opened.script("DROP TABLE later")
        opened.close()


async def test_a_ledger_that_another_machine_has_locked_is_said_to_be(
    a_ledger: Ledger, a_server: PostgreSQL
) -> None:
    await a_ledger.write(lambda tx: tx.run("SET lock_timeout = '50ms'"))
    other = a_server.connect()
    a_server.begin(other)

    with pytest.raises(LedgerUnusable, match="locked by another machine"):
        await a_ledger.write(campaign.pause)
    other.close()
    assert await a_ledger.write(campaign.pause)


async def test_a_ledger_whose_server_is_gone_closes_all_the_same(
    far_ledger: Ledger, a_way: Way
) -> None:
    await admit(far_ledger, AN)
    await far_ledger.read(log_size)
    a_way.closed = True
    a_way.cut_all()

    await asyncio.wait_for(far_ledger.close(), 30)


async def test_an_end_that_is_cut_leaves_the_mark_that_stands(
    far_ledger: Ledger, a_way: Way
) -> None:
    await admit(far_ledger, AN)
    mark: Any = mark_of(far_ledger)
    a_way.cut = Cut(b"pg_advisory_xact_lock")
    await far_ledger.close()

    assert mark_of(far_ledger) == mark
