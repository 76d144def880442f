"""Ctrl-C and SIGTERM, whatever a sender waits for: nobody is in doubt, and it goes on later."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.journeys.campaign import CONNECTIONS, LISTED, Campaign, Running, wait_until
from tests.relays import HANGS_UP, SAYS_NOTHING, Act, Phase, Relay, at, polite

pytestmark = pytest.mark.journey

both = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay that is told what to do, and by default takes everything."""
    with Relay().in_a_thread() as running:
        yield running


def started(campaign: Campaign, relay: Relay) -> Running:
    """Start a sender to *relay*."""
    campaign.use(relay.port)
    return campaign.start("send", "--json")


def goes_on(campaign: Campaign, relay: Relay) -> None:
    """Nobody is in doubt, nothing is held, and the next sender mails the others."""
    assert campaign.standings().keys() <= {"asked", "listed", "withheld", "exempt"}
    relay.script = polite
    assert campaign.here("send", "--json").json["left"] == 0
    assert campaign.standings()["asked"] == LISTED
    assert set(relay.out().values()) == {1}


@both
@pytest.mark.parametrize(
    "act", [HANGS_UP, SAYS_NOTHING], ids=["waiting for the next try", "waiting for a greeting"]
)
def test_a_sender_without_a_connection_ends(
    approved: Campaign, relay: Relay, number: signal.Signals, act: Act
) -> None:
    relay.script = at({Phase.CONNECT: act})
    sender = started(approved, relay)
    wait_until(lambda: relay.opened >= CONNECTIONS)
    sender.signal(number)
    ended = sender.ended()

    assert ended.code == 130
    assert ended.json["interrupted"] is True
    assert approved.standings()["listed"] == LISTED
    goes_on(approved, relay)


def test_a_sender_that_waits_for_its_turn_ends(approved: Campaign, relay: Relay) -> None:
    """The next mail would leave ten seconds later."""
    approved.edit("per_second = .*", "per_second = 0.1")
    sender = started(approved, relay)
    wait_until(lambda: approved.standings().get("asked", 0) == 1)
    sender.signal(signal.SIGINT)

    assert sender.ended().code == 130
    assert approved.standings()["asked"] == len(relay.deliveries) == 1
    approved.edit("per_second = .*", "per_second = 1000")
    goes_on(approved, relay)


@both
def test_a_sender_that_has_just_begun_ends(
    approved: Campaign, relay: Relay, number: signal.Signals
) -> None:
    """What it says first is how many mails may leave."""
    sender = started(approved, relay)
    wait_until(lambda: "may leave" in sender.err.read_text("utf-8"))
    sender.signal(number)

    assert sender.ended().code in {0, 130}
    goes_on(approved, relay)


@both
def test_a_slow_relay_is_waited_for_until_somebody_insists(
    approved: Campaign, relay: Relay, number: signal.Signals
) -> None:
    """It has ten minutes for its word (RFC 5321); what it may have is in doubt then."""
    relay.script = at({Phase.BODY: SAYS_NOTHING})
    sender = started(approved, relay)
    wait_until(lambda: len(relay.deliveries) == CONNECTIONS)
    sender.signal(number)
    wait_until(lambda: "press Ctrl-C again" in sender.err.read_text("utf-8"))
    assert sender.process.poll() is None
    sender.signal(number)
    ended = sender.ended()

    assert ended.code == 130
    assert "doubt list" in ended.err
    relay.script = polite
    approved.here("send")
    standings = approved.standings()
    assert (standings["doubtful"], standings["asked"]) == (CONNECTIONS, LISTED - CONNECTIONS)
    assert set(relay.out().values()) == {1}


def test_a_relay_that_answers_in_the_end_leaves_nobody_in_doubt(
    approved: Campaign, relay: Relay
) -> None:
    """It is slow only with the mails that are in hand at the first Ctrl-C."""
    relay.script = at({Phase.BODY: Act(say=b"250 2.0.0 at last\r\n", wait=2.0)})
    sender = started(approved, relay)
    wait_until(lambda: len(relay.deliveries) == CONNECTIONS)
    sender.signal(signal.SIGINT)

    assert sender.ended().code == 130
    assert approved.standings()["asked"] == CONNECTIONS == len(relay.deliveries)
    goes_on(approved, relay)
