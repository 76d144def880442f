"""Fixtures: the answer pages of a campaign with one purpose, and of one with two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import FakeClock
from tests.respond.builders import Site, served


@pytest.fixture
async def a_site(
    campaign_folder: Path, a_clock: FakeClock, a_database_url: str
) -> AsyncIterator[Site]:
    """The answer pages of a campaign for a newsletter."""
    async with served(campaign_folder, a_clock, database=a_database_url) as site:
        yield site


@pytest.fixture
async def a_site_of_two(
    campaign_folder: Path, a_clock: FakeClock, a_database_url: str
) -> AsyncIterator[Site]:
    """The answer pages of a campaign for a newsletter and a fair."""
    async with served(campaign_folder, a_clock, database=a_database_url, several=True) as site:
        yield site
