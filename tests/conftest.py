"""Fixtures: an open ledger. Made once a session, copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.vault import Vault
from tests.builders import FakeClock

settings.register_profile("repermit", deadline=None)
settings.load_profile("repermit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the browser come last: from its start on its loop holds this thread."""
    items.sort(key=lambda item: "browser" in item.keywords)


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
    campaign_folder: Path, a_vault: Vault, a_clock: FakeClock
) -> AsyncIterator[Ledger]:
    """An open, empty ledger at a clock that stands still."""
    ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, a_clock)
    yield ledger
    await ledger.close()
