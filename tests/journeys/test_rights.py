"""What a person may do from the links in their mail, through the real server and relay."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator

from repermit.domain.record import SCHEMA
from tests.journeys.campaign import Campaign, Later, wait_until
from tests.journeys.relay import Relay
from tests.journeys.web import fetch, mailbox, message, text_of
from tests.respond.builders import Page

pytestmark = pytest.mark.journey

_FORM = "application/x-www-form-urlencoded"


def press(link: str, page: str, answer: str) -> str:
    """Press a button of *page*, which stands at *link*, and return the page that follows."""
    fields = Page(page).hidden | {"answer": answer}
    shown = fetch(link, "POST", urlencode(fields).encode(), _FORM)
    assert shown.status == 200
    return shown.text


def erase(link: str, confirming: str) -> None:
    """Press the last button until it counts: not within ten seconds of an answer."""
    wait_until(lambda: Page(press(link, confirming, "erase-now")).rights == [])


def test_everything_that_is_held_comes_by_mail_and_only_there(
    asked: Campaign, relay: Relay
) -> None:
    """Whoever was forwarded the mail and presses learns nothing."""
    asked.use(relay.port)
    person = asked.mails[0]
    with asked.serving():
        box = mailbox(person.content)
        box.press("yes")
        page = press(box.yes, fetch(box.yes).text, "data")
        again = press(box.no, fetch(box.no).text, "data")
    assert person.mailbox not in page + again

    asked.run("send")

    (mail,) = relay.taken
    assert mail.mailbox == person.mailbox
    assert person.mailbox in text_of(mail.content)
    assert "tuindagen" in text_of(mail.content)
    (file,) = message(mail.content).iter_attachments()
    content = json.loads(file.get_content())
    on_file = asked.here("person", "--json", stdin=f"{person.mailbox}\n").json["on_file"]
    assert content["person"]["id"] == on_file["id"]
    assert content["person"]["standing"] == "opted_in"
    assert [one["button"] for one in content["answers"]] == [
        one["button"] for one in on_file["answers"]
    ]
    shown = set(content["shown"])
    assert {content["person"]["mail"], content["answers"][0]["page"]} == shown
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_a_person_erases_themselves_and_nothing_of_them_stays(
    asked: Campaign, relay: Relay
) -> None:
    """Also not the acknowledgement that was owed; a new import does not bring them back."""
    asked.use(relay.port)
    person = asked.mails[0]
    with asked.serving():
        box = mailbox(person.content)
        box.press("no")
        confirming = press(box.yes, fetch(box.yes).text, "erase")
        assert asked.status()["erased"] == 0
        erase(box.yes, confirming)
        assert {fetch(link).status for link in (box.yes, box.no, box.unsubscribe)} == {404}

    told = asked.here("person", "--json", stdin=f"{person.mailbox}\n").json
    assert told["on_file"] is None
    assert told["suppressed"]
    assert asked.status()["erased"] == 1
    assert asked.status()["outbox"] == {"owed": 0, "doubtful": 0, "failed": 0}
    asked.at(Later(timedelta(minutes=1)), "send")
    assert relay.taken == []
    assert asked.here("proof", "verify", "--json").json["holds"] is True


@pytest.mark.parametrize("by_operator", [True, False])
def test_whoever_received_an_export_can_be_told_of_an_erasure(
    asked: Campaign, by_operator: bool
) -> None:
    """GDPR art. 19, without their address: by the proof that the export gave them."""
    person, yes, stop = asked.mails[0], asked.outside / "yes.csv", asked.outside / "stop.csv"
    with asked.serving():
        box = mailbox(person.content)
        box.press("yes")
        asked.here("export", "--out", str(yes))
        if not by_operator:
            erase(box.yes, press(box.yes, fetch(box.yes).text, "erase"))
    (row,) = [line for line in yes.read_text().splitlines() if person.mailbox in line]
    proof = row.split(",")[4]
    if by_operator:
        erased = asked.here("person", "--erase", "--json", stdin=f"{person.mailbox}\n")
        assert erased.json["exported"] == [int(proof)]
    assert asked.status()["to_remove"] == 1
    assert "must be removed elsewhere" in asked.here("status").out

    said = asked.here("export", "--opt-outs", "--out", str(stop)).err

    assert "1 row without an address" in said
    assert stop.read_text().splitlines()[-1].startswith(",")
    assert stop.read_text().splitlines()[-1].endswith(f",{proof},")
    assert asked.status()["to_remove"] == 0


def test_a_yes_has_a_record_as_long_as_it_stands(asked: Campaign) -> None:
    person = asked.mails[0]
    with asked.serving():
        box = mailbox(person.content)
        assert fetch(f"{box.yes}/record.json").status == 404
        box.press("yes")
        status = asked.status()
        page, file = fetch(f"{box.yes}/record"), fetch(f"{box.yes}/record.json")
        assert asked.status() == status
        box.one_click()
        gone = fetch(f"{box.yes}/record.json").status

    content = json.loads(file.text)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(content)
    assert content["repermit:proof"]["repermit:logRoot"] == status["log"]["root"]
    where, _, token = box.yes.partition("/yes/")
    assert content["dpv:hasConsentControl"]["schema:url"] == where
    assert token not in file.text + page.text
    assert content["dct:identifier"] in page.text
    assert person.mailbox not in page.text + file.text
    assert gone == 404


def test_a_server_that_ends_says_what_it_owes_since_it_began(asked: Campaign) -> None:
    with asked.serving() as server:
        mailbox(asked.mails[0].content).press("yes")
    assert asked.standings()["opted_in"] == 1
    line = server.err.read_text("utf-8").splitlines()[-2]
    assert line.startswith("still owed: people may answer until 20")
    assert "; 1 person said yes and may withdraw" in line
