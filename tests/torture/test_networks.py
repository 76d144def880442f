"""Promise 1 when machines are cut off from the database and find it again: real processes in
network namespaces, a relay that they reach all the time and that counts."""

from __future__ import annotations

import random
import threading
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
from tests.torture.networks import NETWORK, Network, networks

pytestmark = pytest.mark.torture

PEOPLE, PER_SECOND, CONNECTIONS = 300, 10, 3
LONG_SECONDS = 32.0  # longer than a way on which nothing arrives counts as there
LEFT = {"listed", "deferred"}
# What the relay hears when the way is cut: before any intent of that connection, between the
# intent and the mail, before its settlement.
PHASES = (Phase.EHLO, Phase.MAIL, Phase.BODY)


class Cutter:
    """Cuts a machine off when the relay hears of the phase that is waited for."""

    def __init__(self) -> None:
        self._wanted: tuple[Phase, Network] | None = None
        self.was_cut = threading.Event()

    def at(self, phase: Phase, network: Network) -> None:
        """Cut *network* at the next *phase*."""
        self.was_cut.clear()
        self._wanted = phase, network

    def __call__(self, phase: Phase, _: str | None) -> Act | None:
        wanted = self._wanted
        if wanted is not None and wanted[0] is phase:
            self._wanted = None
            wanted[1].cut()
            self.was_cut.set()
        return None


def in_network(each: Machine, network: Network, server: OwnServer, relay: Relay) -> Machine:
    """Return the machine with its ways to the database and the relay."""
    config = each.folder / "config.toml"
    text = config.read_text("utf-8")
    text = text.replace(f"127.0.0.1:{server.port}", f"{network.database}:{server.port}")
    config.write_text(text, "utf-8")
    each.within, each.relay = network.within, f"{network.relay}:{relay.port}"
    return each


def test_cut_off_and_back_again_nobody_has_two_mails_and_nobody_is_forgotten(
    tmp_path: Path, seed: int
) -> None:
    chance, cutter = random.Random(seed), Cutter()
    with (
        networks(3) as ways,
        Relay(script=cutter, address="0.0.0.0", seconds_a_reply=0.01).in_a_thread() as relay,
        OwnServer(connections=80, address="*") as server,
    ):
        server.let_in(NETWORK)
        campaign = campaign_on(
            server,
            *(tmp_path / "c", relay, PEOPLE),
            per_second=PER_SECOND,
            connections=CONNECTIONS,
        )
        machines = [
            in_network(machine(campaign, number), way, server, relay)
            for number, way in enumerate(ways)
        ]
        for each in machines:
            each.start()
        wait_until(lambda: bool(relay.deliveries) or not running(machines))
        assert [end for each in machines for end in each.ends] == []
        for number, phase in enumerate(PHASES):
            way = ways[number]
            cutter.at(phase, way)
            if not cutter.was_cut.wait(3):  # nobody dials at this moment
                cutter.at(Phase.MAIL, way)
                assert cutter.was_cut.wait(30)
            time.sleep(LONG_SECONDS if number == 1 else chance.uniform(0.5, 8.0))
            way.heal()

        def is_done() -> bool:
            if LEFT & set(standings(server)):
                for each in machines:
                    each.start()
                return False
            return not running(machines)

        wait_until(is_done, seconds=240)
        ends = [end for each in machines for end in each.ends]
        for code, told in ends:
            assert code == 0, told
        out, stand = relay.out(), campaign.standings()
    assert [mailbox for mailbox, count in out.items() if count > 1] == []
    assert set(stand) == set(campaign.addresses)
    assert set(stand.values()) <= {"asked", "doubtful"}
    assert {each for each, standing in stand.items() if standing == "asked"} <= set(out)
