"""A ledger in PostgreSQL: how it is made, checked and cleared."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from repermit.errors import LedgerAway, LedgerUnusable
from repermit.ledger import connect as opening
from repermit.ledger import copying, keys, replacing, restoring
from repermit.ledger.engine import Ledger
from repermit.ledger.mark import Mark, MarkFile, Point
from repermit.ledger.postgres.connection import connect
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.postgres.schema import make
from repermit.ledger.store import campaign
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, admit
from tests.databases import alter, another
from tests.ledger.postgres.way import Cut, Way
from tests.postgres import Server

pytestmark = pytest.mark.postgres
PATIENCE = 30.0  # seconds


@pytest.fixture
def a_new_vault(tmp_path: Path) -> Vault:
    """The vault of a campaign that has no ledger yet."""
    return Vault(keys.create(tmp_path / "keys"))


def prepared(database: PostgreSQL, vault: Vault, *, create: bool = True) -> PostgreSQL:
    """Make the ledger, or check it."""
    database.prepare(FakeClock(), vault, create=create)
    return database


def at(url: str, folder: Path) -> PostgreSQL:
    return PostgreSQL(url, folder / "ledger.db")


def test_a_ledger_is_made_once(a_schema: str, a_new_vault: Vault, tmp_path: Path) -> None:
    database = at(a_schema, tmp_path)
    assert not database.exists()
    with pytest.raises(LedgerUnusable, match="there is no ledger yet"):
        prepared(database, a_new_vault, create=False)
    prepared(database, a_new_vault)
    prepared(database, a_new_vault)

    assert database.exists()
    assert not database.place.exists()


def test_promise_1_a_ledger_that_is_gone_is_not_made_anew(
    a_schema: str, a_new_vault: Vault, tmp_path: Path
) -> None:
    point = Point(7, bytes(32))
    MarkFile(a_new_vault.keys.mark).write(Mark(point, point))

    with pytest.raises(LedgerUnusable, match="the ledger is gone: its log had 7 entries"):
        prepared(at(a_schema, tmp_path), a_new_vault)


def test_a_schema_with_tables_of_somebody_else_is_refused(
    a_schema: str, a_new_vault: Vault, tmp_path: Path
) -> None:
    with closing(connect(a_schema)) as opened:
        opened.script("CREATE TABLE theirs (a bigint)")

    with pytest.raises(LedgerUnusable, match="tables in that schema which are not a ledger's"):
        prepared(at(a_schema, tmp_path), a_new_vault)


def test_a_schema_that_is_not_there_is_named(
    a_schema: str, a_new_vault: Vault, tmp_path: Path
) -> None:
    with pytest.raises(LedgerUnusable, match=r"the schema that .* names is not there"):
        prepared(at(f"{a_schema}_not", tmp_path), a_new_vault)


def test_a_ledger_of_another_campaign_is_refused(a_server: PostgreSQL, a_new_vault: Vault) -> None:
    with pytest.raises(LedgerUnusable, match="belong to different campaigns"):
        prepared(a_server, a_new_vault)


@pytest.mark.parametrize("table", ["alembic_version", "campaign"])
def test_what_has_lost_its_first_rows_is_no_ledger(
    a_server: PostgreSQL, a_vault: Vault, table: str
) -> None:
    with closing(a_server.connect()) as opened:
        kept = opened.query(f"SELECT * FROM {table}")
        alter(a_server, f"DELETE FROM {table}")
        with pytest.raises(LedgerUnusable, match="what is there is not a ledger"):
            prepared(a_server, a_vault)
        opened.fill(table, list(kept[0].keys()), [tuple(row) for row in kept])


def test_a_ledger_that_cannot_be_finished_leaves_nothing(
    a_schema: str, a_new_vault: Vault, tmp_path: Path
) -> None:
    """The keys to sign its first entry with are gone."""

    class Broken:
        def now(self) -> None:
            raise LedgerUnusable("no clock", hint="")

    database = at(a_schema, tmp_path)
    with pytest.raises(LedgerUnusable, match="no clock"):
        database.prepare(Broken(), a_new_vault, create=True)  # type: ignore[arg-type]
    assert not database.exists()
    prepared(database, a_new_vault)


def test_a_ledger_whose_making_is_cut_leaves_nothing(
    a_schema: str, a_new_vault: Vault, tmp_path: Path
) -> None:
    way = Way(a_schema, Cut(b"CREATE TABLE"))
    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        prepared(at(way.through, tmp_path), a_new_vault)
    way.end()

    assert not at(a_schema, tmp_path).exists()


def until(is_so: Callable[[], object]) -> None:
    """Wait for that."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_whoever_makes_a_ledger_waits_for_another_who_does(
    a_schema: str, a_new_vault: Vault, tmp_path: Path, postgres: Server
) -> None:
    first, second = at(a_schema, tmp_path), at(a_schema, tmp_path)
    waits = (
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid ="
        " (SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = $1)"
    )
    with closing(first.connect()) as making, closing(connect(postgres.url)) as looking:
        first.begin(making)
        pid = making.query("SELECT pg_backend_pid()")[0][0]
        thread = threading.Thread(target=prepared, args=(second, a_new_vault))
        thread.start()
        until(lambda: looking.query(waits, pid))
        make(making)
        opening.begin_campaign(making, FakeClock(), a_new_vault, first.place)
        making.execute("COMMIT")
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert making.execute("SELECT count(*) FROM campaign").fetchone() == (1,)


