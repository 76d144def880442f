import asyncio
import os
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Standing
from repermit.errors import KeysUnusable, LedgerUnusable
from repermit.ledger.database import BUSY_SECONDS
from repermit.ledger.engine import Ledger
from repermit.ledger.mark import Mark, MarkFile, Point
from repermit.ledger.store import approval, campaign, sending, snapshots
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from tests.builders import (
    EVERYTHING,
    FakeClock,
    admit,
    asked,
    intend_one,
    mark_of,
    standings,
    verified,
)
from tests.databases import another

SOON = 30.0  # seconds; whoever waits longer has been forgotten


async def settled(*futures: asyncio.Future[Any]) -> list[Any]:
    """Return what each came to, a failure as itself; none may hang."""
    return await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), SOON)


@asynccontextmanager
async def one_group(
    ledger: Ledger, *, group_seconds: float = 3600.0
) -> AsyncIterator[Callable[..., asyncio.Future[Any]]]:
    """Hand in parts that share one commit: the writer is held until the block ends, and a group
    may then take as long as this machine needs for it."""
    running, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        running.set()
        go_on.wait()

    holder = asyncio.ensure_future(ledger.write(hold))
    await asyncio.to_thread(running.wait)
    handed_in: list[asyncio.Future[Any]] = []

    def hand_in(part: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        future = asyncio.ensure_future(ledger.write(part, *args))
        handed_in.append(future)
        return future

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("repermit.ledger.writer._GROUP_SECONDS", group_seconds)
        try:
            yield hand_in
            await asyncio.sleep(0)
        finally:
            go_on.set()
        await settled(holder, *handed_in)


def fill_the_disk(tx: Transaction) -> None:
    """Let the ledger grow by 50 pages and no more, then ask for a hundred."""
    tx.value(f"PRAGMA max_page_count = {tx.value('PRAGMA page_count') + 50}")
    tx.run("INSERT INTO snapshot VALUES ('big', 'page', 'nl', '1', ?)", "x" * 400_000)


def make_room(tx: Transaction) -> None:
    tx.value("PRAGMA max_page_count = 1000000")


def log_size(tx: Transaction) -> int:
    return int(tx.value("SELECT size FROM log_head"))


def paused(tx: Transaction) -> bool:
    return tx.value("SELECT paused_at FROM campaign") is not None


async def test_a_part_returns_its_result_once_it_is_durable(a_ledger: Ledger) -> None:
    assert await a_ledger.write(campaign.pause)

    with closing(a_ledger.database.connect()) as other:
        assert other.execute("SELECT paused_at FROM campaign").fetchone()[0] is not None


async def test_a_part_that_fails_leaves_nothing_and_says_why(a_ledger: Ledger) -> None:
    def fails(tx: Transaction) -> None:
        campaign.pause(tx)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await a_ledger.write(fails)
    assert not await a_ledger.read(paused)
    assert await a_ledger.read(log_size) == 1


async def test_parts_of_one_group_share_one_entry(a_ledger: Ledger) -> None:
    ids = await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(20)))
    reserved = await a_ledger.write(
        lambda tx: sending.reserve(tx, "sender", approved_size=EVERYTHING, limit=20, caps=NO_CAPS)
    )
    before = await a_ledger.read(log_size)
    async with one_group(a_ledger) as hand_in:
        for one in reserved:
            hand_in(lambda tx, one=one: intend_one(tx, one, "sender", due=tx.now))

    assert await standings(a_ledger) == dict.fromkeys(ids, "claimed")
    assert await a_ledger.read(log_size) == before + 1


async def test_what_was_handed_in_before_the_end_is_done(
    campaign_folder: Path, a_vault: Vault
) -> None:
    """The end is asked for while one part is being written and another waits."""
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    begun, go_on = threading.Event(), threading.Event()

    def waits(tx: Transaction) -> None:
        begun.set()
        go_on.wait(10)

    first = asyncio.create_task(ledger.write(waits))
    await asyncio.to_thread(begun.wait, 10)
    second = asyncio.create_task(ledger.write(campaign.pause))
    await asyncio.sleep(0)
    closing_down = asyncio.create_task(ledger.close())
    await asyncio.sleep(0.05)
    go_on.set()

    await asyncio.gather(first, second, closing_down)
    assert second.result() is True


