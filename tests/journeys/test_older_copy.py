"""An older copy of the ledger is put back: what it does not know may have happened."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.campaign import EXEMPT, LISTED, WITHHELD, Campaign, Later
from tests.journeys.relay import Relay
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey

_AFTERWARDS = Later(timedelta(days=33))


def put_back(campaign: Campaign, copy: Path) -> None:
    """Put *copy* in the place of the ledger, as after a restore from a backup."""
    for leftover in campaign.folder.glob("repermit.db*"):
        leftover.unlink()
    shutil.copy(copy, campaign.ledger)


def test_it_neither_sends_nor_purges_until_somebody_says_so(
    approved: Campaign, relay: Relay
) -> None:
    """`doubt restored` makes doubtful whom it takes for listed; nobody gets a second mail, an
    answer to the first still counts, and the silent fall due."""
    approved.use(relay.port)
    copy = shutil.copy(approved.ledger, approved.outside / "copy.db")
    approved.here("send")
    put_back(approved, Path(copy))
    before = approved.status()

    send = approved.run("send", "--json", expect=1).json
    purge = approved.run("purge", "--at-most", "0", "--json", expect=1).json

    assert "older copy" in send["error"]
    assert "doubt restored" in send["hint"]
    assert "older_copy" in [each["code"] for each in purge["refused"]]
    assert (approved.status(), len(relay.taken)) == (before, LISTED)
    approved.run("doubt", "restored")
    assert approved.standings() == {"doubtful": LISTED, "withheld": WITHHELD, "exempt": EXEMPT}
    assert approved.here("send", "--json").json["asked"] == 0
    assert len(relay.taken) == LISTED
    _goes_on(approved, relay)


def _goes_on(campaign: Campaign, relay: Relay) -> None:
    with campaign.serving():
        mailbox(relay.taken[0].content).press("yes")
    words = ("purge", "--at-most", str(LISTED - 1), "--json")
    done = campaign.at(_AFTERWARDS, *words).json
    assert (done["by_reason"], done["purged"]) == ({"doubtful": LISTED - 1}, LISTED - 1)
    assert campaign.standings() == {"opted_in": 1, "withheld": WITHHELD, "exempt": EXEMPT}
    assert campaign.here("proof", "verify", "--json").json["holds"] is True
    assert "not an older copy" in campaign.here("doubt", "restored", expect=1).err


def test_answers_to_an_older_copy_do_not_make_it_the_present_one(
    approved: Campaign, relay: Relay
) -> None:
    """It grows past the mark by what people press, and still refuses to send."""
    approved.use(relay.port)
    approved.here("send", "--limit", "4")
    copy = shutil.copy(approved.ledger, approved.outside / "copy.db")
    approved.here("send", "--limit", "1")
    put_back(approved, Path(copy))

    with approved.serving():
        for taken in relay.taken[:4]:
            mailbox(taken.content).press("no")
            mailbox(taken.content).press("yes")

    assert "older copy" in approved.here("send", expect=1).err
    assert len(relay.taken) == 5
