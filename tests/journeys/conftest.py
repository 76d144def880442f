"""Fixtures: a campaign at three stages, copied for each test, and a relay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.campaign import Campaign, Templates, make_templates
from tests.journeys.relay import Relay


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The campaigns to copy, made once."""
    return make_templates(tmp_path_factory.getbasetemp() / "templates")


@pytest.fixture
def begun(templates: Templates, tmp_path: Path) -> Iterator[Campaign]:
    """A campaign with a config and keys, and no ledger yet."""
    campaign = templates.begun.copied(tmp_path / "begun")
    yield campaign
    campaign.end()


@pytest.fixture
def approved(templates: Templates, tmp_path: Path) -> Iterator[Campaign]:
    """A campaign whose list is approved; nothing has left."""
    campaign = templates.approved.copied(tmp_path / "approved")
    yield campaign
    campaign.end()


@pytest.fixture
def asked(templates: Templates, tmp_path: Path) -> Iterator[Campaign]:
    """A campaign in which everyone listed has their mail; nobody has answered."""
    campaign = templates.asked.copied(tmp_path / "asked")
    yield campaign
    campaign.end()


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay that takes everything."""
    with Relay() as running:
        yield running
