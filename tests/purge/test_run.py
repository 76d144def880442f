from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.domain.due import BY_CLOSE
from repermit.domain.standing import Answer
from repermit.errors import KeysUnusable, LedgerUnusable, ProofBroken, PurgeRefused, SealBroken
from repermit.ledger import copying, keys
from repermit.ledger.engine import Ledger
from repermit.ledger.log import canonical
from repermit.ledger.store import (
    answering,
    campaign,
    erasing,
    machines,
    moved,
    purges,
    reading,
    suppression,
    written,
)
from repermit.ledger.store.machines import Machine
from repermit.ledger.store.personal import own_key
from repermit.ledger.transaction import Transaction
from repermit.ledger.verify import verify
from repermit.purge.guard import Watch
from repermit.purge.phases import Phases, Slices
from repermit.purge.plan import Purged
from repermit.purge.run import plan, purge
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    a_newcomer,
    asked,
    deliver_outbox,
    press,
    standings,
    take_in,
    terms,
    verified,
)
from tests.databases import alter, another, end_sessions_with_locks, put_back
from tests.purge.builders import (
    BY_REASON,
    DUE,
    GO,
    STAY,
    Killed,
    Told,
    address,
    asked_later,
    being_sent,
    bytes_in,
    dying,
    fill,
    kill,
    mailbox,
    on_file,
    opened_copy,
    ordered,
    reopened,
    sent,
    signed,
)
from tests.respond.builders import hash_of_tables

PHASES = (
    "erasing 6 recipients for good, with their keys",
    "sealing those who remain under new keys",
    "verifying the log",
    "taking a fresh backup",
    "destroying the old keys",
    "giving the space back",
    "looking for traces",
)


MOMENT = timedelta(microseconds=1)
NOW_TEXT = "2026-12-22T09:30:00.000000Z"
LAST_WRITE = 21  # of a purge that has one slice to erase and one to seal anew


def last_write(ledger: Ledger) -> int:
    """Return the same of a purge on the database of *ledger*: VACUUM gives space back at once."""
    return LAST_WRITE - ledger.database.is_shared


def quietly(_: str) -> None:
    """Keep nothing of what is told."""


async def is_whole(ledger: Ledger, folder: Path) -> None:
    """The six are gone from everywhere, the five are there, and everything adds up."""
    assert await on_file(ledger) == set(STAY)
    figures = await ledger.read(campaign.figures)
    assert (figures.purged, figures.erased) == (DUE, 0)
    assert sum(figures.standings.values()) + figures.purged == figures.admitted
    assert figures.admitted == len(GO) + len(STAY)
    assert (await verified(ledger)).holds
    assert [path.name for path in (folder / "keys" / "burn").iterdir()] == ["2.key"]
    generations = await ledger.read(lambda tx: tx.rows("SELECT DISTINCT generation FROM recipient"))
    assert generations == [(2,)]


async def test_the_phases_come_in_their_order(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """The old keys go only after the log was verified and a fresh backup taken."""
    await fill(a_ledger, a_clock)
    told = Told([])

    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=told)

    assert tuple(told.lines) == PHASES


