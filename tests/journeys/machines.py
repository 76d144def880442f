"""A campaign whose ledger is in PostgreSQL, on one machine or on several."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from repermit.domain.clock import SystemClock
from repermit.runtime import Runtime
from tests.journeys.campaign import Campaign, row, write_list
from tests.journeys.relay import free_port


def in_postgres(campaign: Campaign, url: str) -> Campaign:
    """Let *campaign* have its ledger where *url* leads to, and return it."""
    campaign.edit('url = "(sqlite|postgresql):.*"', f'url = "{url}"')
    return campaign


def approved_of(campaign: Campaign, people: int) -> Campaign:
    """Let so many be taken in and approved, and return the campaign."""
    everyone = write_list(campaign.outside / "list.csv", [row(number) for number in range(people)])
    campaign.run("import", everyone)
    campaign.run("suppress", "--none", "we never mailed them before")
    campaign.run("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    return campaign


def machine_of(campaign: Campaign, folder: Path) -> Campaign:
    """Return another machine of *campaign*: the same config and keys, an address of its own."""
    (folder / "outside").mkdir(parents=True)
    shutil.copytree(campaign.folder, folder / "campaign")
    other = Campaign(folder / "campaign", folder / "outside", free_port())
    other.edit('bind = ".*"', f'bind = "127.0.0.1:{other.web_port}"')
    return other


def senders(campaign: Campaign) -> int:
    """Return how many send now, on all machines."""

    async def count() -> int:
        async with Runtime.of(campaign.config, SystemClock()).ledger() as ledger:
            return await asyncio.to_thread(ledger.database.holders, "sender-")

    return asyncio.run(count())
