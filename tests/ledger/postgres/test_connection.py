"""A connection to PostgreSQL is used as one to SQLite is."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from repermit.errors import LedgerUnusable
from repermit.ledger.database import DatabaseFailed
from repermit.ledger.postgres.connection import PgConnection, connect
from repermit.ledger.postgres.engine import PostgreSQL
from tests.ledger.postgres.way import Way
from tests.postgres import Server

pytestmark = pytest.mark.postgres
MANY = "SELECT n FROM generate_series(1, ?) AS numbers (n)"
PID = "SELECT pg_backend_pid()"


@pytest.fixture
def opened(a_schema: str) -> Iterator[PgConnection]:
    """A connection to an empty schema."""
    with closing(connect(a_schema)) as connection:
        yield connection


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1_200])
@pytest.mark.parametrize("within", [False, True], ids=["alone", "within a transaction"])
def test_all_rows_come_in_their_order(opened: PgConnection, count: int, within: bool) -> None:
    if within:
        opened.execute("BEGIN")

    assert [row[0] for row in opened.execute(MANY, (count,))] == list(range(1, count + 1))
    assert opened.in_transaction is within


def test_rows_come_one_after_the_other_within_a_transaction(opened: PgConnection) -> None:
    """So that a table can be read that is longer than memory, and these rows have no end. Another
    statement may come between two of them."""
    opened.execute("BEGIN")
    rows = opened.execute(
        "WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"
    )

    assert (next(rows), next(rows)) == ((1,), (2,))
    assert opened.execute("SELECT 'another'").fetchall() == [("another",)]
    assert next(rows) == (3,)


def test_a_cursor_has_the_first_row_and_then_the_others(opened: PgConnection) -> None:
    cursor = opened.execute(MANY, (3,))

    assert cursor.fetchone() == (1,)
    assert cursor.fetchall() == [(2,), (3,)]
    assert (cursor.fetchone(), cursor.fetchall()) == (None, [])
    opened.execute("BEGIN")
    assert opened.execute(MANY, (2,)).fetchall() == [(1,), (2,)]


def test_how_many_rows_were_changed_is_known(opened: PgConnection) -> None:
    assert opened.execute("CREATE TABLE t (a bigint)").rowcount == -1
    opened.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])

    assert opened.execute("UPDATE t SET a = a + 1").rowcount == 2
    assert opened.execute("DELETE FROM t WHERE a = 9").rowcount == 0


def test_sums_are_whole_numbers(opened: PgConnection) -> None:
    found = opened.execute("SELECT sum(a), avg(a) FROM (VALUES (1), (2)) AS t (a)").fetchone()

    assert [(one, type(one)) for one in found] == [(3, int), (1.5, float)]


def test_more_statements_than_are_kept_are_run(opened: PgConnection) -> None:
    assert [opened.execute(f"SELECT {n}").fetchone()[0] for n in range(600)] == list(range(600))
    assert opened.execute("SELECT 0").fetchone() == (0,)


async def test_it_is_used_also_where_a_loop_runs(a_schema: str) -> None:
    """Such as by a command that is async and looks at a lock."""
    with closing(connect(a_schema)) as opened:
        assert opened.execute(MANY, (2,)).fetchall() == [(1,), (2,)]


def test_a_read_only_connection_writes_nothing(a_schema: str) -> None:
    with closing(connect(a_schema, read_only=True)) as opened:
        with pytest.raises(DatabaseFailed) as failed:
            opened.execute("CREATE TABLE t (a bigint)")
        assert (failed.value.code, failed.value.is_away) == ("25006", False)


def test_a_session_that_was_ended_is_known_as_lost(postgres: Server, opened: PgConnection) -> None:
    opened.execute("BEGIN")
    postgres.run(f"SELECT pg_terminate_backend({opened.query(PID)[0][0]})")

    with pytest.raises(DatabaseFailed) as failed:
        opened.query("SELECT 1")
    assert failed.value.is_away
    assert (opened.is_closed, opened.in_transaction) == (True, False)


def test_closing_twice_closes_once(a_schema: str) -> None:
    opened = connect(a_schema)
    opened.close()
    opened.close()

    assert opened.is_closed


def test_closing_does_not_wait_for_a_server_that_says_nothing(a_way: Way) -> None:
    opened = connect(a_way.through)
    a_way.silence()
    opened.close()

    assert opened.is_closed


def test_without_its_driver_it_says_how_to_install_it(
    a_schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)

    with pytest.raises(LedgerUnusable, match="its driver is not installed") as refused:
        connect(a_schema)
    assert "repermit[postgres]" in refused.value.hint


def refused(url: str, tmp_path: Path) -> LedgerUnusable:
    """Return what is said where *url* leads."""
    with pytest.raises(LedgerUnusable) as raised:
        PostgreSQL(url, tmp_path / "ledger.db").exists()
    return raised.value


def test_a_database_that_is_not_there_is_named(postgres: Server, tmp_path: Path) -> None:
    url = urlsplit(postgres.url)._replace(path="/nowhere").geturl()

    assert "there is no such database" in str(refused(url, tmp_path))


def test_what_the_url_says_wrongly_is_not_waited_for(postgres: Server, tmp_path: Path) -> None:
    for wrong in ("sslmod=verify-full", "sslmode=bogus"):
        url = f"{postgres.url}{'&' if '?' in postgres.url else '?'}{wrong}"

        assert "behind the ? of database.url" in refused(url, tmp_path).hint


def test_a_user_who_is_not_known_is_refused(postgres: Server, tmp_path: Path) -> None:
    at = urlsplit(postgres.url)
    url = at._replace(netloc=f"somebody:@{at.netloc.rpartition('@')[2]}").geturl()

    assert "does not let this user in" in str(refused(url, tmp_path))


def test_a_server_that_is_not_there_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repermit.ledger.postgres.engine.BUSY_SECONDS", 0.1)
    said = refused(f"postgresql://postgres@/postgres?host={tmp_path}", tmp_path)

    assert "not there" in str(said)
    assert "what was confirmed before is safe" in said.hint