async def test_one_part_that_fails_takes_nobody_elses_with_it(a_ledger: Ledger) -> None:
    ids = await admit(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")

    def fails(tx: Transaction) -> None:
        tx.run("UPDATE recipient SET standing = 'asked'")
        tx.log.moved(ids, Standing.ASKED)
        raise ValueError("no")

    async with one_group(a_ledger) as hand_in:
        first = hand_in(campaign.pause)
        second = hand_in(fails)
        third = hand_in(lambda tx: campaign.keep_rules(tx, {"table": "2026-11"}))

    assert await settled(first, third) == [True, None]
    assert isinstance(second.exception(), ValueError)
    assert await standings(a_ledger) == dict.fromkeys(ids, "listed")
    assert (await verified(a_ledger)).holds


async def test_what_a_failed_part_put_into_a_session_is_not_written_by_the_next(
    a_ledger: Ledger,
) -> None:
    def fails(tx: Transaction) -> None:
        snapshots.keep_snapshot(tx, "page", "nl", "half a thought")
        raise ValueError("no")

    def goes_on(tx: Transaction) -> None:
        snapshots.keep_snapshot(tx, "page", "nl", "a whole one")

    async with one_group(a_ledger) as hand_in:
        hand_in(fails)
        hand_in(goes_on)

    kept = await a_ledger.read(lambda tx: tx.rows("SELECT content FROM snapshot"))
    assert kept == [("a whole one",)]


async def test_a_row_that_the_database_refuses_fails_its_own_part_only(a_ledger: Ledger) -> None:
    def twice(tx: Transaction) -> None:
        for _ in range(2):
            tx.run("INSERT INTO snapshot VALUES ('h', 'page', 'nl', '1', 'x')")

    async with one_group(a_ledger) as hand_in:
        refused = hand_in(twice)
        other = hand_in(campaign.pause)

    assert "unique constraint" in str(refused.exception()).lower()
    assert await other
    assert await a_ledger.read(lambda tx: tx.rows("SELECT * FROM snapshot")) == []


async def test_a_part_that_takes_long_commits_before_the_next_begins(a_ledger: Ledger) -> None:
    """So that no answer waits for a bulk transaction."""
    first, second = await admit(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    before = await a_ledger.read(log_size)

    def slow(tx: Transaction) -> None:
        tx.log.moved([first], Standing.LISTED)
        time.sleep(0.06)

    async with one_group(a_ledger, group_seconds=0.05) as hand_in:
        hand_in(slow)
        hand_in(lambda tx: tx.log.moved([second], Standing.LISTED))

    assert await a_ledger.read(log_size) == before + 2


async def test_more_parts_than_a_group_holds_are_all_done(a_ledger: Ledger) -> None:
    async with one_group(a_ledger) as hand_in:
        parts = [hand_in(lambda _, n=n: n) for n in range(600)]

    assert await settled(*parts) == list(range(600))


async def test_a_caller_who_gave_up_takes_nothing_back(a_ledger: Ledger) -> None:
    async with one_group(a_ledger) as hand_in:
        given_up = hand_in(campaign.pause)
        await asyncio.sleep(0)
        given_up.cancel()

    assert await a_ledger.write(paused)
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_closing_finishes_what_was_handed_in(campaign_folder: Path, a_vault: Vault) -> None:
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    async with one_group(ledger) as hand_in:
        parts = [hand_in(lambda _, n=n: n) for n in range(3)]
        await asyncio.sleep(0)
        closing_down = asyncio.ensure_future(ledger.close())
        await asyncio.sleep(0)

    assert await settled(*parts, closing_down) == [0, 1, 2, None]


async def test_a_closed_ledger_is_one_file(campaign_folder: Path, a_vault: Vault) -> None:
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    await asked(ledger, "an@voorbeeld.example")
    await ledger.read(log_size)
    await ledger.close()

    assert set(os.listdir(campaign_folder)) == {"keys", "ledger.db"}  # noqa: PTH208 - names only


async def test_a_read_sees_one_moment_whatever_is_written_meanwhile(a_ledger: Ledger) -> None:
    first_look, written = threading.Event(), threading.Event()

    def look_twice(tx: Transaction) -> tuple[bool, bool]:
        before = paused(tx)
        first_look.set()
        written.wait(SOON)
        return before, paused(tx)

    looking = asyncio.ensure_future(a_ledger.read(look_twice))
    await asyncio.to_thread(first_look.wait)
    await a_ledger.write(campaign.pause)
    written.set()

    assert await looking == (False, False)
    assert await a_ledger.read(paused)


async def test_a_read_writes_nothing_and_the_next_read_goes_on(a_ledger: Ledger) -> None:
    with pytest.raises(LedgerUnusable, match="read-only"):
        await a_ledger.read(campaign.pause)
    with pytest.raises(LedgerUnusable, match="read-only"):
        await a_ledger.read(lambda tx: snapshots.keep_snapshot(tx, "page", "nl", "x") and None)

    assert await asyncio.gather(*(a_ledger.read(log_size) for _ in range(12))) == [1] * 12


@pytest.mark.sqlite
async def test_a_full_disk_says_so_and_leaves_nothing_half(a_ledger: Ledger) -> None:
    async with one_group(a_ledger) as hand_in:
        before, full, after = hand_in(campaign.pause), hand_in(fill_the_disk), hand_in(log_size)
    failures = await settled(before, full, after)

    assert [str(failure) for failure in failures] == ["the disk is full"] * 3
    assert all("make room" in failure.hint for failure in failures)
    assert not await a_ledger.read(paused)
    await a_ledger.write(make_room)
    assert await a_ledger.write(campaign.pause)
    assert (await verified(a_ledger)).holds


@pytest.mark.sqlite
async def test_a_full_disk_says_so_in_the_middle_of_a_statement(a_ledger: Ledger) -> None:
    def fill(tx: Transaction) -> None:
        tx.value(f"PRAGMA max_page_count = {tx.value('PRAGMA page_count') + 2}")
        snapshots.keep_snapshot(tx, "page", "nl", "x" * 400_000)

    with pytest.raises(LedgerUnusable, match="the disk is full"):
        await a_ledger.write(fill)
    await a_ledger.write(make_room)


@pytest.mark.sqlite
async def test_a_disk_that_fills_up_at_the_log_leaves_nothing_half(a_ledger: Ledger) -> None:
    """The parts are done and no longer in the queue when the log cannot take their entry."""
    ids = await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(3)))

    def move(tx: Transaction) -> None:
        tx.run("UPDATE recipient SET standing = 'withheld'")
        tx.log.moved(range(1, 100_000, 2), Standing.WITHHELD)
        tx.value(f"PRAGMA max_page_count = {tx.value('PRAGMA page_count')}")

    failed = await settled(asyncio.ensure_future(a_ledger.write(move)))

    assert [str(failure) for failure in failed] == ["the disk is full"]
    assert await standings(a_ledger) == dict.fromkeys(ids, "listed")
    await a_ledger.write(make_room)
    assert (await verified(a_ledger)).holds


