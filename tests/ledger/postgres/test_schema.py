"""The tables that are made in PostgreSQL are those that the code knows."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy.dialects import postgresql

from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.tables import Campaign

pytestmark = pytest.mark.postgres
COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace) AND c.relkind = 'r'
 AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'alembic_version'
"""
INDEXES = """
SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'ix_%'
"""
ALIASES = {"varchar": "text", "integer": "bigint"}


def test_every_column_is_there_with_its_type(a_server: PostgreSQL) -> None:
    known = {
        (
            table.name,
            column.name,
            _type(str(column.type.compile(postgresql.dialect()))),  # type: ignore[no-untyped-call]
            bool(column.nullable),
        )
        for table in Campaign.metadata.sorted_tables
        for column in table.columns
    }
    with closing(a_server.connect()) as opened:
        rows = [tuple(row) for row in opened.query(COLUMNS)]
    made = {(table, column, _type(kind), is_null) for table, column, kind, is_null in rows}

    assert made == known


def test_every_index_is_there(a_server: PostgreSQL) -> None:
    known = {index.name for table in Campaign.metadata.sorted_tables for index in table.indexes}
    with closing(a_server.connect()) as opened:
        made = {row[0] for row in opened.query(INDEXES)}

    assert made == known


def _type(name: str) -> str:
    """Return a name for all types that hold the same."""
    return ALIASES.get(name.lower(), name.lower())