async def test_promise_8_who_is_due_goes_and_nobody_else(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    people = await fill(a_ledger, a_clock)
    before = await standings(a_ledger)

    done = await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    assert (done.due, done.purged, done.traces, done.destroyed) == (DUE, DUE, 0, 1)
    assert done.by_reason == BY_REASON
    assert done.backup == "ledger.db"
    kept = {people[name]: before[people[name]] for name in STAY}
    assert await standings(a_ledger) == kept
    assert {*kept.values()} == {"opted_in", "exempt", "withheld", "listed", "asked"}
    await is_whole(a_ledger, campaign_folder)


async def test_who_remains_is_still_known_and_can_still_answer(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    people = await fill(a_ledger, a_clock)
    yes = await a_ledger.read(reading.find, address("said-yes"))
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    assert await a_ledger.read(reading.find, address("said-yes")) == yes
    a_clock.advance(timedelta(minutes=1))
    assert await press(a_ledger, people["said-yes"], Answer.NO)
    assert await press(a_ledger, people["asked-later"], Answer.YES)
    assert (await verified(a_ledger)).holds


async def test_who_is_gone_cannot_answer_and_is_not_asked_again(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A new import of the same old list finds them suppressed, by their keyed hash alone."""
    people = await fill(a_ledger, a_clock)
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    for name in GO:
        assert await press(a_ledger, people[name], Answer.YES) is None
    tally = await a_ledger.write(take_in, [a_newcomer(mailbox(name)) for name in (*GO, *STAY)])
    assert (tally.admitted, tally.suppressed, tally.duplicates) == (0, len(GO), len(STAY))


async def test_a_server_that_ran_all_along_goes_on(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """It had read the old keys, and was not told of the new."""
    people = await fill(a_ledger, a_clock)
    server = reopened(a_ledger, a_clock)
    assert await on_file(server) == {*GO, *STAY}
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    assert await on_file(server) == set(STAY)
    assert await press(server, people["asked-later"], Answer.YES)
    assert await press(server, people["silent1"], Answer.YES) is None
    assert (await verified(server)).holds
    await server.close()


async def test_a_second_purge_takes_who_fell_due_since(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    a_clock.advance(timedelta(days=40))

    done = await purge(a_ledger, ordered(a_ledger, 1), Watch(), sign=signed, tell=quietly)

    assert (done.by_reason, done.purged, done.destroyed) == ({"silent": 1}, 1, 2)
    assert await on_file(a_ledger) == set(STAY) - {"asked-later"}
    assert [path.name for path in (campaign_folder / "keys" / "burn").iterdir()] == ["3.key"]
    assert (await verified(a_ledger)).holds


async def test_when_nobody_is_due_nothing_happens(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await asked_later(a_ledger)
    before, told = await a_ledger.read(hash_of_tables), Told([])

    done = await purge(a_ledger, ordered(a_ledger, 0), Watch(), sign=signed, tell=told)

    assert (done.due, done.purged, told.lines) == (0, 0, [])
    assert await a_ledger.read(hash_of_tables) == before
    assert [path.name for path in (campaign_folder / "keys" / "burn").iterdir()] == ["1.key"]


# A purge that was killed


@pytest.mark.parametrize("phase", PHASES)
async def test_a_purge_that_was_killed_goes_on_where_it_was(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, phase: str
) -> None:
    await fill(a_ledger, a_clock)
    await kill(a_ledger, at=phase)
    await a_ledger.close()

    ledger, told = reopened(a_ledger, a_clock), Told([])
    intended = await plan(ledger, ordered(ledger, None), Watch())
    done = await purge(ledger, ordered(ledger, intended.due), Watch(), sign=signed, tell=told)

    assert intended.resumes
    assert tuple(told.lines) == PHASES[PHASES.index(phase) :]
    assert (done.due, done.by_reason, done.purged, done.traces) == (DUE, BY_REASON, DUE, 0)
    await is_whole(ledger, campaign_folder)
    await ledger.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("writes", range(1, LAST_WRITE + 1))
async def test_a_purge_that_was_killed_at_any_of_its_writes_is_finished_by_the_next(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, writes: int, *, after: bool
) -> None:
    """Just before the write or just after it."""
    await fill(a_ledger, a_clock)
    await a_ledger.close()
    writes = min(writes, last_write(a_ledger))
    killed = dying(a_ledger, a_clock, writes=writes, after=after)
    with pytest.raises(Killed):
        await purge(killed, ordered(killed, DUE), Watch(), sign=signed, tell=quietly)
    await killed.close()

    ledger = reopened(a_ledger, a_clock)
    intended = await plan(ledger, ordered(ledger, DUE), Watch())
    await purge(ledger, ordered(ledger, intended.due), Watch(), sign=signed, tell=quietly)

    await is_whole(ledger, campaign_folder)
    assert (await plan(ledger, ordered(ledger, 0), Watch())).due == 0
    await ledger.close()


async def test_there_is_no_write_of_a_purge_at_which_it_was_not_killed(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    await a_ledger.close()
    ledger = dying(a_ledger, a_clock, writes=100, after=False)

    await purge(ledger, ordered(ledger, DUE), Watch(), sign=signed, tell=quietly)

    assert 100 - ledger.writes_left == last_write(ledger)
    await ledger.close()


async def test_an_answer_between_the_freeze_and_the_erasing_saves_that_person(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    people = await fill(a_ledger, a_clock)
    await kill(a_ledger, at="erasing")
    await press(a_ledger, people["silent2"], Answer.YES)

    done = await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    assert (done.due, done.purged, done.traces) == (DUE, DUE - 1, 0)
    assert await on_file(a_ledger) == {*STAY, "silent2"}
    assert (await standings(a_ledger))[people["silent2"]] == "opted_in"
    assert (await verified(a_ledger)).holds


async def test_who_falls_due_while_a_purge_is_cut_off_is_not_taken_by_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await kill(a_ledger, at="erasing")
    a_clock.advance(timedelta(days=40))

    done = await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    assert done.purged == DUE
    assert "asked-later" in await on_file(a_ledger)
    assert (await plan(a_ledger, ordered(a_ledger, None), Watch())).by_reason == {"silent": 1}


async def test_a_yes_withdrawn_while_a_purge_is_cut_off_waits_for_the_next(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """No more go than somebody said could go."""
    people = await fill(a_ledger, a_clock)
    await kill(a_ledger, at="sealing")
    await press(a_ledger, people["said-yes"], Answer.NO)
    intended = await plan(a_ledger, ordered(a_ledger, None), Watch())

    done = await purge(
        a_ledger, ordered(a_ledger, intended.due), Watch(), sign=signed, tell=quietly
    )

    assert done.purged == DUE
    assert "said-yes" in await on_file(a_ledger)
    a_clock.advance(timedelta(minutes=1))
    await deliver_outbox(a_ledger)
    assert (await plan(a_ledger, ordered(a_ledger, None), Watch())).by_reason == {"withdrawn": 1}


async def test_who_is_listed_while_a_purge_is_cut_off_is_found_after_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    with pytest.raises(Killed):
        await purge(
            a_ledger,
            ordered(a_ledger, DUE),
            Watch(),
            sign=signed,
            tell=Told([], kill_at="verifying"),
        )
    await a_ledger.write(take_in, [a_newcomer("nieuw@voorbeeld.example")])

    done = await purge(a_ledger, ordered(a_ledger, 0), Watch(), sign=signed, tell=quietly)

    assert done.traces == 0
    tally = await a_ledger.write(take_in, [a_newcomer("nieuw@voorbeeld.example")])
    assert tally.duplicates == 1


# Promise 8: erased means erased


async def test_promise_8_no_file_holds_anything_of_a_purged_person(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Ledger, write-ahead log, an earlier backup, keys: no address, no sealed field, no key."""
    await fill(a_ledger, a_clock)
    copying.backup(a_ledger.database)
    secrets = await a_ledger.read(
        lambda tx: tx.rows(
            "SELECT lookup, sealed, leaf_key FROM recipient WHERE standing IN"
            " ('doubtful', 'opted_out', 'undeliverable') OR (standing = 'asked' AND due_at <= ?)",
            int(a_clock.now().timestamp() * 1_000_000),
        )
    )
    own = [content for row in secrets for content in row]
    keys_before = (campaign_folder / "keys" / "burn" / "1.key").read_bytes()
    before = bytes_in(campaign_folder)

    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    assert len(secrets) == DUE
    assert all(any(one in content for content in before.values()) for one in own)
    for name, content in bytes_in(campaign_folder).items():
        assert keys_before not in content, name
        assert not [one for one in own if one in content], name
        assert b"janssens" not in content.lower(), name


async def test_promise_8_an_older_copy_yields_no_purged_person(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Not even with the keys that the campaign has now."""
    people = await fill(a_ledger, a_clock)
    copying.copy(a_ledger.database, campaign_folder / "older.db")
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    older = opened_copy(a_ledger, a_clock, name="older.db")
    said = "sealed under generation 1, destroyed on 2026-12-22"
    for name in (*GO, *STAY):
        with pytest.raises(KeysUnusable, match=said):
            await older.read(reading.find, address(name))
        with pytest.raises(KeysUnusable, match=said):
            await older.read(answering.asked, people[name])
    await older.close()


async def test_promise_8_an_older_copy_is_no_place_to_try_addresses_out(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Not even of somebody who pressed, and with the lasting keys: an answer is bound to an address
    by a key that the copy keeps under the generation that is gone."""
    people = await fill(a_ledger, a_clock)
    said_no = people["said-no"]
    copying.copy(a_ledger.database, campaign_folder / "older.db")
    told = await a_ledger.read(
        lambda tx: tx.value("SELECT who FROM answer WHERE recipient_id = ?", said_no)
    )
    key = await a_ledger.read(own_key, said_no)
    assert key is not None
    assert a_ledger.vault.who(key, mailbox("said-no")) == told
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)

    older = opened_copy(a_ledger, a_clock, name="older.db")
    row = await older.read(
        lambda tx: tx.one(
            "SELECT leaf_key, who FROM recipient JOIN answer ON recipient_id = id WHERE id = ?",
            said_no,
        )
    )
    assert row[1] == told
    assert older.vault.who(row[0], mailbox("said-no")) != told
    with pytest.raises(KeysUnusable, match="destroyed on"):
        await older.read(own_key, said_no)
    assert not (await verified(older)).holds
    await older.close()


async def test_promise_8_an_older_copy_yields_nobody_under_the_keys_of_another_generation(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    people = await fill(a_ledger, a_clock)
    copying.copy(a_ledger.database, campaign_folder / "older.db")
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    burn = campaign_folder / "keys" / "burn"
    shutil.copy(burn / "2.key", burn / "1.key")
    (campaign_folder / "keys" / "keep" / "destroyed").unlink()

    older = opened_copy(a_ledger, a_clock, name="older.db")
    assert await older.read(reading.find, address("silent1")) is None
    with pytest.raises(SealBroken):
        await older.read(answering.asked, people["silent1"])
    await older.close()


async def test_promise_8_the_backup_is_whole_and_proves_itself(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    path = campaign_folder / "backup" / "ledger.db"

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    backup = opened_copy(a_ledger, a_clock, name="backup/ledger.db")
    assert await on_file(backup) == set(STAY)
    found = await backup.read(verify, None)
    assert found.faults == ["the mark in the key folder is gone: it may be an older copy"]
    assert await standings(backup) == await standings(a_ledger)
    await backup.close()


async def test_promise_8_without_a_verified_log_the_old_keys_stay(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)

    def tampers(line: str) -> None:
        if line == "verifying the log":
            alter(a_ledger.database, "UPDATE log SET at = '2020' WHERE kind = 'purged'")

    with pytest.raises(ProofBroken):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=tampers)

    burn = campaign_folder / "keys" / "burn"
    assert sorted(path.name for path in burn.iterdir()) == ["1.key", "2.key"]
    assert not (campaign_folder / "backup").exists()


async def test_promise_8_without_a_backup_the_old_keys_stay(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """The place of the backup was taken; once it is free the purge is finished."""
    await fill(a_ledger, a_clock)
    (campaign_folder / "backup").write_text("in the way")
    with pytest.raises(LedgerUnusable):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    burn = campaign_folder / "keys" / "burn"
    assert (burn / "1.key").exists()

    (campaign_folder / "backup").unlink()
    await purge(a_ledger, ordered(a_ledger, 0), Watch(), sign=signed, tell=quietly)

    await is_whole(a_ledger, campaign_folder)


async def test_promise_8_a_copy_of_the_old_keys_that_comes_back_is_destroyed_at_the_next_start(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """From another machine, or a backup of it; it opens nothing even before."""
    await fill(a_ledger, a_clock)
    burn = campaign_folder / "keys" / "burn"
    shutil.copy(burn / "1.key", campaign_folder / "of-another-machine.key")
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    shutil.copy(campaign_folder / "of-another-machine.key", burn / "1.key")
    with pytest.raises(KeysUnusable, match="destroyed on 2026-12-22"):
        keys.load_generation(burn, 1)

    again = reopened(a_ledger, a_clock)
    (told,) = map(str, again.dropped)
    assert told == (
        "a copy of the keys of generation 1, which a purge destroyed on 2026-12-22, was in the key"
        " folder again; it is destroyed now, too"
    )
    assert [path.name for path in burn.iterdir()] == ["2.key"]
    assert await on_file(again) == set(STAY)
    await again.close()


async def test_promise_8_one_more_backup_goes_where_the_operator_says(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    disk = campaign_folder / "disk"
    order = replace(ordered(a_ledger, DUE), backup_to=disk)
    before = await a_ledger.read(hash_of_tables)
    with pytest.raises(LedgerUnusable, match="no folder disk"):
        await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)
    assert await a_ledger.read(hash_of_tables) == before

    disk.mkdir()
    done = await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)

    assert done.backup == "ledger.db, ledger-2026-12-22.db"
    assert [path.name for path in disk.iterdir()] == ["ledger-2026-12-22.db"]
    copy = opened_copy(a_ledger, a_clock, name="disk/ledger-2026-12-22.db")
    assert await on_file(copy) == set(STAY)
    await copy.close()


async def test_promise_8_the_other_backup_is_still_made_after_the_purge_was_cut_off(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Whoever goes on need not name its folder again."""
    await fill(a_ledger, a_clock)
    disk = campaign_folder / "disk \udce9 1"  # a name that is no text
    disk.mkdir()
    await cut_off(a_ledger, disk, at="verifying")

    done = await purge(a_ledger, ordered(a_ledger, None), Watch(), sign=signed, tell=quietly)

    assert done.backup == "ledger.db, ledger-2026-12-22.db"
    assert [path.name for path in disk.iterdir()] == ["ledger-2026-12-22.db"]
    assert await a_ledger.read(lambda tx: tx.value("SELECT facts FROM purge")) == "{}"
    assert "disk" not in await a_ledger.read(written_in_log)


async def test_promise_8_without_the_folder_of_the_other_backup_nothing_goes_on(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """Its disk is gone: another one may be named, and is kept in its place."""
    await fill(a_ledger, a_clock)
    disk, other = campaign_folder / "disk", campaign_folder / "other"
    disk.mkdir()
    other.mkdir()
    await cut_off(a_ledger, disk, at="erasing")
    disk.rmdir()
    before = await a_ledger.read(hash_of_tables)

    with pytest.raises(PurgeRefused, match="no folder disk for the backup") as refusal:
        await purge(a_ledger, ordered(a_ledger, None), Watch(), sign=signed, tell=quietly)
    assert codes(refusal.value) == ["backup_to"]
    assert await a_ledger.read(hash_of_tables) == before

    await cut_off(a_ledger, other, at="verifying")
    await purge(a_ledger, ordered(a_ledger, None), Watch(), sign=signed, tell=quietly)
    assert len(list(other.iterdir())) == 1
    await is_whole(a_ledger, campaign_folder)


async def test_the_folder_of_a_backup_that_is_made_may_be_gone(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await fill(a_ledger, a_clock)
    disk = campaign_folder / "disk"
    disk.mkdir()
    await cut_off(a_ledger, disk, at="destroying")
    shutil.rmtree(disk)

    done = await purge(a_ledger, ordered(a_ledger, None), Watch(), sign=signed, tell=quietly)

    assert done.backup == "ledger.db, ledger-2026-12-22.db"
    await is_whole(a_ledger, campaign_folder)


@pytest.mark.parametrize("below", ["keys", "keys/burn", "link"])
async def test_promise_8_no_backup_lies_beside_its_keys(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, below: str
) -> None:
    await fill(a_ledger, a_clock)
    (campaign_folder / "link").symlink_to(campaign_folder / "keys" / "keep")
    before = await a_ledger.read(hash_of_tables)

    order = replace(ordered(a_ledger, DUE), backup_to=campaign_folder / below)
    with pytest.raises(LedgerUnusable, match="lies within the key folder"):
        await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)

    assert await a_ledger.read(hash_of_tables) == before


async def cut_off(ledger: Ledger, backup_to: Path, *, at: str) -> None:
    """Let a purge end at the phase whose line begins like that."""
    order = replace(ordered(ledger, None), backup_to=backup_to)
    with pytest.raises(Killed):
        await purge(ledger, order, Watch(), sign=signed, tell=Told([], kill_at=at))


def written_in_log(tx: Transaction) -> str:
    """Return everything that the log says."""
    return "".join(str(row[0]) for row in tx.rows("SELECT payload FROM log"))


@pytest.mark.parametrize("writes", range(LAST_WRITE - 3, LAST_WRITE + 1))
async def test_what_was_found_is_reported_although_the_purge_was_killed_then(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, writes: int
) -> None:
    """Who was never asked is forgotten just before the report: nobody can look for them again."""
    await fill(a_ledger, a_clock)
    path = campaign_folder / "rejects.csv"
    path.write_text(mailbox("withheld"))
    await a_ledger.write(written.note_file, path, "rejects")
    await a_ledger.close()
    killed = dying(a_ledger, a_clock, writes=writes, after=False)
    order = replace(ordered(killed, None), terms=replace(terms(a_clock.now()), reasons=BY_CLOSE))
    with pytest.raises(Killed):
        await purge(killed, order, Watch(), sign=signed, tell=quietly)
    await killed.close()

    ledger = reopened(a_ledger, a_clock)
    done = await purge(ledger, order, Watch(), sign=signed, tell=quietly)

    assert done.traced == {"rejects.csv": 1}
    await ledger.close()


async def test_the_report_says_who_when_how_many_why_and_what_is_out_of_reach(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    order = replace(ordered(a_ledger, DUE), accepted_outage="nobody probes a test")
    size, root = await a_ledger.read(purges.log_now)
    watch = Watch(beyond=("imap_folders",), machine="web1")
    for name in ("web1", "web2"):
        await a_ledger.write(machines.join, Machine(name, "1.0", {}, generation=1))
    done = await purge(a_ledger, order, watch, sign=signed, tell=quietly)
    kept = await a_ledger.read(lambda tx: tx.value("SELECT report FROM purge"))
    end, _ = await a_ledger.read(purges.log_now)

    said = dict(done.report)
    assert kept == canonical(said).decode()
    assert said["log"]["before"] == signed(size, root)
    assert said["log"]["after"].startswith(f"{end - 1} ")
    assert said["manifest"]["entry"] == size
    assert len(said["manifest"]["sha256"]) == 64
    assert said["generations"] == {"destroyed": 1, "current": 2, "at": NOW_TEXT}
    assert (said["beyond"][0], said["beyond"][-1]) == ("original_list", "imap_folders")
    assert ("database_server" in said["beyond"]) is a_ledger.database.is_shared
    assert said["scan"]["ledger"] == 0
    assert said["machines"] == ["web2"]
    wanted = {
        "number": 1,
        "by": "An",
        "scheduled": False,
        "started": "2026-12-22T09:30:00Z",
        "finished": "2026-12-22T09:30:00Z",
        "moment": "2026-12-22T09:30:00Z",
        "reasons": ["silent", "doubtful", "opted_out", "withdrawn", "undeliverable"],
        "due": DUE,
        "by_reason": BY_REASON,
        "purged": DUE,
        "saved": 0,
        "owed": 0,
        "held": 0,
        "lapsed": 0,
        "accepted_outage": "nobody probes a test",
        "backup": "ledger.db",
        "level": "Clear at most, NIST SP 800-88",
        "places": [],
    }
    assert {name: said[name] for name in wanted} == wanted
    assert "@" not in kept
    assert (await verified(a_ledger)).holds


async def test_a_purge_that_was_killed_keeps_to_its_own_terms(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """The next one is ordered for other reasons; the manifest is that of the first."""
    await fill(a_ledger, a_clock)
    await kill(a_ledger, at="erasing")
    only = replace(terms(a_clock.now()), reasons=BY_CLOSE)
    order = replace(ordered(a_ledger, DUE), terms=only, by="Jan")

    done = await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)

    assert (done.purged, done.report["by"]) == (DUE, "An")
    assert await on_file(a_ledger) == set(STAY)


async def test_nothing_stays_of_who_was_never_asked(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Who was withheld or listed when the campaign was closed; they may be asked by another."""
    await fill(a_ledger, a_clock)
    only = replace(terms(a_clock.now()), reasons=BY_CLOSE)
    order = replace(ordered(a_ledger, 2), terms=only)

    done = await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)

    assert (done.by_reason, done.traces) == ({"withheld": 1, "never_sent": 1}, 0)
    for name in ("withheld", "listed"):
        assert await a_ledger.read(reading.suppressed, address(name)) is None
    tally = await a_ledger.write(take_in, [a_newcomer(mailbox("listed"))])
    assert tally.admitted == 1


async def test_an_expired_guard_against_asking_again_falls_due_with_the_next_purge(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A no is kept."""
    await fill(a_ledger, a_clock)
    purged_at, lapsed = a_clock.now(), list[int]()
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    for longer in (MOMENT, timedelta(0)):
        await asked(a_ledger, mailbox(f"one{len(lapsed)}"))
        a_clock.advance(ANSWER_TIME)
        by = terms(a_clock.now())
        order = replace(
            ordered(a_ledger, 9), terms=replace(by, ask_again=by.moment - purged_at + longer)
        )
        done = await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)
        lapsed.append(done.report["lapsed"])

    assert lapsed == [0, 5]
    assert await a_ledger.read(reading.suppressed, address("silent1")) is None
    assert await a_ledger.read(reading.suppressed, address("said-no"))
    assert (await verified(a_ledger)).holds


async def test_a_no_after_silence_is_kept_for_good(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await fill(a_ledger, a_clock)
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    a_clock.advance(MOMENT)
    await a_ledger.write(suppression.suppress, [address("silent1")], source="elsewhere", reason="")
    await a_ledger.write(suppression.suppress, [address("said-no")], source="elsewhere", reason="")

    said = await a_ledger.read(reading.suppressed, address("silent1"))
    assert said is not None
    assert (said.source, said.since) == ("elsewhere", a_clock.now())
    known = await a_ledger.read(reading.suppressed, address("said-no"))
    assert known is not None
    assert (known.source, known.since < a_clock.now()) == ("answer", True)
    a_clock.advance(terms(a_clock.now()).ask_again)
    done = await purge(a_ledger, ordered(a_ledger, 9), Watch(), sign=signed, tell=quietly)
    assert done.report["lapsed"] == DUE - 2
    assert await a_ledger.read(reading.suppressed, address("silent1")) == said


async def test_a_no_while_a_purge_of_who_was_never_asked_is_cut_off_is_kept(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    order = ordered(a_ledger, None)
    order = replace(order, terms=replace(order.terms, reasons=BY_CLOSE))
    tell = Told([], kill_at="looking")
    with pytest.raises(Killed):
        await purge(a_ledger, order, Watch(), sign=signed, tell=tell)
    await a_ledger.write(suppression.suppress, [address("listed")], source="elsewhere", reason="")

    await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)

    assert await a_ledger.read(suppression.is_suppressed, mailbox("listed"))
    assert not await a_ledger.read(suppression.is_suppressed, mailbox("withheld"))


async def test_an_expired_guard_lapses_also_when_nobody_is_due(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    a_clock.advance(ANSWER_TIME)
    await purge(a_ledger, ordered(a_ledger, 1), Watch(), sign=signed, tell=quietly)
    a_clock.advance(terms(a_clock.now()).ask_again - ANSWER_TIME)
    generation = await a_ledger.read(purges.generation)

    intended = await plan(a_ledger, ordered(a_ledger, None), Watch())
    assert (intended.due, intended.lapsing) == (0, DUE - 1)
    done = await purge(a_ledger, ordered(a_ledger, None), Watch(), sign=signed, tell=quietly)

    assert (done.number, done.lapsed) == (0, DUE - 1)
    assert await a_ledger.read(reading.suppressed, address("silent1")) is None
    assert await a_ledger.read(reading.suppressed, address("asked-later"))
    assert await a_ledger.read(purges.generation) == generation
    assert (await verified(a_ledger)).holds
    a_clock.advance(ANSWER_TIME)
    again = await purge(a_ledger, ordered(a_ledger, None), Watch(), sign=signed, tell=quietly)
    assert again.lapsed == 1


# Promise 7: the purge refuses


async def refused(ledger: Ledger, *, at_most: int = DUE) -> PurgeRefused:
    """Check that a purge refuses and changes nothing, and return why."""
    before = await ledger.read(hash_of_tables)
    with pytest.raises(PurgeRefused) as refusal:
        await purge(ledger, ordered(ledger, at_most), Watch(), sign=signed, tell=quietly)
    assert await ledger.read(hash_of_tables) == before
    planned = await plan(ledger, ordered(ledger, at_most), Watch())
    assert [(one.code, one.text, one.until) for one in planned.refused] == [*refusal.value.reasons]
    return refusal.value


def codes(refusal: PurgeRefused) -> list[str]:
    """Return the codes of the reasons."""
    return [code for code, _, _ in refusal.reasons]


async def test_promise_7_more_are_due_than_may_go(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await fill(a_ledger, a_clock)

    refusal = await refused(a_ledger, at_most=DUE - 1)

    assert codes(refusal) == ["at_most"]
    assert refusal.details() == {
        "due": DUE,
        "purged": 0,
        "refused": [
            {
                "code": "at_most",
                "text": "6 recipients are due, but at most 5 may go",
                "until": None,
            }
        ],
        "traces": 0,
    }


async def test_promise_7_a_mail_is_still_leaving(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await fill(a_ledger, a_clock)
    leaving = await being_sent(a_ledger, "leaving")

    assert codes(await refused(a_ledger)) == ["leaving"]
    await sent(a_ledger, leaving)
    assert (
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    ).purged == DUE


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE log SET payload = '{}' WHERE kind = 'admitted'",
        "DELETE FROM log WHERE kind = 'answered'",
        "UPDATE recipient SET standing = 'asked' WHERE standing = 'opted_in'",
        "DELETE FROM recipient WHERE standing = 'exempt'",
    ],
)
async def test_promise_7_the_log_does_not_verify(
    a_ledger: Ledger, a_clock: FakeClock, sql: str
) -> None:
    await fill(a_ledger, a_clock)
    alter(a_ledger.database, sql)

    assert codes(await refused(a_ledger, at_most=100)) == ["log"]


async def test_promise_7_the_clock_is_behind_the_log(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Somebody set it: who is due by such a clock is not known."""
    await fill(a_ledger, a_clock)
    latest = a_clock.now()
    a_clock.advance(-timedelta(seconds=1))

    refusal = await refused(a_ledger)

    assert codes(refusal) == ["clock"]
    assert [until for _, _, until in refusal.reasons] == [latest]


async def test_promise_7_another_purge_is_running(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await fill(a_ledger, a_clock)
    other = another(a_ledger.database)
    lock = other.lock("purge")
    assert lock.acquire()

    assert codes(await refused(a_ledger)) == ["running"]
    lock.release()
    other.close()
    assert (
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    ).purged == DUE


async def test_promise_7_the_ledger_is_an_older_copy(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    people = await fill(a_ledger, a_clock)
    copying.copy(a_ledger.database, campaign_folder / "older.db")
    await press(a_ledger, people["silent1"], Answer.YES)
    await a_ledger.close()
    put_back(a_ledger.database, campaign_folder / "older.db")

    older = reopened(a_ledger, a_clock)
    assert "older_copy" in codes(await refused(older))
    assert "silent1" in await on_file(older)
    await older.close()


async def test_promise_7_a_ledger_from_before_a_purge_is_known_as_that(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """The refusal names the copy to put back, and that one is the present ledger again."""
    await fill(a_ledger, a_clock)
    copying.copy(a_ledger.database, campaign_folder / "older.db")
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=quietly)
    await a_ledger.close()
    put_back(a_ledger.database, campaign_folder / "older.db")

    older = reopened(a_ledger, a_clock)
    refusal = await refused(older)
    await older.close()

    assert codes(refusal) == ["older_copy"]
    assert "from before the purge of 2026-12-22: put back" in str(refusal)
    assert "backup/ledger.db" in str(refusal)
    shutil.copy(campaign_folder / "backup" / "ledger.db", campaign_folder / "older.db")
    put_back(a_ledger.database, campaign_folder / "older.db")
    present = reopened(a_ledger, a_clock)
    assert present.superseded is None
    await present.write(present.accept_copy)
    assert (await verified(present)).holds
    await present.close()


async def test_promise_7_every_reason_is_named_at_once(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    a_clock.advance(timedelta(hours=1))
    await being_sent(a_ledger, "leaving")
    alter(a_ledger.database, "UPDATE log SET payload = '{}' WHERE kind = 'admitted'")
    a_clock.advance(-timedelta(seconds=1))

    refusal = await refused(a_ledger, at_most=0)

    assert codes(refusal) == ["leaving", "log", "clock", "at_most"]


@pytest.mark.postgres
async def test_promise_8_a_purge_whose_lock_another_machine_took_destroys_nothing(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was restarted while it ran, and the other was quicker to lock it again."""
    monkeypatch.setattr("repermit.ledger.postgres.locks.PING_SECONDS", 0.05)
    await fill(a_ledger, a_clock)
    other = another(a_ledger.database)
    taken, ours = other.lock("purge"), a_ledger.lock("purge")

    def loses(line: str) -> None:
        if line.startswith("taking"):
            end_sessions_with_locks(a_ledger.database)
            while not taken.acquire():
                end_sessions_with_locks(a_ledger.database)
            while ours.is_held:
                time.sleep(0.01)

    with pytest.raises(LedgerUnusable, match="another process may go on with this purge"):
        await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=loses)
    burn = campaign_folder / "keys" / "burn"
    assert sorted(path.name for path in burn.iterdir()) == ["1.key", "2.key"]
    taken.release()
    other.close()
    await purge(a_ledger, ordered(a_ledger, None), Watch(), sign=signed, tell=quietly)
    await is_whole(a_ledger, campaign_folder)


async def test_a_purge_that_began_under_new_keys_elsewhere_makes_no_others_here(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, tmp_path: Path
) -> None:
    """The machine that sealed some people anew was lost before it had sealed all of them; where one
    of them had said yes, the log tells before."""
    await fill(a_ledger, a_clock)
    await kill(a_ledger, at="sealing")
    dies = dying(a_ledger, a_clock, writes=6, after=True)
    with pytest.raises(Killed):
        await purge(
            *(dies, ordered(dies, None), Watch()),
            sign=signed,
            tell=quietly,
            slices=Slices(first=1, least=1, most=1),
        )
    await dies.close()
    assert await a_ledger.read(moved.is_used, 2)
    await a_ledger.close()
    burn = campaign_folder / "keys" / "burn"
    there = (burn / "2.key").rename(tmp_path / "2.key")
    here = reopened(a_ledger, a_clock)

    current, lock = await here.read(erasing.unfinished_purge), here.lock("purge")
    assert current is not None
    assert lock.acquire()
    phases = Phases(here, current, ordered(here, None), signed, quietly, Slices(), Watch(), lock)
    with pytest.raises(KeysUnusable, match=r"burn/2\.key, are not in this key folder"):
        await phases.finish(Purged())
    lock.release()

    assert [path.name for path in burn.iterdir()] == ["1.key"]
    there.rename(burn / "2.key")
    await purge(here, ordered(here, None), Watch(), sign=signed, tell=quietly)
    await is_whole(here, campaign_folder)
    await here.close()


async def test_a_purge_that_another_process_has_finished_meanwhile_does_nothing_more(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Its lock was lost over a long phase, and is free again: nothing of it is lost any more."""
    await fill(a_ledger, a_clock)
    await kill(a_ledger, at="taking a fresh backup")
    ours = await a_ledger.read(erasing.unfinished_purge)
    assert ours is not None
    order = ordered(a_ledger, None)
    await purge(a_ledger, order, Watch(), sign=signed, tell=quietly)
    before = await a_ledger.read(hash_of_tables)
    lock = a_ledger.lock("purge")
    assert lock.acquire()

    late = Phases(a_ledger, ours, order, signed, quietly, Slices(), Watch(), lock)
    with pytest.raises(LedgerUnusable, match="another process may go on with this purge"):
        await late.finish(Purged())

    assert await a_ledger.read(hash_of_tables) == before
    lock.release()


async def test_a_plan_changes_nothing(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await fill(a_ledger, a_clock)
    before = await a_ledger.read(hash_of_tables)

    intended = await plan(a_ledger, ordered(a_ledger, None), Watch())

    assert (intended.by_reason, intended.refused, intended.resumes) == (BY_REASON, (), False)
    assert await a_ledger.read(hash_of_tables) == before


async def test_promise_12_nothing_that_a_purge_tells_names_anyone(
    a_ledger: Ledger, a_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await fill(a_ledger, a_clock)
    told = Told([])
    refusal = await refused(a_ledger, at_most=0)
    await purge(a_ledger, ordered(a_ledger, DUE), Watch(), sign=signed, tell=told)

    said = "\n".join([*told.lines, str(refusal), refusal.hint, caplog.text])
    assert "janssens" not in said.lower()
