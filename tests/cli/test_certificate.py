"""A certificate that ends before the last answer may come is told of while there is time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.cli.probe import certificate_warning, last_answer
from repermit.ledger.store.probing import Vantage
from repermit.respond.probe import Found
from tests.builders import NOW, admit, ask
from tests.respond.test_probe import Campaign, opened

URL = "https://answer.example.org"


@pytest.fixture
async def campaign(campaign_folder: Path) -> AsyncIterator[Campaign]:
    """A campaign in which nobody has a mail yet."""
    async with opened(campaign_folder) as campaign:
        yield campaign


def test_only_one_that_ends_too_early_is_told_of() -> None:
    ends = NOW + timedelta(days=9)
    found = Found(URL, Vantage.HERE, 0.1, certificate_ends=ends)

    warning = certificate_warning(found, ends + timedelta(seconds=1))

    assert warning.startswith(f"The certificate of {URL} ends at 2026-11-30T09:30:00Z")
    assert certificate_warning(found, ends) == ""
    assert certificate_warning(found, None) == ""
    assert certificate_warning(Found(URL, Vantage.HERE, 0.1), ends) == ""


async def test_who_waits_for_a_mail_may_answer_last(campaign: Campaign) -> None:
    """With everybody asked, the last deadline that was printed counts."""
    today = campaign.runtime.question.due_at(NOW)
    assert await last_answer(campaign.runtime, campaign.ledger) == today
    first, _ = await admit(campaign.ledger, "an@people.example", "jan@people.example")
    await ask(campaign.ledger, first)
    assert await last_answer(campaign.runtime, campaign.ledger) == today

    await campaign.ledger.write(lambda tx: tx.run("DELETE FROM recipient WHERE id <> ?", first))

    due = await last_answer(campaign.runtime, campaign.ledger)
    assert NOW < due < today
