"""A message is settled whole and once, wherever the process is killed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from repermit.domain.standing import Answer, Standing
from repermit.ledger.database import Database
from repermit.ledger.engine import Ledger
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, admit, claim, press, settle

_ROOT = Path(__file__).parents[2]


async def prepare(database: Database, vault: Vault, kind: str) -> None:
    ledger = Ledger.open(database, vault, FakeClock())
    (one,) = await admit(ledger, "somebody@gmail.com")
    await claim(ledger, one)
    await settle(ledger, one, Standing.DOUBTFUL)
    if kind == "complaint":
        await press(ledger, one, Answer.NO)
    await ledger.close()


@pytest.mark.parametrize("kind", ["hard", "complaint", "about_us"])
def test_killed_between_any_two_statements_nothing_is_half_done(
    campaign_folder: Path, a_database: Database, a_vault: Vault, a_database_url: str, kind: str
) -> None:
    asyncio.run(prepare(a_database, a_vault, kind))

    told = subprocess.run(
        [sys.executable, "-m", "tests.inbound.killed", str(campaign_folder), kind, a_database_url],
        cwd=_ROOT,
        capture_output=True,
        check=True,
        timeout=120,
    )
    first, *states = map(json.loads, told.stdout.splitlines())
    after_kill, again = states[::2], states[1::2]

    whole = again[-1]
    assert len(after_kill) > 5
    assert whole != first
    assert all(state in (first, whole) for state in after_kill)
    assert after_kill[0] == first
    assert again == [whole] * len(again)
    assert whole["holds"]
