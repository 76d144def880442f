"""When the last answer may come: until then the certificate must hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from repermit.cli.probe import last_answer
from tests.builders import NOW, admit, ask
from tests.respond.test_probe import Campaign, opened


@pytest.fixture
async def campaign(campaign_folder: Path) -> AsyncIterator[Campaign]:
    """A campaign in which nobody has a mail yet."""
    async with opened(campaign_folder) as campaign:
        yield campaign


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