async def test_a_mark_that_cannot_be_read_fails_the_whole_group(a_ledger: Ledger) -> None:
    async with one_group(a_ledger) as hand_in:
        a_ledger.vault.keys.mark.write_bytes(b"no mark")
        parts = [hand_in(campaign.pause), hand_in(log_size)]
    failures = await settled(*parts)

    assert [type(failure) for failure in failures] == [KeysUnusable] * 2
    assert not await a_ledger.read(paused)


async def test_a_mark_that_cannot_be_written_stops_the_write(
    campaign_folder: Path, a_vault: Vault
) -> None:
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    (campaign_folder / "keys" / "keep").rename(campaign_folder / "elsewhere")
    failed = await settled(asyncio.ensure_future(ledger.write(campaign.pause)))
    await ledger.close()

    assert "No such file or directory" in str(failed[0])
    assert isinstance(failed[0], LedgerUnusable)


@pytest.mark.sqlite
async def test_a_ledger_locked_by_another_process_says_so_and_goes_on_after(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    await a_ledger.write(lambda tx: tx.value("PRAGMA busy_timeout = 20"))
    with closing(sqlite3.connect(campaign_folder / "ledger.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnusable, match="locked by another process"):
            await a_ledger.write(campaign.pause)

    assert await a_ledger.write(campaign.pause)


@asynccontextmanager
async def let_go_of_by_the_last(ledger: Ledger) -> AsyncIterator[None]:
    """Hold the whole file, as who closes the last connection to it does, until the end of the
    block, and a moment longer."""
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as last:
        last.execute("PRAGMA locking_mode = EXCLUSIVE")
        last.execute("BEGIN EXCLUSIVE")
        yield
        await asyncio.sleep(0.1)


@pytest.mark.sqlite
async def test_the_first_write_waits_for_who_closes_the_ledger(a_ledger: Ledger) -> None:
    async with let_go_of_by_the_last(a_ledger):
        writing = asyncio.ensure_future(a_ledger.write(campaign.pause))

    assert await asyncio.wait_for(writing, SOON)


@pytest.mark.sqlite
async def test_the_first_look_waits_for_who_closes_the_ledger_away_from_the_loop(
    a_ledger: Ledger,
) -> None:
    async with asyncio.timeout(BUSY_SECONDS / 2):
        async with let_go_of_by_the_last(a_ledger):
            looking = asyncio.ensure_future(a_ledger.look(log_size))

        assert await looking == 1


async def test_a_ledger_locked_at_the_end_closes_all_the_same(
    campaign_folder: Path, a_vault: Vault
) -> None:
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    await ledger.write(campaign.pause)
    await ledger.write(lambda tx: tx.value("PRAGMA busy_timeout = 20"))
    with closing(sqlite3.connect(campaign_folder / "ledger.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.wait_for(ledger.close(), SOON)

    again = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    assert not await again.read(again.older_copy)
    await again.close()


@pytest.mark.sqlite
async def test_a_read_only_ledger_says_so(a_ledger: Ledger) -> None:
    await a_ledger.write(lambda tx: tx.run("PRAGMA query_only = 1"))

    with pytest.raises(LedgerUnusable, match="read-only"):
        await a_ledger.write(campaign.pause)


@pytest.mark.sqlite
async def test_a_ledger_that_was_removed_is_not_made_anew(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    (campaign_folder / "ledger.db").unlink()

    with pytest.raises(LedgerUnusable, match="gone or cannot be opened"):
        await a_ledger.write(campaign.pause)
    with pytest.raises(LedgerUnusable, match="gone or cannot be opened"):
        await a_ledger.read(log_size)
    assert not (campaign_folder / "ledger.db").exists()


@pytest.mark.sqlite
async def test_a_ledger_that_is_removed_while_in_use_takes_no_more_writes(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    """SQLite would write on, to a file that has no name any more."""
    await a_ledger.write(campaign.pause)
    (campaign_folder / "ledger.db").unlink()

    with pytest.raises(LedgerUnusable):
        await a_ledger.write(campaign.resume)


@pytest.mark.sqlite
async def test_a_ledger_that_is_replaced_while_in_use_takes_no_more_writes(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    await a_ledger.write(campaign.pause)
    shutil.copy(campaign_folder / "ledger.db", campaign_folder / "copy.db")
    (campaign_folder / "copy.db").replace(campaign_folder / "ledger.db")

    with pytest.raises(LedgerUnusable):
        await a_ledger.write(campaign.resume)


@pytest.mark.sqlite
async def test_the_writer_goes_on_after_a_ledger_that_was_away_is_back(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    path = campaign_folder / "ledger.db"
    path.rename(campaign_folder / "away.db")
    with pytest.raises(LedgerUnusable):
        await a_ledger.write(campaign.pause)
    (campaign_folder / "away.db").rename(path)

    assert await a_ledger.write(campaign.pause)


@pytest.mark.sqlite
async def test_a_checkpoint_empties_the_write_ahead_log(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    """What was erased must not stay behind in it."""
    await asked(a_ledger, "an@voorbeeld.example")
    assert _size(campaign_folder / "ledger.db-wal") > 0
    await a_ledger.checkpoint()

    assert _size(campaign_folder / "ledger.db-wal") == 0
    assert await a_ledger.write(campaign.pause)


def _size(path: Path) -> int:
    return path.stat().st_size


async def test_the_clock_of_a_part_is_the_ledgers(a_ledger: Ledger, a_clock: FakeClock) -> None:
    a_clock.advance(timedelta(days=2))

    assert await a_ledger.write(lambda tx: tx.now) == a_clock.now()
    assert await a_ledger.read(lambda tx: tx.now) == a_clock.now()


async def test_a_row_is_added_in_the_same_transaction(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    approved = await a_ledger.write(
        lambda tx: approval.approve(tx, by="An", informed="Jan", digest="d", facts={})
    )

    assert await a_ledger.read(lambda tx: tx.rows("SELECT id, by FROM approval")) == [
        (approved.number, "An")
    ]


# --- the mark: a copy from before is recognised ---


async def an_older_copy(folder: Path, vault: Vault) -> Path:
    """Write on after copying the ledger, put the copy back, and return its path."""
    path = folder / "ledger.db"
    shutil.copy(path, folder / "copy.db")
    ledger = Ledger.open(path, vault, FakeClock())
    await asked(ledger, "an@voorbeeld.example")
    await ledger.close()
    (folder / "copy.db").replace(path)
    return path


async def test_a_ledger_that_was_closed_is_exactly_at_its_mark(
    campaign_folder: Path, a_vault: Vault
) -> None:
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    await asked(ledger, "an@voorbeeld.example")
    size = await ledger.read(log_size)
    await ledger.close()
    mark = mark_of(ledger)

    assert mark is not None
    assert mark.committed == mark.intended
    assert mark.committed.size == size


async def test_promise_1_two_processes_that_write_by_turns_keep_the_mark_right(
    a_ledger: Ledger, a_vault: Vault
) -> None:
    """A writer that has not read the mark since its own last entry must not go back to that."""
    other = Ledger.open(another(a_ledger.database), a_vault, FakeClock())
    for ledger in (a_ledger, a_ledger, other, a_ledger, other, other, a_ledger):
        await ledger.write(campaign.pause)
        await ledger.write(campaign.resume)
        size, mark = await ledger.read(log_size), mark_of(ledger)
        assert mark is not None
        assert mark.committed == mark.intended
        assert mark.committed.size == size
        assert not await ledger.read(ledger.older_copy)
    await other.close()
    assert (await verified(a_ledger)).holds


async def test_promise_1_a_mark_that_somebody_else_took_ahead_is_seen(a_ledger: Ledger) -> None:
    """Two copies of a ledger under one key folder: the mark is read for each write."""
    await a_ledger.write(campaign.pause)
    mark = mark_of(a_ledger)
    assert mark is not None
    ahead = Point(mark.intended.size + 1, b"x" * 32)
    MarkFile(a_ledger.vault.keys.mark).write(Mark(ahead, ahead))
    await a_ledger.write(campaign.resume)

    assert await a_ledger.read(a_ledger.older_copy)


async def test_promise_1_a_restored_copy_is_recognised(
    campaign_folder: Path, a_vault: Vault
) -> None:
    path = await an_older_copy(campaign_folder, a_vault)
    ledger = Ledger.open(path, a_vault, FakeClock())

    assert await ledger.read(ledger.older_copy)
    await ledger.close()


async def test_promise_1_a_restored_copy_stays_one_however_much_is_written_to_it(
    campaign_folder: Path, a_vault: Vault
) -> None:
    """Answers are taken all the same; they must not make the copy the newest."""
    path = await an_older_copy(campaign_folder, a_vault)
    before = MarkFile(a_vault.keys.mark).read()
    ledger = Ledger.open(path, a_vault, FakeClock())
    for _ in range(6):
        await ledger.write(campaign.pause)
        await ledger.write(campaign.resume)

    assert await ledger.read(ledger.older_copy)
    await ledger.close()
    assert MarkFile(a_vault.keys.mark).read() == before
    again = Ledger.open(path, a_vault, FakeClock())
    assert await again.read(again.older_copy)
    await again.close()


async def test_promise_1_a_restored_copy_that_was_accepted_is_the_newest(
    campaign_folder: Path, a_vault: Vault
) -> None:
    path = await an_older_copy(campaign_folder, a_vault)
    ledger = Ledger.open(path, a_vault, FakeClock())
    await ledger.write(campaign.pause)
    await ledger.write(ledger.accept_copy)
    assert not await ledger.read(ledger.older_copy)
    await ledger.write(campaign.resume)
    await ledger.close()
    again = Ledger.open(path, a_vault, FakeClock())

    assert not await again.read(again.older_copy)
    assert (await verified(again)).holds
    await again.close()


async def test_promise_1_a_copy_is_accepted_also_in_a_group_that_writes_more(
    campaign_folder: Path, a_vault: Vault
) -> None:
    path = await an_older_copy(campaign_folder, a_vault)
    ledger = Ledger.open(path, a_vault, FakeClock())
    async with one_group(ledger) as hand_in:
        hand_in(campaign.pause)
        hand_in(ledger.accept_copy)
        hand_in(campaign.resume)

    assert not await ledger.read(ledger.older_copy)
    await ledger.close()


async def test_promise_1_another_history_of_the_same_size_is_recognised(
    campaign_folder: Path, a_vault: Vault
) -> None:
    path = campaign_folder / "ledger.db"
    shutil.copy(path, campaign_folder / "copy.db")
    for part in (campaign.pause, lambda tx: campaign.state_no_opt_outs(tx, "nobody ever did")):
        ledger = Ledger.open(path, a_vault, FakeClock())
        await ledger.write(part)
        await ledger.close()
        if part is campaign.pause:
            (campaign_folder / "copy.db").replace(path)
    ledger = Ledger.open(path, a_vault, FakeClock())

    assert await ledger.read(ledger.older_copy)
    await ledger.close()


async def test_a_ledger_killed_between_mark_and_commit_is_no_older_copy(
    campaign_folder: Path, a_vault: Vault
) -> None:
    path = campaign_folder / "ledger.db"
    ledger = Ledger.open(path, a_vault, FakeClock())
    await ledger.write(campaign.pause)
    before = mark_of(ledger)
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(campaign_folder / name, campaign_folder / f"copy-{name}")
    await ledger.write(campaign.resume)
    after = mark_of(ledger)  # of the last write, whose commit we now take away
    await ledger.close()
    assert before is not None
    assert after is not None
    for name in ("ledger.db", "ledger.db-wal"):
        (campaign_folder / f"copy-{name}").replace(campaign_folder / name)
    MarkFile(a_vault.keys.mark).write(Mark(before.committed, after.intended))
    again = Ledger.open(path, a_vault, FakeClock())

    assert not await again.read(again.older_copy)
    assert await again.read(paused)
    await again.close()


async def test_a_ledger_that_is_written_to_meanwhile_is_no_older_copy(a_ledger: Ledger) -> None:
    """The mark is overwritten while it is read, and the log grows after."""

    async def write() -> None:
        for _ in range(40):
            await a_ledger.write(campaign.pause)
            await a_ledger.write(campaign.resume)

    writing = asyncio.ensure_future(write())
    found = []
    while not writing.done():
        found.append(await a_ledger.read(a_ledger.older_copy))
    await writing

    assert len(found) > 20
    assert not any(found)


async def test_promise_1_without_its_mark_a_ledger_counts_as_an_older_copy(
    campaign_folder: Path, a_vault: Vault
) -> None:
    """Such as after a disaster: an early copy of the key folder, and a backup of the ledger."""
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    assert not await ledger.read(ledger.older_copy)
    await ledger.write(campaign.pause)
    await ledger.close()
    a_vault.keys.mark.unlink()
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())

    assert await ledger.read(ledger.older_copy)
    await ledger.write(campaign.resume)
    assert mark_of(ledger) is None
    await ledger.write(ledger.accept_copy)
    assert not await ledger.read(ledger.older_copy)
    await ledger.close()


async def test_a_mark_that_became_unreadable_does_not_hinder_closing(
    campaign_folder: Path, a_vault: Vault
) -> None:
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
    await ledger.write(campaign.pause)
    a_vault.keys.mark.write_bytes(os.urandom(100))

    await asyncio.wait_for(ledger.close(), SOON)


async def test_a_copy_that_is_thrown_away_leaves_the_mark_alone(
    campaign_folder: Path, a_vault: Vault
) -> None:
    shutil.copy(campaign_folder / "ledger.db", campaign_folder / "copy.db")
    copy = Ledger.open(
        campaign_folder / "copy.db", a_vault, FakeClock(), mark=campaign_folder / "mark"
    )
    await asked(copy, "an@voorbeeld.example")
    await copy.close()

    assert not a_vault.keys.mark.exists()
    assert (campaign_folder / "mark").exists()


async def test_promise_1_an_id_is_never_given_twice_whatever_is_put_back(
    campaign_folder: Path, a_vault: Vault
) -> None:
    """Else the link of somebody whom the copy does not know would lead to somebody else."""
    path = await an_older_copy(campaign_folder, a_vault)
    ledger = Ledger.open(path, a_vault, FakeClock())
    await ledger.write(ledger.accept_copy)
    (given,) = await admit(ledger, "jan@voorbeeld.example")
    await ledger.close()

    assert given == 2


async def test_a_copy_from_just_before_the_last_write_is_an_older_copy(
    campaign_folder: Path, a_vault: Vault
) -> None:
    """The process was killed right after its last commit, and the copy is one commit older."""
    path = campaign_folder / "ledger.db"
    ledger = Ledger.open(path, a_vault, FakeClock())
    await ledger.write(campaign.pause)
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(campaign_folder / name, campaign_folder / f"copy-{name}")
    await ledger.write(campaign.resume)
    mark = a_vault.keys.mark.read_bytes()
    await ledger.close()
    for name in ("ledger.db", "ledger.db-wal"):
        (campaign_folder / f"copy-{name}").replace(campaign_folder / name)
    a_vault.keys.mark.write_bytes(mark)
    again = Ledger.open(path, a_vault, FakeClock())

    assert await again.read(again.older_copy)
    await again.close()


async def test_a_checkpoint_that_a_reader_prevents_is_not_taken_for_done(a_ledger: Ledger) -> None:
    with closing(a_ledger.database.connect(read_only=True)) as reader:
        a_ledger.database.begin_reading(reader)
        reader.execute("SELECT count(*) FROM log").fetchone()
        await a_ledger.write(campaign.pause)
        with pytest.raises(LedgerUnusable, match="is being read by another process"):
            await a_ledger.checkpoint(patience=0.05)
    await a_ledger.checkpoint()


_CHECKPOINTS = """
import fcntl, sys, time
with open(sys.argv[1], "r+b") as shared:
    fcntl.lockf(shared, fcntl.LOCK_EX, 1, 121)  # WAL_CKPT_LOCK of SQLite's wal.c
    print(flush=True)
    time.sleep(0.3)
"""


@pytest.mark.sqlite
async def test_a_checkpoint_waits_for_one_of_another_process(a_ledger: Ledger) -> None:
    """Any commit may begin one there, and SQLite's own timeout does not wait for it."""
    await asked(a_ledger, "an@voorbeeld.example")
    shared = a_ledger.path.with_name(f"{a_ledger.path.name}-shm")
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CHECKPOINTS, str(shared)), stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    await other.stdout.readline()

    await a_ledger.checkpoint()

    assert _size(a_ledger.path.with_name(f"{a_ledger.path.name}-wal")) == 0
    assert await other.wait() == 0


async def test_a_look_reads_what_a_read_reads(a_ledger: Ledger) -> None:
    assert await a_ledger.look(log_size) == await a_ledger.look(log_size) == 1
    with pytest.raises(LedgerUnusable, match="read-only"):
        await a_ledger.look(campaign.pause)
    assert not await a_ledger.look(paused)


@pytest.mark.sqlite
async def test_a_look_at_a_ledger_that_is_gone_or_replaced_says_so(
    a_ledger: Ledger, empty_campaign: Path
) -> None:
    assert await a_ledger.look(log_size) == 1
    a_ledger.path.unlink()
    with pytest.raises(LedgerUnusable, match="gone"):
        await a_ledger.look(log_size)
    a_ledger.path.write_bytes((empty_campaign / "ledger.db").read_bytes())
    with pytest.raises(LedgerUnusable, match="replaced"):
        await a_ledger.look(log_size)
