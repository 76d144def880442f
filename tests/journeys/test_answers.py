"""A mail, its links, the page, the press, and what is then on file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from repermit.cli.demo_people import Mailbox
from tests.journeys.campaign import LISTED, Campaign, Result, Templates
from tests.journeys.web import fetch, links, mailbox, message

pytestmark = pytest.mark.journey

_MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)
_FORM = "application/x-www-form-urlencoded"
_CHANGING_NOTHING = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND")


@pytest.fixture(scope="module")
def served(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """Everyone has their mail and the pages are served; each test answers for its own people."""
    campaign = templates.asked.copied(tmp_path_factory.mktemp("answers"))
    with campaign.serving():
        yield campaign
    campaign.end()


def box(campaign: Campaign, number: int) -> Mailbox:
    """Return the links of one of the people, whichever comes at that place."""
    return mailbox(campaign.mails[number].content)


def exported(campaign: Campaign, *options: str) -> Path:
    """Return the file that `export` writes; only its owner may read it."""
    path = campaign.outside / f"export-{len(list(campaign.outside.iterdir()))}"
    campaign.here("export", "--out", path, *options)
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def person(campaign: Campaign, who: str) -> Result:
    """Return what `person` tells of one address, given on standard input."""
    return campaign.here("person", "--json", stdin=f"{who}\n")


def test_everyone_listed_got_one_mail(served: Campaign) -> None:
    assert len({taken.mailbox for taken in served.mails}) == len(served.mails) == LISTED
    assert {message(taken.content)["To"] for taken in served.mails} == {
        taken.mailbox for taken in served.mails
    }


def test_a_yes_is_on_file_and_in_every_export(served: Campaign) -> None:
    """And the log that proves it verifies."""
    before, who = served.standings(), served.mails[0].mailbox

    box(served, 0).press("yes")

    after = served.standings()
    assert after["opted_in"] == before.get("opted_in", 0) + 1
    assert after["asked"] == before["asked"] - 1
    served.run("export", "--out", "yes.csv")
    assert (served.outside / "yes.csv").stat().st_mode & 0o777 == 0o600
    with (served.outside / "yes.csv").open(encoding="utf-8", newline="") as file:
        rows = {line["email"]: line for line in csv.DictReader(file)}
    assert rows[who]["purposes"] == "newsletter"
    assert datetime.fromisoformat(rows[who]["confirmed_on"])
    lines = exported(served, "--format", "jsonl").read_text("utf-8").splitlines()
    found = [line for line in map(json.loads, lines) if line["email"] == who]
    assert [line["purposes"] for line in found] == [["newsletter"]]
    assert str(found[0]["proof"]) == rows[who]["proof"]
    assert served.run("proof", "verify", "--json").json["holds"] is True
    assert [each["answer"] for each in person(served, who).json["on_file"]["answers"]] == ["yes"]


def test_a_no_on_the_page_opts_out_and_suppresses(served: Campaign) -> None:
    before, who = served.standings(), served.mails[1].mailbox

    box(served, 1).press("no")

    assert served.standings()["opted_out"] == before.get("opted_out", 0) + 1
    told = person(served, who).json
    assert told["on_file"]["standing"] == "opted_out"
    assert told["suppressed"]["source"] == "answer"
    assert who not in exported(served).read_text("utf-8")
    assert who in exported(served, "--opt-outs").read_text("utf-8")


@pytest.mark.parametrize(
    ("number", "content_type", "body"),
    [
        (2, _FORM, b"List-Unsubscribe=One-Click"),
        (
            3,
            "multipart/form-data; boundary=b",
            _MULTIPART,
        ),
    ],
    ids=["urlencoded", "multipart"],
)
def test_a_mail_programs_own_button_is_a_no(
    served: Campaign, number: int, content_type: str, body: bytes
) -> None:
    """RFC 8058 section 3.2 allows both encodings."""
    before, read = served.standings(), message(served.mails[number].content)
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    page = fetch(read["List-Unsubscribe"].strip("<>"), "POST", body, content_type)

    assert page.status == 200
    assert served.standings()["opted_out"] == before.get("opted_out", 0) + 1
    told = person(served, served.mails[number].mailbox).json["on_file"]
    assert [(each["answer"], each["way"]) for each in told["answers"]] == [("no", "one_click")]


def test_a_scanner_that_opens_every_link_changes_nothing(served: Campaign) -> None:
    """Every link of headers and body, every method but POST; the root of the log included."""
    before, opened = served.status(), 0

    for taken in served.mails:
        ours = {link for link in links(taken.content) if f":{served.web_port}/" in link}
        assert {link.split("/")[3] for link in ours} == {"yes", "no", "u"}
        for link in ours:
            assert fetch(link).status == 200
            statuses = {fetch(link, method).status for method in _CHANGING_NOTHING}
            assert max(statuses) < 500, statuses
            opened += 1

    assert opened >= 3 * LISTED
    assert served.status() == before


def test_a_yes_without_the_page_that_was_rendered_is_no_yes(served: Campaign) -> None:
    """A machine that posts to the link, without the hidden field of the page."""
    before = served.status()

    page = fetch(box(served, 4).yes, "POST", urlencode({"answer": "yes"}).encode(), _FORM)

    assert page.status == 200
    assert served.status() == before


def test_forged_links_show_one_and_the_same_page(served: Campaign) -> None:
    before, good = served.status(), box(served, 4).yes
    forged = (good[:-2] + "AA", good.replace("/yes/", "/u/"), good.rpartition("/")[0] + "/x")

    pages = {fetch(link, method) for link in forged for method in ("GET", "POST")}

    assert [page.status for page in pages] == [404]
    assert served.status() == before
