"""An approval is for exactly these people and these words."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.refusals import assert_explained
from tests.journeys.campaign import LISTED, Campaign, Later, address, row, write_list
from tests.journeys.relay import Relay
from tests.journeys.web import fetch, mailbox, text_of

pytestmark = pytest.mark.journey


def approve(campaign: Campaign) -> None:
    """Approve what there is now."""
    campaign.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")


def test_added_people_void_it(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)
    approved.here("import", write_list(approved.outside / "more.csv", [row(500)]))
    before = approved.status()

    refused = approved.run("send", expect=1)

    assert "1 recipient added after the approval" in refused.err
    assert (relay.taken, approved.status()) == ([], before)
    approve(approved)
    approved.here("send")
    assert len(relay.taken) == LISTED + 1


def test_changed_words_void_it(approved: Campaign, relay: Relay) -> None:
    """One sentence that the campaign words in its own way."""
    approved.use(relay.port)
    words = approved.folder / "templates" / "wording" / "nl.toml"
    words.parent.mkdir(parents=True)
    words.write_text('[mail]\nyours_alone = "Deze links zijn van u alleen."\n', "utf-8")
    before = approved.status()

    refused = approved.run("send", expect=1)

    assert "changed since: the mail (nl, nl+fr+de)" in refused.err
    assert (relay.taken, approved.status()) == ([], before)
    approve(approved)
    approved.here("send")
    assert len(relay.taken) == LISTED
    assert (
        sum("Deze links zijn van u alleen." in text_of(each.content) for each in relay.taken) == 6
    )


def test_nobody_is_shown_words_that_were_not_approved(asked: Campaign) -> None:
    """Nor when everyone has their mail; approved anew, or put back, they are shown."""
    config = asked.config.read_text("utf-8")
    asked.edit('text.nl = ".*"', 'text.nl = "elke dag reclame"')

    refused = asked.run("serve", expect=1)

    assert_explained(refused, why="other words than were approved: the answer page (nl, nl+fr+de)")
    assert "put the words back" in refused.err
    approve(asked)
    dutch = next(each for each in asked.mails if each.mailbox == address(0))
    with asked.serving():
        assert "elke dag reclame" in fetch(mailbox(dutch.content).yes).text
    asked.config.write_text(config, "utf-8")
    assert "other words than were approved" in asked.here("serve", expect=1).err


def test_before_an_approval_any_words_are_tried_out(begun: Campaign) -> None:
    begun.here("import", write_list(begun.outside / "list.csv", [row(1)]))
    begun.edit('text.nl = ".*"', 'text.nl = "elke dag reclame"')
    with begun.serving():
        assert fetch(f"http://127.0.0.1:{begun.web_port}/healthz").status == 200


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        ("answer_days = 30", "answer_days = 21"),
        ('public_url = ".*"', 'public_url = "http://127.0.0.1:1"'),
        ('from = ".*"', 'from = "Somebody else <a@tuinvrienden.example>"'),
        ("signed_up_no_proof = .*", 'signed_up_no_proof = "Another reason."'),
        ('text.nl = ".*"', 'text.nl = "elke dag reclame"'),
    ],
)
def test_a_changed_config_voids_it(approved: Campaign, pattern: str, replacement: str) -> None:
    """Nothing is sent, whatever the relay would say: it is not even called."""
    approved.edit(pattern, replacement)

    refused = approved.at(Later(), "send", "--json", expect=1).json

    assert "changed since" in refused["error"]


def test_removed_people_do_not_void_it(approved: Campaign, relay: Relay) -> None:
    """One is suppressed, one erased on their own wish."""
    approved.use(relay.port)
    approved.here("suppress", "-", stdin=address(0))
    approved.here("person", "--erase", stdin=address(1))

    sent = approved.run("send", "--json").json

    assert sent["asked"] == len(relay.taken) == LISTED - 2
    assert not {address(0), address(1)} & set(relay.mailboxes)
    assert approved.status()["erased"] == 1


def test_it_is_refused_until_it_was_said_who_opted_out(begun: Campaign) -> None:
    """A statement, a list, or an imported list that says so itself: each is enough."""
    begun.here("import", write_list(begun.outside / "list.csv", [row(1), row(2)]))
    words = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")

    refused = begun.run(*words, expect=1)

    assert "nobody has said yet who opted out before" in refused.err
    assert "repermit suppress LIST" in refused.err
    assert "suppress --none" in refused.err
    assert not list(begun.folder.glob("approval-*.html"))
    begun.here("suppress", "--none", "  ", expect=2)
    begun.here("suppress", "--none", " nobody ever did ")
    approve(begun)
    begun.here("suppress", "-", stdin=address(2))
    approve(begun)
    page = (begun.folder / "approval-2.html").read_text("utf-8")
    assert "nobody ever did" not in page
    assert "1 named by 1 list of opt-outs" in page


def test_an_imported_list_that_says_who_opted_out_does_not_answer_for_the_others(
    begun: Campaign,
) -> None:
    path = write_list(begun.outside / "list.csv", [row(1), row(2)])
    head, stays, stops = path.read_text("utf-8").splitlines()
    path.write_text(f"{head};uitgeschreven\n{stays};\n{stops};ja\n", "utf-8")
    begun.here("import", path)
    words = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    assert "who opted out before" in begun.here(*words, expect=1).err

    begun.here("suppress", "--none", "nobody but those of the list")
    approve(begun)


def test_whoever_was_informed_can_tell_that_an_older_copy_was_put_back(
    approved: Campaign,
) -> None:
    """By the page that they have, where ledger and key folder were put back together."""
    older, kept = approved.outside / "older", approved.outside / "approval.html"
    shutil.copytree(approved.folder, older)
    approve(approved)
    shutil.copy(approved.folder / "approval-2.html", kept)
    told = approved.here("proof", "verify", "--against", kept).out
    assert "entries are those of the checkpoint" in told

    shutil.rmtree(approved.folder)
    shutil.copytree(older, approved.folder)
    approved.here("proof", "verify")
    refused = approved.here("proof", "verify", "--against", kept, expect=1)
    assert "this ledger is an older copy" in refused.err