_MAKES = """
import sys
from pathlib import Path
from repermit.ledger import copying, keys, replacing, restoring
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.vault import Vault
from tests.builders import FakeClock
url, folder = sys.argv[1], Path(sys.argv[2])
database = PostgreSQL(url, folder / "ledger.db")
database.prepare(FakeClock(), Vault(keys.load(folder / "keys")), create=True)
"""


def test_two_processes_make_one_ledger(a_schema: str, a_new_vault: Vault, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _MAKES, a_schema, str(tmp_path)]
    both = [subprocess.Popen(command) for _ in range(2)]

    assert [process.wait(2 * PATIENCE) for process in both] == [0, 0]
    with closing(connect(a_schema)) as opened:
        assert opened.execute("SELECT count(*) FROM campaign").fetchone() == (1,)
    prepared(at(a_schema, tmp_path), a_new_vault, create=False)


def test_a_user_without_rights_is_told_what_is_needed(
    a_schema: str, a_new_vault: Vault, tmp_path: Path, postgres: Server
) -> None:
    schema = a_schema.rpartition("=")[2]
    postgres.run(
        f"CREATE ROLE reader_{schema} LOGIN PASSWORD 'x'",
        f"GRANT USAGE ON SCHEMA {schema} TO reader_{schema}",
    )
    try:
        parts = urlsplit(a_schema)
        host = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=f"reader_{schema}:x@{host}").geturl()
        with pytest.raises(LedgerUnusable, match="does not let this user do that"):
            prepared(at(url, tmp_path), a_new_vault)
    finally:
        postgres.run(f"DROP OWNED BY reader_{schema}", f"DROP ROLE reader_{schema}")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("53100", "the disk of the database is full"),
        ("53300", "no connection left for this machine"),
        ("55P03", "locked by another machine"),
        ("25006", "takes no changes"),
        ("28P01", "does not let this user in"),
        ("42501", "does not let this user do that"),
        ("42704", "does not know something that database.url asks"),
        ("22021", "does not keep"),
        ("08006", "the way to it is cut"),
    ],
)
async def test_what_the_database_says_is_told_with_what_to_do(
    a_ledger: Ledger, code: str, said: str
) -> None:
    raises = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'x'; END $$"

    with pytest.raises(LedgerUnusable, match=said) as raised:
        await a_ledger.write(lambda tx: tx.run(raises))
    assert raised.value.hint
    assert await a_ledger.write(campaign.pause)


async def test_no_row_that_a_purge_deleted_is_left_to_read(a_ledger: Ledger) -> None:
    await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(40)))
    await a_ledger.write(lambda tx: tx.run("DELETE FROM recipient WHERE id > 1"))
    await a_ledger.checkpoint()

    dead = "SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = to_regclass('recipient')"
    assert await a_ledger.read(lambda tx: tx.value(dead)) == 0
    known = "SELECT reltuples FROM pg_class WHERE oid = to_regclass('recipient')"
    assert await a_ledger.read(lambda tx: tx.value(known)) == 1


async def test_it_is_cleared_once_nobody_reads_what_was_there_before(a_ledger: Ledger) -> None:
    with closing(a_ledger.database.connect(read_only=True)) as reader:
        a_ledger.database.begin_reading(reader)
        reader.execute("SELECT count(*) FROM log").fetchone()
        await a_ledger.write(campaign.pause)
        clearing = asyncio.ensure_future(a_ledger.checkpoint(patience=PATIENCE))
        await asyncio.sleep(0.2)
        assert not clearing.done()
    await asyncio.wait_for(clearing, PATIENCE)


