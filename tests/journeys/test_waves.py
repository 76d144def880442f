"""Waves, stops, hours and caps, as the operator meets them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from repermit.inbound.maildir import Maildir
from tests.journeys.campaign import LISTED, Campaign, Later, address, row, write_list
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey


def test_the_plan_tells_what_would_leave_and_changes_nothing(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    before = approved.status()

    told = approved.run("send", "--plan", "--json").json
    shown = approved.here("send", "--plan").out

    assert told["may_leave"] == LISTED
    assert [wave["mails"] for wave in told["waves"]] == [LISTED]
    assert told["last_deadline"] > told["last_mail"]
    assert told["expected_dead"]["of"] == LISTED
    assert any("is not read ([inbound])" in line for line in told["first"])
    assert f"{LISTED} mails may leave; nothing has left now" in shown
    assert "dead addresses to expect" in shown
    assert "the answer page does not answer: the connection is refused" in shown
    assert (relay.taken, approved.status()) == ([], before)


def test_the_plan_tells_what_holds_the_mails_and_what_is_left_of_those_that_went(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    approved.here("pause")

    held = approved.here("send", "--plan", "--limit", "1")

    assert f"{LISTED} mails would leave, but for what is said below" in held.out
    assert "a run ends after 1 mail;" in held.out
    assert "first: the campaign is paused: `repermit resume` lets it go on" in held.out
    approved.here("resume")
    put_off = address(0)
    relay.to_mailbox = lambda one: "450 4.2.0 later" if one == put_off else "250 2.1.5 fine"
    approved.run("send")
    told = approved.here("send", "--plan", "--json").json
    assert (told["may_leave"], told["last_mail"], told["refused"]) == (0, None, None)
    assert told["last_deadline"] == approved.status()["due"]["last"]
    assert told["deferred"]["count"] == 1
    assert "1 mail put off by the relay on top" in approved.here("send", "--plan").out
    approved.edit("answer_days = .*", "answer_days = 60")
    assert "approved has changed since" in approved.here("send", "--plan").out


def test_who_has_looked_is_said_with_continue_only(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)

    assert "give it with --continue" in approved.here("send", "--by", "An", expect=2).err
    went_on = approved.here("send", "--continue", "--by", "An")
    assert "there was nothing to continue" in went_on.err
    assert len(relay.taken) == LISTED


def test_a_plan_lets_nothing_go_on(approved: Campaign) -> None:
    refused = approved.here("send", "--plan", "--continue", expect=2).err

    assert "--plan lets nothing go on" in refused


def test_send_says_when_what_comes_back_is_not_read_and_why(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    unread = approved.here("send", "--limit", "1").err
    box = approved.outside / "Maildir"
    Maildir(box).make()
    approved.edit("#maildir = .*", f'maildir = "{box}"')
    never = approved.here("send", "--limit", "1").err
    planned = approved.here("send", "--plan").out
    approved.here("inbound")
    seen = approved.here("send", "--limit", "1").err
    box.rename(approved.outside / "away")
    gone = approved.here("send", "--limit", "1").err
    (approved.outside / "away").rename(box)
    approved.change_ledger("UPDATE wave SET ended_at = 4000000000000000")
    stale = approved.here("send").err

    assert "is not read ([inbound]): nobody sees it; no wave is waited for" in unread
    said = "was never read: `repermit inbound` or `repermit check` first, or no wave is waited for"
    assert said in never
    assert f"first: what came back {said}" in planned
    assert "read" not in seen
    assert "what comes back cannot be read: Maildir is no maildir" in gone
    assert "since the last wave was not read: `repermit inbound` first" in stale


def test_a_larger_list_leaves_in_waves_two_days_apart(begun: Campaign, relay: Relay) -> None:
    begun.use(relay.port)
    begun.edit("waves = .*", "waves = [20, 40]")
    begun.edit("#maildir = .*", 'maildir = "bounces"')
    rows = [row(number) for number in range(500)]
    begun.here("import", write_list(begun.outside / "list.csv", rows))
    begun.change_ledger("UPDATE campaign SET inbound_at = 1")
    begun.here("suppress", "--none", "nobody ever did")
    begun.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    plan = begun.here("send", "--plan", "--json").json
    assert [wave["mails"] for wave in plan["waves"]] == [20, 40, 440]
    watch = plan["watch"]
    assert (watch["is_read"], watch["provider_bounce_percent"]) == (True, 10.0)
    said = begun.here("send", "--plan").out
    assert "10 % at one provider: those of a day, of its mails within 7 days" in said
    assert "at once when a mail comes back because of us" in said

    first = begun.run("send", "--json").json
    again = begun.here("send")

    assert (first["asked"], len(relay.taken)) == (20, 20)
    assert first["waves"] == ["wave 1: 20 people drawn at random over the whole list"]
    assert first["next"]["why"] == "wave 2"
    due = datetime.fromisoformat(first["next"]["at"]) - Later().now()
    assert timedelta(hours=47) < due <= timedelta(hours=48)
    assert "the next mail may leave at" in again.out
    assert "(wave 2)" in again.out
    assert begun.here("send", "--continue", "--by", "An", "--json").json["asked"] == 40
    third = begun.at(Later(timedelta(hours=49)), "send", "--json").json
    assert (third["asked"], third["next"], third["left"]) == (440, None, 0)


def test_it_stops_at_too_many_dead_addresses_until_a_person_has_looked(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    dead = set[str]()

    def first_14(mailbox: str) -> str:
        if len(dead) < 14:
            dead.add(mailbox)
        return "550 5.1.1 nobody" if mailbox in dead else "250 2.1.5 fine"

    relay.to_mailbox = first_14
    stopped = approved.run("send", expect=1)
    again = approved.here("send", "--json", expect=1).json

    assert "sending has stopped: 1" in stopped.err
    assert "mails went to dead addresses" in stopped.err
    assert "repermit send --continue" in stopped.err
    assert "dead addresses" in again["error"]
    assert again["asked"] == 0
    assert "sending has stopped" in approved.here("send", "--plan").out
    before = approved.status()
    assert before["stopped"]["code"] == "bounces"
    assert "dead addresses" in before["stopped"]["why"]
    assert "`repermit send --continue`" in before["stopped"]["way_out"]
    shown = approved.run("status").out
    assert f"stopped since {before['stopped']['since']}: " in shown
    assert "repermit send --continue" in shown
    went_on = approved.run("send", "--continue", "--by", "An Peeters")
    assert "An Peeters has looked and lets it go on" in went_on.err
    assert approved.status()["standings"]["listed"] == 0
    assert approved.status()["stopped"] is None
    assert before["standings"]["listed"] > 0
    approved.here("proof", "verify")


def test_outside_its_hours_it_ends_well_and_says_when_it_may(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    begins = Later(timedelta(hours=3)).now()
    span = f"{begins:%H:%M}-{begins + timedelta(hours=1):%H:%M}"
    approved.edit('timezone = ".*"', 'timezone = "UTC"')
    approved.edit('#hours = ".*"', f'hours = "{span}"')
    approved.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")

    told = approved.run("send", "--json").json

    assert (told["asked"], relay.taken) == (0, [])
    assert "hours" in told["next"]["why"]
    assert datetime.fromisoformat(told["next"]["at"]).strftime("%H:%M") == f"{begins:%H:%M}"
    assert approved.at(Later(timedelta(hours=3)), "send", "--json").json["asked"] == LISTED


def test_a_provider_gets_no_more_than_its_cap(begun: Campaign, relay: Relay) -> None:
    begun.use(relay.port)
    begun.edit("#\\[relay.caps\\]", "[relay.caps]")
    begun.edit('#microsoft = ".*"', 'microsoft = "2/day"')
    rows = [row(number) for number in range(3)]
    rows += [row(number, email=f"x{number}@hotmail.com") for number in range(5)]
    begun.here("import", write_list(begun.outside / "list.csv", rows))
    begun.here("suppress", "--none", "nobody ever did")
    begun.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")

    told = begun.run("send", "--json").json

    assert (told["asked"], told["left"]) == (5, 3)
    assert told["next"]["why"] == "the cap of microsoft"
    assert begun.here("send", "--plan", "--json").json["caps"] == {"microsoft": "2/day"}


def test_the_way_out_of_a_stop_works_as_it_is_told(begun: Campaign, relay: Relay) -> None:
    """The oldest contacts are set aside as the stop says, word for word, and the rest is asked."""
    begun.use(relay.port)
    begun.edit("#old_contacts = .*", 'old_contacts = "They got our programme by post."')
    new = [row(number) for number in range(20)]
    old = [row(number, **{"ingeschreven op": "2012-03-01"}) for number in range(100, 130)]
    begun.here("import", write_list(begun.outside / "list.csv", [*new, *old]))
    begun.here("suppress", "--none", "nobody ever did")
    approve = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    begun.here(*approve)
    begun.change_ledger("UPDATE recipient SET contact = 202711 WHERE contact = 201203 AND id % 2")
    dead = {address(number) for number in range(100, 130)}
    relay.to_mailbox = lambda one: "550 5.1.1 nobody" if one in dead else "250 2.1.5 fine"

    stopped = begun.run("send", expect=1)

    assert "put a # before old_contacts in the config" in stopped.err
    begun.edit("old_contacts = .*", "# none")
    begun.here("screen")
    begun.here(*approve)
    told = begun.run("send", "--continue", "--by", "An Peeters", "--json").json
    assert told["left"] == 0
    standings = begun.standings()
    assert standings["asked"] == 20
    assert standings["withheld"] == 30 - standings["undeliverable"] > 0
