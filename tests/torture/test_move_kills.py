"""A move to PostgreSQL that is killed at any instant leaves one ledger in use, and the next move
ends it: a real process, a real SIGKILL."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from repermit.domain.clock import SystemClock
from repermit.domain.standing import Standing
from repermit.errors import LedgerUnusable
from repermit.ledger import keys, moving
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, admit, asked, claim, settle, standings, verified
from tests.postgres import Server

pytestmark = pytest.mark.torture

# 12 in `make test`; REPERMIT_KILLS=750, as `make torture` sets it, makes it 75.
KILLS = max(12, int(os.environ.get("REPERMIT_KILLS", "0")) // 10)
PEOPLE = 40


@dataclass
class Moving:
    """A campaign of which half is asked, and where its ledger goes."""

    folder: Path
    url: str

    @property
    def file(self) -> Path:
        """Return where the ledger is before it moves."""
        return self.folder / "ledger.db"

    def target(self) -> PostgreSQL:
        """Return where it goes."""
        return PostgreSQL(self.url, self.file)

    def vault(self) -> Vault:
        """Return the vault over its keys."""
        return Vault(keys.load(self.folder / "keys"))

    def move(self) -> None:
        """Move it, or do what is left of that, as the command does."""
        vault, target, clock = self.vault(), self.target(), SystemClock()
        if moving.finish(self.file, target, vault, clock) is None:
            with moving.held(self.file, vault) as source:
                moving.move(self.file, source, target, vault, clock)

    def killed(self, after_seconds: float) -> bool:
        """Kill a move so long after its start; return whether it was not over yet."""
        pid = os.fork()
        if not pid:
            self.move()
            os._exit(0)
        time.sleep(after_seconds)
        os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0

    def in_use(self) -> list[str]:
        """Return which of the two somebody can open."""
        found = []
        for name, database in (("file", self.file), ("server", self.target())):
            try:
                ledger = Ledger.open(database, self.vault(), FakeClock())
            except LedgerUnusable:
                continue
            found.append(name)
            asyncio.run(ledger.close())
        return found

    async def goes_on(self, database: Path | PostgreSQL) -> dict[int, str]:
        """Ask one more there, and return where everybody stands."""
        ledger = Ledger.open(database, self.vault(), FakeClock())
        listed = [one for one, name in (await standings(ledger)).items() if name == "listed"]
        await claim(ledger, listed[0])
        assert await settle(ledger, listed[0], Standing.ASKED)
        found = await standings(ledger)
        assert (await verified(ledger)).holds
        await ledger.close()
        return found


async def fill(file: Path, vault: Vault) -> None:
    """Ask half of the people."""
    ledger = Ledger.open(file, vault, FakeClock())
    await asked(ledger, *(f"p{number}@voorbeeld.example" for number in range(PEOPLE // 2)))
    await admit(ledger, *(f"q{number}@voorbeeld.example" for number in range(PEOPLE // 2)))
    await ledger.close()


def test_killed_at_any_instant_one_of_the_two_is_in_use_and_the_next_move_ends_it(
    campaign_folder: Path, tmp_path: Path, postgres: Server, seed: int
) -> None:
    asyncio.run(fill(campaign_folder / "ledger.db", Vault(keys.load(campaign_folder / "keys"))))
    chances, whole, cut_off = random.Random(seed), 1.0, 0
    for number in range(KILLS):
        one = Moving(shutil.copytree(campaign_folder, tmp_path / str(number)), postgres.schema())
        started = time.monotonic()
        if number == 0:
            one.move()
            whole = time.monotonic() - started
            continue
        is_cut_off = one.killed(chances.uniform(0, 1.1) * whole)
        cut_off += is_cut_off
        in_use = one.in_use()
        assert len(in_use) <= 1, "never both"
        asked_since = 0
        if in_use == ["file"]:
            before, asked_since = asyncio.run(one.goes_on(one.file)), 1
        one.move()

        assert one.in_use() == ["server"]
        after = asyncio.run(one.goes_on(one.target()))
        counted = list(after.values()).count("asked")
        assert (counted, len(after)) == (PEOPLE // 2 + asked_since + 1, PEOPLE)
        if asked_since:
            assert all(
                after[person] == stood for person, stood in before.items() if stood != "listed"
            )
        shutil.rmtree(one.folder)
    assert cut_off > KILLS // 4
