"""A purge that is killed at any instant is finished by the next: a real process, a real SIGKILL.

What is killed is forked from this warm process, so that a kill lands in the purge and not in the
start of Python; it opens its own ledger, locks and connections.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing
from repermit.ledger.transaction import Transaction
from repermit.purge.guard import Watch
from repermit.purge.phases import Slices
from repermit.purge.run import purge
from tests.builders import ANSWER_TIME, NOW, FakeClock, asked, press, standings, verified
from tests.purge.builders import asked_later, mailbox, opened_in, ordered, signed

pytestmark = pytest.mark.torture

# 30 in `make test`; REPERMIT_KILLS=750, as `make torture` sets it, makes it 300.
KILLS = max(30, int(os.environ.get("REPERMIT_KILLS", "0")) * 2 // 5)
PEOPLE = 40
_FEW = Slices(first=3, least=3, most=3)
_AFTER = NOW + ANSWER_TIME


@dataclass
class Killed:
    """A campaign whose purges are killed."""

    folder: Path
    silent: list[int] = field(default_factory=list)  # who is in the manifest
    stay: list[int] = field(default_factory=list)
    saved: set[int] = field(default_factory=set)  # who answered while the purge was cut off

    def opened(self) -> Ledger:
        """Open the ledger, as another process does."""
        return opened_in(self.folder, FakeClock(_AFTER))

    async def fill(self) -> None:
        """Ask everybody; one in four says yes; the last day of all but one passes."""
        clock = FakeClock()
        ledger = opened_in(self.folder, clock)
        ids = await asked(ledger, *(mailbox(f"p{number}") for number in range(PEOPLE)))
        self.stay = ids[::4]
        for one in self.stay:
            await press(ledger, one, Answer.YES)
        self.silent = [one for one in ids if one not in self.stay]
        clock.advance(ANSWER_TIME)
        self.stay += await asked_later(ledger)
        await ledger.close()

    def killed(self, after_seconds: float) -> bool:
        """Kill a purge so long after its start; return whether it was not over yet."""
        pid = os.fork()
        if not pid:
            _purge_and_exit(self)
        time.sleep(after_seconds)
        os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0

    def whole_seconds(self) -> float:
        """Return how long a purge takes that nobody kills."""
        started = time.monotonic()
        pid = os.fork()
        if not pid:
            _purge_and_exit(self)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        return time.monotonic() - started

    async def answers(self) -> None:
        """Let somebody who is still there answer, if a purge was cut off among them."""
        ledger = self.opened()
        left = [one for one in self.silent if (await standings(ledger)).get(one) == "asked"]
        is_begun = await ledger.read(erasing.unfinished_purge)
        if left and is_begun:
            assert await press(ledger, left[-1], Answer.YES)
            self.saved.add(left[-1])
        await ledger.close()

    async def finish(self) -> None:
        """Purge, and check that all of the manifest is gone, and nobody else."""
        ledger = self.opened()
        done = await purge(ledger, ordered(ledger, PEOPLE), Watch(), sign=signed, tell=_quietly)
        left = await standings(ledger)
        assert set(left) == {*self.stay, *self.saved}
        assert {left[one] for one in self.saved} <= {"opted_in"}
        assert Standing.ASKED in left.values()
        assert (await verified(ledger)).holds
        assert await ledger.read(_reports) == 1
        assert done.traces == 0
        assert [path.name for path in (self.folder / "keys" / "burn").iterdir()] == ["2.key"]
        assert not await ledger.read(erasing.unfinished_purge)
        await ledger.close()


def _purge_and_exit(campaign: Killed) -> None:
    """In a forked process: purge, and end without a word."""

    async def run() -> None:
        ledger = campaign.opened()
        order = ordered(ledger, PEOPLE)
        await purge(ledger, order, Watch(), sign=signed, tell=_quietly, slices=_FEW)
        await ledger.close()

    failed = 1
    try:
        asyncio.run(run())
        failed = 0
    finally:
        os._exit(failed)


def _reports(tx: Transaction) -> int:
    return int(tx.value("SELECT count(*) FROM purge WHERE report IS NOT NULL"))


def _quietly(_: str) -> None:
    """Keep nothing of what is told."""


@pytest.fixture(scope="module")
def before_a_purge(empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """A campaign of forty people, most of whom are due."""
    folder = tmp_path_factory.mktemp("before") / "campaign"
    campaign = Killed(shutil.copytree(empty_campaign, folder))
    asyncio.run(campaign.fill())
    return campaign


@pytest.fixture
def copies(before_a_purge: Killed, tmp_path: Path) -> Iterator[Killed]:
    """Copies of it, each for one purge."""

    def made() -> Iterator[Killed]:
        while True:
            folder = shutil.copytree(before_a_purge.folder, tmp_path / "copy")
            yield Killed(folder, before_a_purge.silent, before_a_purge.stay)
            shutil.rmtree(folder)

    return made()


def test_promise_8_a_purge_that_is_killed_at_any_instant_is_finished_by_the_next(
    copies: Iterator[Killed],
) -> None:
    """The instants are spread over its whole run; one in three is killed once more, and people
    answer while it is cut off: they stay."""
    seed = int(os.environ.get("REPERMIT_SEED", secrets.randbits(32)))
    print(f"REPERMIT_SEED={seed}")
    chance, among, saved = random.Random(seed), 0, 0
    whole = max(next(copies).whole_seconds() for _ in range(2))
    for number in range(KILLS):
        campaign = next(copies)
        among += campaign.killed(whole * (number + chance.random()) / KILLS)
        asyncio.run(campaign.answers())
        if number % 3 == 0:
            among += campaign.killed(whole * chance.random())
        asyncio.run(campaign.finish())
        saved += len(campaign.saved)

    assert among > KILLS // 3, "hardly any kill came while a purge ran"
    assert saved, "nobody answered while a purge was cut off"
