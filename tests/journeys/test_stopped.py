"""A sender that is killed, interrupted or paused: one mail each, and nobody is forgotten."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from tests.journeys.campaign import CONNECTIONS, LISTED, Campaign, Running, wait_until
from tests.journeys.relay import Relay
from tests.journeys.terminal import typed
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey


def all_in_hand(campaign: Campaign, relay: Relay) -> Running:
    """Return a sender, each of whose connections waits for a relay that holds its mail."""
    campaign.use(relay.port)
    relay.holds = True
    sender = campaign.start("send")
    wait_until(lambda: len(relay.taken) == CONNECTIONS)
    return sender


def test_a_sender_killed_with_mails_in_hand_leaves_them_in_doubt(
    approved: Campaign, relay: Relay
) -> None:
    """The relay had each of them in full and said nothing yet. The next send mails the others;
    of the doubtful a person decides, and only `resend` may make a second mail."""
    sender = all_in_hand(approved, relay)
    sender.signal(signal.SIGKILL)
    assert sender.ended().code == -signal.SIGKILL
    relay.holds = False
    assert approved.standings()["claimed"] == CONNECTIONS

    sent = approved.run("send", "--json").json

    assert (sent["asked"], sent["doubtful"]) == (LISTED - CONNECTIONS, CONNECTIONS)
    assert approved.standings()["doubtful"] == CONNECTIONS
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    _decide(approved, relay)


def _decide(campaign: Campaign, relay: Relay) -> None:
    """Take one as sent, send another again, then say of the rest that they were sent."""
    found = campaign.run("doubt", "list", "--json").json["doubtful"]
    assert all(each["message_id"] and each["due_at"] for each in found)
    sent, lost = found[0]["id"], found[1]["id"]
    campaign.here("doubt", "assume-sent", str(sent))
    warned = campaign.run("doubt", "resend", str(lost)).out
    assert "second" in warned
    assert campaign.standings()["listed"] == 1
    campaign.here("send")
    assert Counter(Counter(relay.mailboxes).values()) == {1: LISTED - 1, 2: 1}
    campaign.here("doubt", "assume-sent", "--all", str(CONNECTIONS - 2))
    assert campaign.standings()["asked"] == LISTED
    assert campaign.here("proof", "verify", "--json").json["holds"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sender_finishes_what_it_has_in_hand(
    approved: Campaign, relay: Relay, number: signal.Signals
) -> None:
    """It says so, with one object on standard output, ends with 130, and goes on later."""
    approved.use(relay.port)
    relay.seconds = 0.15
    sender = approved.start("send", "--json")
    wait_until(lambda: len(relay.taken) >= CONNECTIONS)
    sender.signal(number)
    ended = sender.ended()

    assert ended.code == 130
    assert "stopping after what is in hand" in ended.err
    told = ended.json
    assert told["interrupted"] is True
    assert "goes on" in told["hint"]
    standings = approved.standings()
    assert standings.keys() == {"asked", "listed", "withheld", "exempt"}
    assert (standings["asked"], standings["listed"]) == (len(relay.taken), told["left"])
    relay.seconds = 0.0
    approved.here("send")
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED


def test_a_second_interruption_ends_at_once_and_loses_nothing(
    approved: Campaign, relay: Relay
) -> None:
    """The relay never answers; what it may have is in doubt."""
    sender = all_in_hand(approved, relay)
    sender.signal(signal.SIGINT)
    wait_until(lambda: "press Ctrl-C again" in sender.err.read_text("utf-8"))
    sender.signal(signal.SIGINT)
    ended = sender.ended()
    relay.holds = False

    assert ended.code == 130
    assert "doubt list" in ended.err
    approved.here("send")
    assert approved.standings()["doubtful"] == CONNECTIONS
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED


def test_a_pause_holds_a_sender_that_is_running(approved: Campaign, relay: Relay) -> None:
    """Another send is refused meanwhile; after `resume` it goes on, one mail each."""
    approved.use(relay.port)
    relay.seconds = 2.0
    sender = approved.start("send", "--json")
    wait_until(lambda: len(relay.taken) >= CONNECTIONS)
    approved.run("pause")
    at_pause = len(relay.taken)
    ended = sender.ended()

    assert ended.code == 0
    assert len(relay.taken) <= at_pause + CONNECTIONS
    assert ended.json["left"] == LISTED - len(relay.taken) > 0
    assert approved.status()["paused"] is not None
    assert "paused" in approved.here("send", expect=1).err
    assert "`repermit resume` lets it go on" in approved.here("status").out
    relay.seconds = 0.0
    approved.here("resume")
    approved.here("send")
    assert approved.status()["paused"] is None
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED


def test_a_limit_holds_and_the_next_send_goes_on(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)

    first = approved.run("send", "--limit", "5", "--json").json
    approved.here("send")

    assert (first["asked"], first["left"]) == (5, LISTED - 5)
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED


@pytest.mark.parametrize("count", [2, 3])
def test_senders_at_once_mail_each_person_once(
    approved: Campaign, relay: Relay, count: int
) -> None:
    """Each has its own connections; their sums add up."""
    approved.use(relay.port)
    approved.edit("connections = .*", "connections = 1")  # the first holds 20 of the 24 rows
    relay.seconds = 0.2

    several = [approved.start("send", "--json") for _ in range(count)]
    ended = [sender.ended() for sender in several]

    assert [each.code for each in ended] == [0] * count
    assert sum(each.json["asked"] for each in ended) == LISTED
    assert sum(each.json["doubtful"] for each in ended) == 0
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    assert approved.standings()["asked"] == LISTED
    assert approved.here("proof", "verify", "--json").json["holds"] is True


def test_who_is_in_doubt_is_shown_at_a_terminal_to_whoever_asks(
    approved: Campaign, relay: Relay
) -> None:
    """The addresses stand on the screen only after a yes; in a script never."""
    sender = all_in_hand(approved, relay)
    sender.signal(signal.SIGKILL)
    sender.ended()
    words = ("--config", approved.config, "doubt", "list")

    without = typed(words, [("Show the addresses", "n")], cwd=approved.folder)
    shown = typed(words, [("Show the addresses", "y")], cwd=approved.folder)

    assert "4 mails in doubt" in without
    assert without.count("@") == CONNECTIONS + 1  # in the Message-IDs, and where that is explained
    assert all(address in shown for address in relay.mailboxes)
    said = approved.run("doubt", "list").out
    assert not any(address in said for address in relay.mailboxes)


def test_the_claims_of_one_of_two_senders_that_is_killed_become_doubtful_and_no_others(
    approved: Campaign, relay: Relay
) -> None:
    """Both have a mail in hand when it happens; a third sender finds the other alive."""
    approved.use(relay.port)
    approved.edit("connections = .*", "connections = 1")  # the first holds 20 of the 24 rows
    relay.holds = True
    killed = approved.start("send")
    wait_until(lambda: len(relay.taken) == 1)
    other = approved.start("send", "--json")
    wait_until(lambda: len(relay.taken) == 2)
    killed.signal(signal.SIGKILL)
    killed.ended()
    third = approved.start("send", "--json")
    wait_until(lambda: len(relay.taken) == 3)
    assert (approved.standings()["doubtful"], approved.standings()["claimed"]) == (1, 2)
    relay.holds = False
    ended = [other.ended(), third.ended()]

    assert [each.code for each in ended] == [0, 0]
    assert sum(each.json["asked"] for each in ended) == LISTED - 1
    assert [each.json["doubtful"] for each in ended] == [0, 1]
    assert approved.standings()["asked"] == LISTED - 1
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED


def test_answer_pages_go_on_while_mails_leave(approved: Campaign, relay: Relay) -> None:
    """A press can come in before the relay has said its word; the answer wins."""
    approved.use(relay.port)
    relay.holds = True
    with approved.serving():
        sender = approved.start("send")
        wait_until(lambda: len(relay.taken) == CONNECTIONS)
        mailbox(relay.taken[0].content).press("yes")
        assert approved.standings()["opted_in"] == 1
        relay.holds = False
        assert sender.ended().code == 0

    assert approved.standings()["opted_in"] == 1
    assert approved.standings()["asked"] == LISTED - 1
