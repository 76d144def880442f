"""Promise 1 on several machines: senders killed, the database started again or full, clocks wrong;
a relay that counts."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.relays import Act, Phase, Relay
from tests.torture.machines import (
    Machine,
    OwnServer,
    campaign_on,
    machine,
    running,
    standings,
    wait_until,
)
from tests.torture.test_kills import Campaign

pytestmark = pytest.mark.torture

CONNECTIONS = 3
SKEWS = (0.0, 1500.0, -1500.0)  # seconds; longer than a lease
PEOPLE, PER_SECOND = 500, 40
ROUNDS = 6
LEFT = {"listed", "deferred"}


def check_everybody(campaign: Campaign, relay: Relay, machines: list[Machine]) -> None:
    """Nobody has two mails, nobody is forgotten, and nobody is asked without a mail."""
    out, stand = relay.out(), campaign.standings()
    assert [mailbox for mailbox, count in out.items() if count > 1] == []
    assert set(stand) == set(campaign.addresses)
    assert set(stand.values()) <= {"asked", "doubtful", "claimed"}
    assert {each for each, standing in stand.items() if standing == "asked"} <= set(out)
    in_doubt = sum(standing != "asked" for standing in stand.values())
    assert in_doubt <= CONNECTIONS * sum(each.kills for each in machines)
    campaign.run("proof", "verify")


def test_after_every_fault_nobody_has_two_mails_and_nobody_is_forgotten(
    tmp_path: Path, relay: Relay, seed: int
) -> None:
    chance = random.Random(seed)
    with OwnServer(connections=40) as server:
        campaign = campaign_on(
            server, tmp_path / "c", relay, PEOPLE, per_second=PER_SECOND, connections=CONNECTIONS
        )
        machines = [machine(campaign, number, ahead=ahead) for number, ahead in enumerate(SKEWS)]
        for each in machines:
            each.start()
        wait_until(lambda: bool(relay.deliveries))
        for number in range(ROUNDS):
            time.sleep(chance.uniform(0.0, 0.6))
            match number % 3:
                case 0:
                    chance.choice(machines).kill()
                case 1:
                    server.restart(chance.choice(["fast", "immediate"]), away=chance.uniform(0, 2))
                case _:
                    assert server.exhaust(chance.uniform(0.5, 2.0)) > 0
            for each in machines:
                each.start()

        def is_done() -> bool:
            if LEFT & set(standings(server)):
                for each in machines:
                    each.start()
                return False
            return not running(machines)

        wait_until(is_done, seconds=240)
        print([end for each in machines for end in each.ends])
        assert all(code in (0, -9) for each in machines for code, _ in each.ends)
        check_everybody(campaign, relay, machines)


def test_all_machines_together_keep_to_one_rate(tmp_path: Path) -> None:
    """Never more than 5 % over it in any second, and at least 95 % of it while they are busy."""
    times: list[float] = []

    def noted(phase: Phase, _: str | None) -> Act | None:
        if phase is Phase.BODY:
            times.append(time.monotonic())
        return None

    with Relay(script=noted).in_a_thread() as relay, OwnServer(connections=60) as server:
        campaign = campaign_on(
            server, tmp_path / "c", relay, 600, per_second=PER_SECOND, connections=CONNECTIONS
        )
        machines = [machine(campaign, number, ahead=ahead) for number, ahead in enumerate(SKEWS)]
        for each in machines:
            each.start()
        wait_until(lambda: not running(machines), seconds=120)

        assert len(times) == 600
        most = max(sum(first <= at < first + 1 for at in times) for first in times)
        busy = times[-1] - times[0]
        print(f"most in a second: {most}, overall {599 / busy:.1f} a second")
        assert most <= PER_SECOND * 1.05
        assert 599 / busy >= PER_SECOND * 0.95
