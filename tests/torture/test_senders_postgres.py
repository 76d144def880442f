"""Promise 1 on several machines: senders killed, the database started again or full, clocks wrong;
a relay that counts."""

from __future__ import annotations

import random
import signal
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

CONNECTIONS = 4
SKEWS = (0.0, 25.0, -25.0)  # seconds; a sender whose clock is a minute behind is refused
PEOPLE, PER_SECOND = 300, 20
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
        ends = [end for each in machines for end in each.ends]
        assert [told for code, told in ends if code not in (0, -signal.SIGKILL)] == []
        check_everybody(campaign, relay, machines)


def test_all_machines_together_keep_to_one_rate(tmp_path: Path) -> None:
    """Overall and in any second, but for mails whose intents were held up together: at most one a
    connection. In their best seconds, when nothing else slows this machine, they reach it."""
    times: list[float] = []

    def noted(phase: Phase, _: str | None) -> Act | None:
        if phase is Phase.BODY:
            times.append(time.monotonic())
        return None

    with Relay(script=noted).in_a_thread() as relay, OwnServer(connections=60) as server:
        campaign = campaign_on(
            server, tmp_path / "c", relay, PEOPLE, per_second=PER_SECOND, connections=CONNECTIONS
        )
        machines = [machine(campaign, number, ahead=ahead) for number, ahead in enumerate(SKEWS)]
        for each in machines:
            each.start()
        wait_until(lambda: not running(machines), seconds=120)

    def most(seconds: float) -> int:
        return max(sum(first <= at < first + seconds for at in times) for first in times)

    assert len(times) == PEOPLE
    overall = (PEOPLE - 1) / (times[-1] - times[0])
    print(f"a second: at most {most(1)}, in five {most(5)}, overall {overall:.1f}")
    assert overall <= PER_SECOND * 1.05
    assert most(1) <= PER_SECOND * 1.05 + CONNECTIONS * len(machines)
    assert most(5) >= PER_SECOND * 5 * 0.95
