"""What a real purge keeps of itself, as a sample."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from repermit.cli.begin import write_campaign
from repermit.ledger.store import places
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from repermit.runtime import Runtime
from tests.builders import FakeClock
from tests.purge.builders import DUE, fill, ordered


@cache
def _sample() -> Mapping[str, Any]:
    with TemporaryDirectory() as folder:
        write_campaign(Path(folder) / "campaign", {})
        clock = FakeClock()
        return asyncio.run(_purged(Runtime.of(Path(folder) / "campaign/config.toml", clock), clock))


async def _purged(runtime: Runtime, clock: FakeClock) -> Mapping[str, Any]:
    async with runtime.ledger(create=True) as ledger:
        await fill(ledger, clock)
        await ledger.write(places.name_places, ["Mailchimp", "a laptop"])
        await ledger.write(places.hand_over, names_anybody=True)
        today = clock.now().date()
        await ledger.write(places.note_done, "Mailchimp", by="Jan Claes", on=today)
        done = await purge(
            ledger, ordered(ledger, DUE), Watch(), sign=runtime.signing.sign, tell=lambda _: None
        )
    return done.report


def a_report(**changes: Any) -> dict[str, Any]:
    """Return the report of a real purge, with some of it changed."""
    return {**_sample(), **changes}
