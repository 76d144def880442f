"""One mail, whatever crashes: real senders killed at any instant, a real relay that counts."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from repermit.cli import main
from repermit.cli.begin import write_campaign
from repermit.domain.clock import Clock, SystemClock
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction
from repermit.runtime import Runtime
from tests.relays import Faults, Phase, Relay, in_turn, says
from tests.torture.nursery import Nursery

pytestmark = pytest.mark.torture

KILLS = int(os.environ.get("REPERMIT_KILLS", "12"))
CONNECTIONS = 5
_LOADING_SECONDS = 1.5  # Python starts and loads the code of a sender
_STARTING_SECONDS = 0.4  # it reads its config, its words and the ledger
_MOST_MAILS, _SENDING_SECONDS = 20, 0.05  # which it has sent, and how long after that
_LOAD_KILLS, _START_KILLS = 0.05, 0.2  # the share of the kills that come before the first mail
_PER_KILL = 25  # recipients; more than a sender reaches, on average, before it is killed
_VERIFIED_EVERY = 50  # kills
_END_SECONDS = 120


class Later:
    """The machine's clock, some time ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead, self._system = ahead, SystemClock()

    def now(self) -> datetime:
        """Return the moment that much from now."""
        return self._system.now() + self._ahead


@dataclass
class Campaign:
    """A campaign on disk, driven by the command line only."""

    folder: Path
    addresses: list[str]
    kills: list[int] = field(default_factory=list)  # connections open at each

    @property
    def config(self) -> str:
        return str(self.folder / "config.toml")

    def run(self, *words: str, clock: Clock | None = None) -> str:
        """Run a command that must succeed, and return what it printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert main(["--config", self.config, *words], clock=clock) == 0, words
        return printed.getvalue()

    def sender(self) -> subprocess.Popen[bytes]:
        """Start a sender as an operator would."""
        return subprocess.Popen(
            [sys.executable, "-m", "repermit", "--config", self.config, "send", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def kill_loading(self, relay: Relay, chance: random.Random) -> None:
        """Start a sender as an operator would, and kill it while its code is loaded; a quick
        machine may be among the mails by then."""
        with self.sender() as sender:
            time.sleep(chance.uniform(0.0, _LOADING_SECONDS))
            closed = relay.closed
            sender.kill()
            sender.communicate()
            assert sender.returncode == -signal.SIGKILL, "it had ended by itself"
        _wait_until(lambda: relay.opened == relay.closed)
        self.kills.append(relay.opened - closed)

    def kill_running(self, nursery: Nursery, relay: Relay, chance: random.Random) -> None:
        """Start a sender and kill it at any instant: before its first mail, or among its mails."""
        opened = relay.opened
        sender = nursery.sender()
        if chance.random() < _START_KILLS:
            time.sleep(chance.uniform(0.0, _STARTING_SECONDS))
        else:
            mails = len(relay.deliveries) + chance.randrange(_MOST_MAILS)
            _wait_until(lambda: relay.opened > opened and len(relay.deliveries) >= mails)
            time.sleep(chance.uniform(0.0, _SENDING_SECONDS))
        closed = relay.closed
        assert nursery.killed(sender) == -signal.SIGKILL, "it had ended by itself"
        _wait_until(lambda: relay.opened == relay.closed)
        self.kills.append(relay.opened - closed)

    def send_to_the_end(self) -> dict[str, Any]:
        """Send until nothing may leave, and return what the last sender said."""
        with self.sender() as sender:
            out, err = sender.communicate(timeout=_END_SECONDS)
        assert sender.returncode == 0, err.decode()
        said: dict[str, Any] = json.loads(out)
        return said

    def status(self) -> dict[str, Any]:
        """Return the figures; whoever was admitted stands somewhere, exactly once."""
        told: dict[str, Any] = json.loads(self.run("status", "--json"))
        total = sum(told["standings"].values()) + told["purged"] + told["erased"]
        assert total == told["admitted"] == len(self.addresses)
        return told

    def standings(self) -> dict[str, str]:
        """Return where each address stands."""

        def read(tx: Transaction) -> dict[str, str]:
            rows = tx.rows(
                "SELECT id, generation, sealed, relationship, country, standing FROM recipient"
            )
            return {open_person(tx, row).address.mailbox: row[5] for row in rows}

        async def work() -> dict[str, str]:
            async with Runtime.of(Path(self.config), SystemClock()).ledger() as ledger:
                return await ledger.read(read)

        return asyncio.run(work())


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


def a_campaign(
    folder: Path, relay: Relay, size: int, *, changes: Mapping[str, str] | None = None
) -> Campaign:
    """Make a campaign of *size* recipients, approved and ready to send; *changes* of its config
    come before ours."""
    write_campaign(
        folder,
        {"policy.accepted_by": "An Peeters", "relay.url": f"smtp://127.0.0.1:{relay.port}"},
    )
    config = folder / "config.toml"
    text = config.read_text("utf-8")
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    text = text.replace("connections = 10", f"connections = {CONNECTIONS}")
    text = text.replace("stop_bounce_percent = 5", "stop_bounce_percent = 100")
    config.write_text(text.replace("per_second = 50", "per_second = 500"), "utf-8")
    addresses = [f"person{number}@list.example" for number in range(size)]
    listed = folder / "list.csv"
    listed.write_text("\n".join(["email", *addresses]) + "\n", "utf-8")
    campaign = Campaign(folder, addresses)
    campaign.run(
        *("import", str(listed), "--relationship", "signed_up_no_proof", "--country", "BE"),
        *("--source", "the stand at the fair", "--collected", "2025-03-01"),
    )
    assert campaign.status()["standings"]["listed"] == size
    campaign.run("suppress", "--none", "nobody ever opted out")
    campaign.run("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    return campaign


def check_everybody(campaign: Campaign, relay: Relay) -> None:
    """Nobody has two mails, nobody is forgotten, and the ledger says of nobody what is not so."""
    out, standings = relay.out(), campaign.standings()
    assert [mailbox for mailbox, count in out.items() if count > 1] == []
    assert set(standings) == set(campaign.addresses)
    by_standing = {
        name: {each for each, standing in standings.items() if standing == name}
        for name in set(standings.values())
    }
    assert set(by_standing) <= {"asked", "doubtful", "undeliverable", "deferred"}
    assert by_standing["asked"] <= set(out)
    assert not by_standing.get("undeliverable", set()) & set(out)
    assert not by_standing.get("deferred", set()) & set(out), "they will get a second mail"
    campaign.run("proof", "verify")


def tell(campaign: Campaign, relay: Relay) -> None:
    """Print what the kills hit."""
    counts = Counter(campaign.kills)
    print(f"kills by open connections: {dict(sorted(counts.items()))}; mails: {len(relay.out())}")


def torture(
    campaign: Campaign, relay: Relay, *, kills: int, chance: random.Random, faults: Faults | None
) -> None:
    """Kill a sender *kills* times, and look at the figures after each."""
    with Nursery(campaign.config) as nursery:
        for number in range(kills):
            if chance.random() < _LOAD_KILLS:
                campaign.kill_loading(relay, chance)
            else:
                campaign.kill_running(nursery, relay, chance)
            figures, out = campaign.status()["standings"], relay.out()
            assert max(out.values(), default=1) == 1
            may_be_in_doubt = sum(campaign.kills) + (faults.doubts if faults else 0)
            assert figures["doubtful"] + figures["claimed"] <= may_be_in_doubt
            assert figures["asked"] <= len(out)
            if number % _VERIFIED_EVERY == 0:
                campaign.run("proof", "verify")
    assert campaign.status()["standings"]["listed"] > 0, "the last kills hit nothing"
    assert sum(map(bool, campaign.kills)) >= kills // 2, "too few kills landed among the mails"
    assert all(count <= CONNECTIONS for count in campaign.kills)
    tell(campaign, relay)


def test_after_any_kill_nobody_has_two_mails_and_nobody_is_forgotten(
    tmp_path: Path, relay: Relay, seed: int
) -> None:
    """Promise 1, at instants spread from before the first line of Python to the last mail."""
    campaign = a_campaign(tmp_path, relay, 100 + KILLS * _PER_KILL)

    torture(campaign, relay, kills=KILLS, chance=random.Random(seed), faults=None)
    relay.seconds_a_reply = 0.0
    campaign.send_to_the_end()

    figures = campaign.status()["standings"]
    assert figures["asked"] + figures["doubtful"] == len(campaign.addresses)
    assert figures["doubtful"] <= sum(campaign.kills)
    check_everybody(campaign, relay)


def test_kills_and_a_relay_that_fails_in_every_phase_together_double_nobody(
    tmp_path: Path, relay: Relay, seed: int
) -> None:
    """Afterwards the relay recovers, time passes, and what it put off is tried again."""
    kills = max(1, KILLS // 3)
    campaign = a_campaign(tmp_path, relay, 100 + kills * _PER_KILL)
    faults = relay.script = Faults(seed, share=0.05)

    torture(campaign, relay, kills=kills, chance=random.Random(seed), faults=faults)
    relay.seconds_a_reply = 0.0
    relay.script = in_turn(Phase.RCPT, says("450 4.2.1 later"))  # one at least is put off
    campaign.send_to_the_end()
    check_everybody(campaign, relay)
    put_off = campaign.status()["standings"]["deferred"]
    campaign.run("send", clock=Later(timedelta(hours=1)))

    figures = campaign.status()["standings"]
    assert put_off > 0
    assert figures["listed"] == figures["deferred"] == figures["claimed"] == 0
    assert figures["doubtful"] <= sum(campaign.kills) + faults.doubts
    check_everybody(campaign, relay)
