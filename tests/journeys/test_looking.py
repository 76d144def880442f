"""What may be looked at without anything being kept: preview, test mail, dry runs."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from repermit.domain.standing import Standing
from tests.journeys.campaign import (
    ADMITTED,
    DOMAIN,
    LISTED,
    Campaign,
    address,
    everybody,
    row,
    write_list,
)
from tests.journeys.relay import Relay
from tests.journeys.web import fetch, mailbox, message

pytestmark = pytest.mark.journey


def kept(campaign: Campaign) -> dict[str, str]:
    """Return the hash of every file of the campaign: ledger, keys, mark, pages."""
    return {
        str(path.relative_to(campaign.folder)): sha256(path.read_bytes()).hexdigest()
        for path in campaign.folder.rglob("*")
        if path.is_file()
    }


def counted(campaign: Campaign, path: Path, *options: str) -> dict[str, object]:
    """Return the counts of an import but for its id."""
    counts = campaign.here("import", path, "--json", *options).json
    return {name: count for name, count in counts.items() if name != "id"}


def test_a_dry_run_counts_and_keeps_nothing(begun: Campaign) -> None:
    """Neither where there is no ledger yet, nor where there is one; the real import then counts
    the same."""
    path = write_list(begun.outside / "list.csv", everybody())
    more = write_list(begun.outside / "more.csv", [*everybody()[:5], row(500)])

    before = kept(begun)
    foretold = begun.run("import", path, "--dry-run", "--json").json
    del foretold["id"]
    assert kept(begun) == before
    assert not begun.ledger.exists()
    assert counted(begun, path) == foretold
    with_ledger, status = kept(begun), begun.status()
    assert kept(begun) == with_ledger
    foretold = counted(begun, more, "--dry-run")

    assert (foretold["admitted"], foretold["duplicates"]) == (1, 5)
    assert kept(begun) == with_ledger
    assert begun.status() == status
    assert counted(begun, more) == foretold


def test_a_preview_shows_every_mail_and_page_and_keeps_nothing(begun: Campaign) -> None:
    """It works before the first import, and needs neither relay nor ledger."""
    before = kept(begun)

    begun.run("preview", "--out", begun.outside / "preview")

    names = {path.name for path in (begun.outside / "preview").iterdir()}
    for language in ("nl", "fr", "de", "en"):
        assert {f"mail-signed_up_no_proof-{language}.html", f"page-{language}.html"} <= names
    assert "index.html" in names
    assert kept(begun) == before


def test_the_links_of_a_test_mail_show_the_pages_and_record_nothing(
    approved: Campaign, relay: Relay
) -> None:
    """In every language, and in those of Belgium one below the other, to an address that only
    standard input holds; it is not admitted."""
    approved.use(relay.port)
    before = approved.status()

    approved.run("test-mail", stdin=f"zelf@{DOMAIN}\n")

    assert relay.mailboxes == [f"zelf@{DOMAIN}"] * 5
    languages = [message(taken.content)["Subject"] for taken in relay.taken]
    assert len(set(languages)) == 5
    stacked = [taken for taken in relay.taken if _has_all(taken.content, "nl", "fr", "de")]
    assert len(stacked) == 1
    with approved.serving():
        for taken in relay.taken:
            links = mailbox(taken.content)
            assert fetch(links.yes).status == fetch(links.no).status == 200
            links.press("yes")
            links.press("no")
            assert urlsplit(links.unsubscribe).path.startswith("/u/")
            links.one_click()
    assert approved.status() == before
    assert relay.mailboxes.count(address(0)) == 0


def _has_all(mail: bytes, *languages: str) -> bool:
    """Return whether the HTML of a mail has a part in each of *languages*."""
    part = message(mail).get_body(("html",))
    assert part is not None
    return all(f'lang="{language}"' in part.get_content() for language in languages)


def test_screening_again_follows_a_changed_policy_both_ways(approved: Campaign) -> None:
    """A reason that is taken out withholds; put back, the same people are listed again, and the
    approval of before does not cover them."""
    before, line = approved.standings(), "signed_up_no_proof = .*"
    reason = next(
        text
        for text in approved.config.read_text("utf-8").splitlines()
        if text.startswith("signed_up_no_proof")
    )
    approved.edit(line, "# nothing")
    without = approved.run("screen", "--json").json
    assert (without["listed"], approved.standings().get("listed")) == (0, None)
    approved.edit("# nothing", reason)

    again = approved.here("screen", "--json").json

    assert again["listed"] == before["listed"]
    assert approved.standings() == before
    assert "added after the approval" in approved.here("send", expect=1).err


def test_the_status_says_the_same_in_words_and_in_one_object(asked: Campaign) -> None:
    """Its keys are a contract; instants are UTC, or null."""
    told, said = asked.run("status", "--json").json, asked.run("status").out

    assert list(told) == [
        "campaign",
        "standings",
        "purged",
        "erased",
        "admitted",
        "suspect",
        "due",
        "extended",
        "holds",
        "paused",
        "stopped",
        "log",
        "outbox",
        "to_remove",
        "page",
        "closed",
        "elsewhere",
        "last_purge",
        "bounce_check",
        "inbound",
    ]
    assert list(told["page"]) == ["seen", "vantage", "failed", "why"]
    assert told["page"]["seen"] is None
    assert told["page"]["why"] == "the connection is refused"  # `send` found so: a trial
    assert list(told["standings"]) == list(map(str, Standing))
    assert told["due"].keys() == {"first", "last"}
    assert told["due"]["first"].endswith("Z")
    assert (told["paused"], told["suspect"]) == (None, 0)
    assert told["log"]["root"] in said
    assert re.search(r"^last day to answer: \d{4}-\d\d-\d\d( to .*)?$", said, re.MULTILINE)
    assert f"{LISTED}  asked" in said
    assert f"{ADMITTED}  admitted" in said


def test_nothing_in_doubt_is_said_in_one_line(asked: Campaign) -> None:
    said = asked.here("doubt", "list")

    assert (said.out, said.err) == ("nothing is in doubt\n", "")
