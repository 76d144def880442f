"""Fixtures: a way to the server that can be cut, and a ledger at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from repermit.ledger.database import Database
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.vault import Vault
from tests.builders import FakeClock
from tests.ledger.postgres.way import Way
from tests.postgres import Server


@pytest.fixture
def a_schema(postgres: Server) -> str:
    """The URL of an empty schema."""
    return postgres.schema()


@pytest.fixture
def a_server(a_database: Database) -> PostgreSQL:
    """The database of an empty ledger."""
    assert isinstance(a_database, PostgreSQL)
    return a_database


@pytest.fixture
def a_way(a_server: PostgreSQL) -> Iterator[Way]:
    """A way to that database."""
    way = Way(a_server.url)
    yield way
    way.end()


@pytest.fixture
async def far_ledger(
    a_server: PostgreSQL, a_way: Way, a_vault: Vault, a_clock: FakeClock
) -> AsyncIterator[Ledger]:
    """The ledger at the end of that way."""
    ledger = Ledger.open(PostgreSQL(a_way.through, a_server.place), a_vault, a_clock)
    yield ledger
    await ledger.close()
