"""Fixtures: an open ledger. Made once a session, copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from repermit.ledger import keys
from repermit.ledger.database import Database
from repermit.ledger.engine import Ledger
from repermit.ledger.sqlite import SQLite
from repermit.ledger.vault import Vault
from tests.builders import FakeClock
from tests.postgres import Emptied, Server

_BOTH = ("sqlite", "postgres")

settings.register_profile("repermit", deadline=None)
settings.load_profile("repermit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the browser come last: from its start on its loop holds this thread."""
    items.sort(key=lambda item: "browser" in item.keywords)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a ledger on both databases, but for what is about one of them."""
    if "kind_of_database" in metafunc.fixturenames:
        marked = [kind for kind in _BOTH if metafunc.definition.get_closest_marker(kind)]
        metafunc.parametrize("kind_of_database", marked or _BOTH, indirect=True)


@pytest.fixture
def kind_of_database(request: pytest.FixtureRequest) -> str:
    """The database that this test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this process."""
    server = Server()
    yield server
    server.end()


@pytest.fixture(scope="session")
def emptied(postgres: Server, empty_campaign: Path) -> Emptied:
    """The ledger in PostgreSQL that belongs to the keys of `empty_campaign`."""
    return Emptied(postgres.schema(), Vault(keys.load(empty_campaign / "keys")))


@pytest.fixture
def a_database(
    kind_of_database: str,
    campaign_folder: Path,
    a_clock: FakeClock,
    request: pytest.FixtureRequest,
) -> Database:
    """An empty ledger of the campaign in `campaign_folder`, which nobody has opened yet."""
    place = campaign_folder / "ledger.db"
    if kind_of_database == "sqlite":
        return SQLite(place)
    emptied: Emptied = request.getfixturevalue("emptied")
    place.unlink()
    return emptied.at(place, a_clock)


@pytest.fixture
def a_database_url(a_database: Database, request: pytest.FixtureRequest) -> str:
    """What a config in `campaign_folder` says of `a_database`."""
    if isinstance(a_database, SQLite):
        return f"sqlite:///{a_database.place.name}"
    emptied: Emptied = request.getfixturevalue("emptied")
    return emptied.url


@pytest.fixture(scope="session")
def empty_campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger (`ledger.db`) and its keys (`keys`), never written to again."""
    folder = tmp_path_factory.mktemp("campaign")
    vault = Vault(keys.create(folder / "keys"))
    ledger = Ledger.open(folder / "ledger.db", vault, FakeClock(), create=True)
    asyncio.run(ledger.close())
    return folder


@pytest.fixture
def campaign_folder(empty_campaign: Path, tmp_path: Path) -> Path:
    """A copy of the empty campaign, for this test alone."""
    return shutil.copytree(empty_campaign, tmp_path / "campaign")


@pytest.fixture
def a_vault(campaign_folder: Path) -> Vault:
    """The vault over the keys in the campaign's folder."""
    return Vault(keys.load(campaign_folder / "keys"))


@pytest.fixture
def a_clock() -> FakeClock:
    """The clock of `a_ledger`."""
    return FakeClock()


@pytest.fixture
async def a_ledger(
    a_database: Database, a_vault: Vault, a_clock: FakeClock
) -> AsyncIterator[Ledger]:
    """An open, empty ledger at a clock that stands still."""
    ledger = Ledger.open(a_database, a_vault, a_clock)
    yield ledger
    await ledger.close()
