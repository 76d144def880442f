"""The whole path with the ledger in PostgreSQL, and two machines that share it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import rmtree

import pytest

from tests.inbound.desks import put
from tests.journeys.campaign import (
    ACCEPTED,
    Campaign,
    Later,
    Templates,
    address,
    wait_until,
)
from tests.journeys.machines import approved_of, in_postgres, machine_of, senders
from tests.journeys.relay import Relay
from tests.journeys.returned import bounce, sent
from tests.journeys.test_evidence import checked
from tests.journeys.test_inbound import with_maildir
from tests.journeys.web import mailbox, text_of
from tests.postgres import Server

pytestmark = pytest.mark.journey

PEOPLE, YES, NO, BOUNCED = 60, 12, 6, 4
_AFTERWARDS = Later(timedelta(days=32))


@pytest.fixture
def campaign(templates: Templates, tmp_path: Path, postgres: Server) -> Iterator[Campaign]:
    """A campaign of 60 people, approved, whose ledger is in PostgreSQL."""
    begun = in_postgres(templates.begun.copied(tmp_path / "begun"), postgres.schema())
    yield approved_of(begun, PEOPLE)
    begun.end()


def test_a_campaign_is_asked_answers_and_ends(campaign: Campaign, relay: Relay) -> None:
    box = with_maildir(campaign)
    mails = {each.mailbox: each for each in sent(campaign, relay)}
    assert sorted(mails) == relay.mailboxes == [address(number) for number in range(PEOPLE)]

    people = [mails[address(number)] for number in range(PEOPLE)]
    with campaign.serving():
        for each in people[:YES]:
            mailbox(each.content).press("yes")
        for each in people[YES : YES + NO]:
            mailbox(each.content).press("no")
    put(box, *(bounce(each) for each in people[-BOUNCED:]))
    assert campaign.run("inbound", "--json").json["by_outcome"] == {"settled": BOUNCED}

    silent = PEOPLE - YES - NO - BOUNCED
    stand = {"opted_in": YES, "opted_out": NO, "undeliverable": BOUNCED, "asked": silent}
    told = campaign.run("status", "--json").json
    assert {name: count for name, count in told["standings"].items() if count} == stand
    person = campaign.run("person", "--json", stdin=address(0)).json
    assert person["on_file"]
    yes = campaign.outside / "yes.csv"
    campaign.run("export", "--out", yes)
    assert len(yes.read_text("utf-8").splitlines()) == 1 + YES
    assert campaign.run("proof", "verify", "--json").json["holds"] is True
    evidence = campaign.outside / "evidence.zip"
    campaign.run("proof", "bundle", "--out", evidence)
    assert f"consents: {YES} stand" in checked(evidence).stdout
    campaign.run("papers", "register", "--out", campaign.outside / "register.md")

    campaign.at(_AFTERWARDS, "send")
    asked_again = relay.taken[PEOPLE:]
    assert sorted(each.mailbox for each in asked_again) == [
        each.mailbox for each in people[YES : YES + NO]
    ]
    assert not any("/yes/" in text_of(each.content) for each in asked_again), "no second question"

    campaign.at(_AFTERWARDS, "handover", campaign.outside / "leaving")
    rmtree(campaign.outside / "leaving")  # in other hands now; its files would be traces
    due = campaign.at(_AFTERWARDS, "purge", "--dry-run", "--json").json["due"]
    purged = campaign.at(
        _AFTERWARDS, "purge", "--at-most", str(due), "--by", "An", "--json", *ACCEPTED
    ).json
    assert (due, purged["purged"], purged["traces"]) == (PEOPLE - YES, PEOPLE - YES, 0)
    done = campaign.at(_AFTERWARDS, "close", "--by", "An", "--json").json
    assert done["standings"] == {"opted_in": YES}
    assert "This bundle holds" in checked(campaign.folder / done["evidence"]).stdout
    assert campaign.at(_AFTERWARDS, "proof", "verify", "--json").json["holds"] is True
    assert not campaign.ledger.exists()
    rmtree(campaign.outside)


def test_of_two_machines_one_is_killed_and_the_other_goes_on(
    campaign: Campaign, tmp_path: Path, relay: Relay
) -> None:
    """Nobody is asked twice, and nobody is forgotten."""
    campaign.use(relay.port)
    campaign.edit("connections = .*", "connections = 1")  # so that neither reserves everybody
    other = machine_of(campaign, tmp_path / "other")
    relay.holds = True
    first, second = campaign.start("run"), other.start("run")
    running = (first.process, second.process)

    def is_in_hand() -> bool:
        """Return whether each has a mail on its connection, or one has ended."""
        return len(relay.taken) == 2 or any(each.poll() is not None for each in running)

    try:
        wait_until(is_in_hand)
        assert senders(campaign) == 2
    finally:
        second.signal(signal.SIGKILL)
        second.process.wait()
        relay.holds = False

    def is_done() -> bool:
        return first.process.poll() is not None or campaign.standings()["asked"] == PEOPLE - 1

    wait_until(is_done, 120)
    first.signal(signal.SIGTERM)
    ended = first.ended()

    assert ended.code == 0, ended
    stand = campaign.standings()
    assert stand.get("claimed", 0) + stand.get("doubtful", 0) == 1, "the mail in hand of the other"
    assert relay.mailboxes == [address(number) for number in range(PEOPLE)]
    assert campaign.run("proof", "verify", "--json").json["holds"] is True
