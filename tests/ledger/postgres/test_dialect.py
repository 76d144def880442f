"""What our statements are in the words of PostgreSQL."""

import pytest

from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.dialect import said

IDS = "ARRAY(SELECT CAST(value AS bigint) FROM json_each(CAST($1 AS text)))"


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT a FROM t WHERE b = ? AND c = ?", "SELECT a FROM t WHERE b = $1 AND c = $2"),
        ("SELECT a WHERE b = ?2 AND c = ?1", "SELECT a WHERE b = $2 AND c = $1"),
        (
            "SELECT '?', \"a?\", 'it''s :x' WHERE b = ?",
            "SELECT '?', \"a?\", 'it''s :x' WHERE b = $1",
        ),
        ("SELECT a WHERE b IS ?", "SELECT a WHERE b IS NOT DISTINCT FROM $1"),
        ("SELECT a WHERE b IS NOT ?", "SELECT a WHERE b IS DISTINCT FROM $1"),
        ("SELECT a WHERE b IS NOT 'x'", "SELECT a WHERE b IS DISTINCT FROM 'x'"),
        ("SELECT a WHERE b IS 'x'", "SELECT a WHERE b IS NOT DISTINCT FROM 'x'"),
        ("SELECT a WHERE b IS NOT NULL", "SELECT a WHERE b IS NOT NULL"),
        ("SELECT CAST(t.a AS BLOB), CAST(b AS TEXT)", "SELECT as_bytes(t.a), as_text(b)"),
        ("SELECT CAST(a AS INTEGER)", "SELECT CAST(a AS bigint)"),
        ("SELECT a WHERE +standing = 'x'", "SELECT a WHERE standing = 'x'"),
        ("SELECT a WHERE (+recipient.standing = 'x')", "SELECT a WHERE (recipient.standing = 'x')"),
        ("SELECT a + standing", "SELECT a + standing"),
        (
            "SELECT a WHERE id IN (SELECT value FROM json_each(?))",
            f"SELECT a WHERE id = ANY ({IDS})",
        ),
        (
            "SELECT a WHERE id NOT IN (SELECT value FROM json_each(?))",
            f"SELECT a WHERE id <> ALL ({IDS})",
        ),
        ("SELECT value FROM json_each(?)", "SELECT value FROM json_each(CAST($1 AS text))"),
        ("SELECT a[1:2]", "SELECT a[1:2]"),
    ],
)
def test_a_statement_is_said_as_postgresql_reads_it(sql: str, told: str) -> None:
    assert said(sql).sql == told


def test_values_with_a_name_are_numbered_as_they_first_come() -> None:
    found = said("SELECT a FROM t WHERE b = :b AND c = :c AND d = :b")

    assert found.sql == "SELECT a FROM t WHERE b = $1 AND c = $2 AND d = $1"
    assert found.names == ("b", "c")


@pytest.mark.parametrize(
    ("sql", "is_query"),
    [
        (" SELECT 1", True),
        ("WITH a AS (SELECT 1) SELECT 2", True),
        ("INSERT INTO t SELECT 1", False),
    ],
)
def test_a_query_only_reads(sql: str, is_query: bool) -> None:
    assert said(sql).is_query is is_query


@pytest.mark.parametrize(
    ("sql", "values", "found"),
    [
        ("SELECT max(CAST(? AS INTEGER), 2)", (1,), 2),
        ("SELECT max(CAST(? AS INTEGER), 2)", (3,), 3),
        ("SELECT max(CAST(? AS INTEGER), 2, 5)", (3,), 5),
        ("SELECT max(CAST(? AS INTEGER), 2)", (None,), None),
        ("SELECT min(CAST(? AS INTEGER), 2)", (1,), 1),
        ("SELECT min(CAST(? AS INTEGER), 2)", (3,), 2),
        ("SELECT typeof(CAST(uuid AS TEXT)) FROM campaign", (), "text"),
        ("SELECT typeof(CAST(uuid AS BLOB)) FROM campaign", (), "blob"),
        ("SELECT typeof(CAST(notice AS TEXT)) FROM campaign", (), "null"),
        ("SELECT json_extract(CAST(? AS TEXT), '$.a')", ('{"a": "b"}',), "b"),
        ("SELECT count(*) FROM json_each(?)", ("[1, 2, 3]",), 3),
        ("SELECT count(*) FROM json_each(CAST(? AS TEXT), '$.a')", ('{"a": [1, 2]}',), 2),
        ("SELECT sum(size) FROM log_head", (), 1),
        ("SELECT avg(n) FROM (SELECT 1 AS n UNION ALL SELECT 2) AS numbers", (), 1.5),
    ],
)
async def test_both_databases_find_the_same(
    a_ledger: Ledger, sql: str, values: tuple[object, ...], found: object
) -> None:
    got = await a_ledger.read(lambda tx: tx.value(sql, *values))

    assert (got, type(got)) == (found, type(found))