def test_every_row_is_handed_out_with_its_values_apart(a_server: PostgreSQL) -> None:
    with closing(a_server.connect()) as opened:
        owner = opened.execute("SELECT uuid FROM campaign").fetchone()[0]
    found = b"".join(a_server.content())

    assert owner.encode() + bytes(4) in found


def test_content_that_cannot_be_had_is_an_expected_failure(
    a_way: Way, a_server: PostgreSQL
) -> None:
    rows = PostgreSQL(a_way.through, a_server.place).content()
    next(rows)
    a_way.cut_all()

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        list(rows)


async def test_promise_1_a_machine_whose_last_write_never_came_is_no_older_copy(
    a_ledger: Ledger, a_vault: Vault, tmp_path: Path
) -> None:
    """It was killed between its mark and the commit, and another machine wrote in its place."""
    await a_ledger.write(campaign.pause)
    mark = MarkFile(a_vault.keys.mark).read()
    assert mark is not None
    never = Point(mark.committed.size + 2, b"x" * 32)
    elsewhere = tmp_path / "mark"
    MarkFile(elsewhere).write(Mark(mark.committed, never))
    await a_ledger.write(campaign.resume)

    other = Ledger.open(another(a_ledger.database), a_vault, FakeClock(), mark=elsewhere)
    assert not await other.read(other.older_copy)
    assert await other.write(campaign.pause)
    assert not await other.read(other.older_copy)
    await other.close()


async def test_promise_1_another_history_up_to_the_mark_is_an_older_copy(
    a_ledger: Ledger, a_vault: Vault, tmp_path: Path
) -> None:
    await a_ledger.write(campaign.pause)
    await a_ledger.write(campaign.resume)
    committed, never = Point(2, b"y" * 32), Point(5, b"x" * 32)
    elsewhere = tmp_path / "mark"
    MarkFile(elsewhere).write(Mark(committed, never))

    other = Ledger.open(another(a_ledger.database), a_vault, FakeClock(), mark=elsewhere)
    assert await other.read(other.older_copy)
    await other.close()


async def test_promise_1_an_older_copy_that_one_machine_accepted_is_no_older_copy_for_another(
    a_ledger: Ledger, a_vault: Vault, a_clock: FakeClock, tmp_path: Path
) -> None:
    """The mark of the other is ahead of the copy, for good; and it had given the newest ids."""
    other = Ledger.open(another(a_ledger.database), a_vault, a_clock, mark=tmp_path / "mark")
    (first,) = await admit(other, "an@voorbeeld.example")
    copying.copy(a_ledger.database, tmp_path / "staged")
    (given,) = await admit(other, "jan@voorbeeld.example")
    await other.write(campaign.pause)
    (tmp_path / "copies").mkdir()
    restoring.make_ready(tmp_path / "staged", a_vault, tmp_path / "copies", a_clock.now())
    there = replacing.entries(a_ledger.database)
    replacing.replace(
        *(a_ledger.database, tmp_path / "staged"), aside=tmp_path / "aside", instead=there
    )
    assert await other.read(other.older_copy)

    await a_ledger.write(a_ledger.accept_copy)
    assert not await other.read(other.older_copy)
    await other.write(lambda _: None)
    assert not await a_ledger.read(a_ledger.older_copy)
    assert (await other.verified()).holds
    (following,) = await admit(a_ledger, "els@voorbeeld.example")
    assert first < given < following  # no link that is out leads to somebody else
    await other.close()


def test_what_is_about_files_is_nothing_here(a_server: PostgreSQL) -> None:
    with a_server.waiting():
        assert not a_server.is_awaited()
    a_server.require_in_place()
    with closing(a_server.connect()) as opened:
        assert a_server.give_back(opened, 10) == 0
        assert a_server.usable(opened)


async def test_a_look_reads_what_a_read_reads(a_ledger: Ledger) -> None:
    def size(tx: Transaction) -> int:
        return int(tx.value("SELECT size FROM log_head"))

    assert await a_ledger.look(size) == 1


def test_without_patience_a_server_that_is_away_is_tried_once(tmp_path: Path) -> None:
    """Whatever listens there hangs up at once."""
    tries = []
    with socket.create_server(("127.0.0.1", 0)) as end:

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    end.accept()[0].close()
                    tries.append(1)

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"postgresql://me@127.0.0.1:{end.getsockname()[1]}/ledger?sslmode=disable"
        with pytest.raises(LedgerAway):
            PostgreSQL(url, tmp_path / "ledger.db", patience=0).exists()
        end.shutdown(socket.SHUT_RDWR)

    assert len(tries) == 1
