"""A ledger is taken from one database into the other, and is the same there."""

import os
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from repermit.domain.standing import Answer
from repermit.errors import LedgerUnusable
from repermit.ledger import connect, transfer
from repermit.ledger.database import DatabaseFailed
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.tables import Campaign
from repermit.ledger.transaction import Transaction
from tests.builders import FakeClock, admit, asked, press, standings, verified
from tests.databases import alter, another
from tests.ledger.postgres.way import Cut, Way

pytestmark = pytest.mark.postgres
AN, JAN, ELS = (f"{name}@voorbeeld.example" for name in ("an", "jan", "els"))


@pytest.fixture
async def a_copy(a_ledger: Ledger, tmp_path: Path) -> Path:
    """A ledger with a yes, as a SQLite file."""
    one, _ = await asked(a_ledger, AN, JAN)
    await press(a_ledger, one, Answer.YES)
    transfer.to_file(a_ledger.database, tmp_path / "copy.db")
    return tmp_path / "copy.db"


def in_schema(url: str, ledger: Ledger) -> PostgreSQL:
    return PostgreSQL(url, ledger.path)


async def test_a_ledger_in_a_file_is_the_one_in_the_database(
    a_ledger: Ledger, a_copy: Path, tmp_path: Path
) -> None:
    copy = Ledger.open(a_copy, a_ledger.vault, FakeClock(), mark=tmp_path / "mark")

    assert await standings(copy) == await standings(a_ledger) == {1: "opted_in", 2: "asked"}
    assert await content(copy) == await content(a_ledger)
    await copy.close()


async def test_a_copy_is_its_owners_alone(a_copy: Path) -> None:
    assert os.stat(a_copy).st_mode & 0o777 == 0o600  # noqa: PTH116 - nobody waits


async def content(ledger: Ledger) -> dict[str, list[str]]:
    """Return every row of every table; a flag and its number are the same."""

    def part(tx: Transaction) -> dict[str, list[str]]:
        return {
            name: sorted(
                repr([int(value) if isinstance(value, bool) else value for value in row])
                for row in tx.rows(f'SELECT * FROM "{name}"')
            )
            for name in Campaign.metadata.tables
        }

    return await ledger.read(part)


async def test_a_long_table_is_copied_in_parts_and_never_held_as_a_whole(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    rows = [(f"{n:064}", "page", "nl", "1", "x" * 1_000) for n in range(20_001)]
    columns = ("hash", "kind", "language", "release", "content")
    await a_ledger.write(lambda tx: tx.fill("snapshot", columns, rows))
    rows.clear()
    tracemalloc.start()
    transfer.to_file(a_ledger.database, tmp_path / "copy.db")
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    copy = Ledger.open(tmp_path / "copy.db", a_ledger.vault, FakeClock(), mark=tmp_path / "mark")
    assert await copy.read(lambda tx: tx.value("SELECT count(*) FROM snapshot")) == 20_001
    assert most_bytes < 12_000_000 < 20_001 * 1_000
    await copy.close()


async def test_a_file_fills_an_empty_schema_and_the_ledger_goes_on_there(
    a_ledger: Ledger, a_copy: Path, a_schema: str
) -> None:
    there = in_schema(a_schema, a_ledger)
    transfer.to_postgres(a_copy, there)

    moved = Ledger.open(another(there), a_ledger.vault, FakeClock())
    assert await standings(moved) == {1: "opted_in", 2: "asked"}
    assert await admit(moved, ELS) == [3]
    assert (await verified(moved)).holds
    await moved.close()


async def test_a_ledger_that_is_there_is_replaced_only_when_that_is_said(
    a_ledger: Ledger, a_copy: Path
) -> None:
    await admit(a_ledger, ELS)
    await a_ledger.close()
    assert isinstance(a_ledger.database, PostgreSQL)
    with pytest.raises(LedgerUnusable, match="there is a ledger already"):
        transfer.to_postgres(a_copy, a_ledger.database)
    transfer.to_postgres(a_copy, a_ledger.database, instead=True)

    put_back = Ledger.open(another(a_ledger.database), a_ledger.vault, FakeClock())
    assert await standings(put_back) == {1: "opted_in", 2: "asked"}
    assert await put_back.read(put_back.older_copy)
    await put_back.close()


async def test_a_schema_with_other_tables_is_not_filled(
    a_ledger: Ledger, a_copy: Path, a_schema: str
) -> None:
    there = in_schema(a_schema, a_ledger)
    with closing(there.connect()) as opened:
        opened.script("CREATE TABLE theirs (a bigint)")

    with pytest.raises(LedgerUnusable, match="not a ledger's"):
        transfer.to_postgres(a_copy, there)


async def test_tables_of_others_are_not_emptied_with_a_ledger_that_is_replaced(
    a_ledger: Ledger, a_copy: Path
) -> None:
    """They were made after the ledger, in its schema."""
    assert isinstance(a_ledger.database, PostgreSQL)
    with closing(a_ledger.database.connect()) as opened:
        opened.script("CREATE TABLE theirs AS SELECT 7 AS a")
        transfer.to_postgres(a_copy, a_ledger.database, instead=True)
        found = opened.query("SELECT a FROM theirs")
        opened.script("DROP TABLE theirs")

    assert [each[0] for each in found] == [7]


async def test_a_file_that_is_not_whole_leaves_the_schema_as_it_was(
    a_ledger: Ledger, a_copy: Path, a_schema: str
) -> None:
    with closing(connect.connection(a_copy)) as raw:
        raw.execute("UPDATE log_head SET size = 2")
    there = in_schema(a_schema, a_ledger)

    with pytest.raises(LedgerUnusable, match="the copy of the ledger is not whole"):
        transfer.to_postgres(a_copy, there)
    assert not there.exists()


async def test_a_ledger_that_is_not_whole_has_no_copy(a_ledger: Ledger, tmp_path: Path) -> None:
    await admit(a_ledger, AN)
    alter(a_ledger.database, 'DELETE FROM log WHERE "index" = 1')

    with pytest.raises(LedgerUnusable, match="the copy of the ledger is not whole"):
        transfer.to_file(a_ledger.database, tmp_path / "copy.db")


async def test_a_way_that_is_cut_leaves_the_schema_as_it_was(
    a_ledger: Ledger, a_copy: Path, a_schema: str
) -> None:
    way = Way(a_schema)
    way.cut = Cut(b"setval")

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        transfer.to_postgres(a_copy, in_schema(way.through, a_ledger))
    way.end()
    assert not in_schema(a_schema, a_ledger).exists()


def test_what_no_command_expects_is_not_translated() -> None:
    failure = DatabaseFailed("something else", code="XX000")

    assert connect.translate(failure) is failure
