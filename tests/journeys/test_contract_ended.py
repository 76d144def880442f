"""The contract with a client ends: close, hand over, erase, certify."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from shutil import move, rmtree

import pytest

from repermit.report import papers
from tests.journeys.campaign import ACCEPTED, EXEMPT, LISTED, WITHHELD, Campaign, Later
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey

_AFTERWARDS = Later(timedelta(days=32))
_LEFT = EXEMPT + 1


def closed(campaign: Campaign) -> Path:
    """Let a campaign with a yes come to its end and be closed; return what was handed over, which
    is in other hands by then."""
    with campaign.serving():
        mailbox(campaign.mails[0].content).press("yes")
    folder, theirs = campaign.outside / "leaving", campaign.outside / "theirs"
    campaign.at(_AFTERWARDS, "handover", folder)
    move(folder, theirs)
    campaign.at(_AFTERWARDS, "purge", "--at-most", str(LISTED - 1), *ACCEPTED)
    campaign.at(_AFTERWARDS, "close", "--by", "An", "--erase", f"withheld={WITHHELD}")
    for evidence in campaign.folder.glob("evidence-*.zip"):
        move(evidence, theirs)
    return theirs


def refused(campaign: Campaign, *words: str | Path) -> list[str]:
    """Return the codes for which a command refuses."""
    done = campaign.at(_AFTERWARDS, *words, "--json", expect=1).json
    return [each["code"] for each in done["refused"]]


def ended(campaign: Campaign) -> None:
    """Erase everybody who is left."""
    words = ("purge", "--contract-ended", "--at-most", str(_LEFT), "--by", "Bo")
    campaign.at(_AFTERWARDS, *words)


def test_from_closing_to_the_certificate(asked: Campaign) -> None:
    theirs = closed(asked)
    out = asked.outside / "certificate.html"
    assert "may withdraw" in asked.at(_AFTERWARDS).out
    early = asked.at(_AFTERWARDS, "papers", "certificate", "--out", out, expect=1).err
    assert f"--contract-ended --at-most {_LEFT} --by NAME" in early
    shown = asked.at(_AFTERWARDS, "purge", "--contract-ended", "--dry-run").out
    assert f"{_LEFT} recipients due: {_LEFT} contract_ended" in shown
    assert "who was never asked stands in no file of the hand-over" in shown
    assert "nobody was erased" in shown

    ended(asked)

    status = asked.status()
    assert (status["purged"], status["to_remove"]) == (LISTED + WITHHELD + EXEMPT, 0)
    assert not any(status["standings"].values())
    last = asked.at(_AFTERWARDS).out
    assert "Next: `repermit papers certificate --out certificate.html`" in last
    assert "nothing is left to do but to keep the papers" in last
    assert "withdraw" not in last
    assert asked.here("proof", "verify", "--json").json["holds"] is True
    asked.run("papers", "certificate", "--out", out)
    page = out.read_text("utf-8")
    assert "Certificaat van wissing" in page
    assert "28 mensen werden opgenomen" in page
    for name in ("yes.csv", "needs-no-question.csv", "must-be-removed.csv"):
        assert name in page
        assert (theirs / name).exists()
    assert asked.here("proof", "verify", "--against", out, "--json").json["holds"] is True
    rmtree(theirs)


def test_links_lead_to_the_page_for_links_that_do_not_work(asked: Campaign) -> None:
    rmtree(closed(asked))
    ended(asked)
    agreed = mailbox(asked.mails[0].content)

    with asked.serving():
        page = agreed.press("no")

    assert "This link no longer works; nothing was recorded." in page


def test_it_wants_a_name_and_a_closed_campaign(asked: Campaign) -> None:
    nameless = asked.run("purge", "--contract-ended", "--at-most", "9", expect=2).err
    mixed = asked.here("purge", "--contract-ended", "--due", expect=2).err
    words = ("purge", "--contract-ended", "--at-most", "99", "--by", "Bo")

    assert "--by NAME" in nameless
    assert "--due" in mixed
    assert refused(asked, *words) == ["open", "handover"]
    assert asked.status()["purged"] == 0


def test_who_withdraws_after_the_hand_over_is_handed_over_first(asked: Campaign) -> None:
    rmtree(closed(asked))
    with asked.serving():
        mailbox(asked.mails[0].content).press("no")

    words = ("purge", "--contract-ended", "--at-most", str(_LEFT), "--by", "Bo")
    assert refused(asked, *words) == ["handover"]
    assert asked.status()["purged"] == LISTED - 1 + WITHHELD


def test_what_was_left_lying_about_is_named_before_it_is_certified(asked: Campaign) -> None:
    """A file with those who said yes is a trace of them now."""
    theirs = closed(asked)
    move(theirs, asked.outside / "leaving")

    words = ("purge", "--contract-ended", "--at-most", str(_LEFT), "--by", "Bo")
    done = asked.at(_AFTERWARDS, *words, expect=1).err
    assert "must-be-removed.csv names 23 people erased by now" in done
    certificate = asked.at(_AFTERWARDS, "papers", "certificate", expect=1).err

    assert "yes.csv" in done
    assert "`repermit purge --contract-ended` then looks again" in done
    assert "yes.csv still tells of" in certificate
    assert "must-be-removed.csv names 23 people" in certificate
    rmtree(asked.outside / "leaving")
    asked.at(_AFTERWARDS, "papers", "certificate")


@pytest.mark.parametrize("language", papers.LANGUAGES)
def test_it_is_there_in_each_language(asked: Campaign, language: str) -> None:
    rmtree(closed(asked))
    ended(asked)
    asked.edit("default_language = .*", f'default_language = "{language}"')

    text = asked.at(_AFTERWARDS, "papers", "certificate").out

    assert len(text.splitlines()) > 60
    assert "{{" not in text
    assert "ontvangers" not in text
