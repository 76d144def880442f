"""What the relay says of a recipient, and what it says of us."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.journeys.campaign import LISTED, Campaign, Later, address
from tests.journeys.relay import Relay, always

pytestmark = pytest.mark.journey


def to_one(number: int, reply: str) -> Callable[[str], str]:
    """Return what says *reply* to one person and takes the mails to the others."""
    return lambda mailbox: reply if mailbox == address(number) else "250 2.1.5 fine"


def test_a_refused_recipient_is_undeliverable_and_a_delayed_one_is_tried_again(
    approved: Campaign, relay: Relay
) -> None:
    """550 5.1.1 is for good; 450 is deferred, with the next try named; neither is mailed twice."""
    approved.use(relay.port)
    refused, delayed = to_one(3, "550 5.1.1 no such user"), to_one(4, "450 4.2.1 later")
    relay.to_mailbox = lambda one: delayed(one) if one == address(4) else refused(one)

    sent = approved.run("send", "--json").json

    assert (sent["asked"], sent["undeliverable"], sent["deferred"]) == (LISTED - 2, 1, 1)
    standings = approved.standings()
    assert (standings["undeliverable"], standings["deferred"]) == (1, 1)
    next_try = datetime.fromisoformat(sent["next_try"])
    assert timedelta(minutes=5) < next_try - Later().now() < timedelta(hours=1)
    told = approved.here("person", "--json", stdin=address(3)).json["on_file"]
    assert told["relay_said"] == "550 5.1.1"

    assert approved.here("send", "--json").json["asked"] == 0  # it is not time yet
    relay.to_mailbox = always("250 2.1.5 fine")
    assert approved.at(Later(timedelta(hours=1)), "send", "--json").json["asked"] == 1

    assert approved.standings()["asked"] == LISTED - 1
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED - 1


def test_who_is_put_off_for_too_long_is_given_up(approved: Campaign, relay: Relay) -> None:
    """After relay.give_up_hours since the first try."""
    approved.use(relay.port)
    relay.to_mailbox = to_one(7, "450 4.2.1 later")
    approved.here("send", "--json")

    given_up = approved.at(Later(timedelta(hours=73)), "send", "--json").json

    assert given_up["undeliverable"] == 1
    assert approved.standings()["undeliverable"] == 1


def test_a_relay_that_refuses_the_sender_stops_the_run_and_nobody_is_lost(
    approved: Campaign, relay: Relay
) -> None:
    before = approved.standings()
    approved.use(relay.port)
    relay.to_sender = always("550 5.7.1 who are you")

    failed = approved.run("send", "--json", expect=1).json

    assert "refuses the sender" in failed["error"]
    assert approved.standings() == before
    relay.to_sender = always("250 fine")
    approved.here("send")
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED


def test_three_refusals_of_policy_in_a_row_are_about_us(approved: Campaign, relay: Relay) -> None:
    """All whom the run has refused are listed again, also those that were in hand when it
    stopped; nobody who can be reached is written off."""
    before = approved.standings()
    approved.use(relay.port)
    relay.to_mailbox = always("550 5.7.1 blocked")

    failed = approved.run("send", "--json", expect=1).json

    assert "policy" in failed["error"]
    assert "SPF" in failed["hint"]
    assert approved.standings() == before
    relay.to_mailbox = always("250 2.1.5 fine")
    approved.here("send")
    assert approved.standings()["asked"] == LISTED


def test_one_refusal_of_policy_is_about_the_recipient(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)
    relay.to_mailbox = to_one(0, "550 5.7.1 not for me")

    sent = approved.here("send", "--json").json

    assert (sent["asked"], sent["undeliverable"]) == (LISTED - 1, 1)
