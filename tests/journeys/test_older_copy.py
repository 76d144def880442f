"""An older copy of the ledger is put back: what it does not know may have happened."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.refusals import assert_explained_as_json
from tests.journeys.campaign import (
    ACCEPTED,
    CONNECTIONS,
    EXEMPT,
    LISTED,
    WITHHELD,
    Campaign,
    Later,
    wait_until,
)
from tests.journeys.relay import Relay
from tests.journeys.web import mailbox

pytestmark = pytest.mark.journey

_AFTERWARDS = Later(timedelta(days=33))


def put_back(campaign: Campaign, copy: Path) -> None:
    """Put *copy* in the place of the ledger, as after a restore from a backup."""
    for leftover in campaign.folder.glob("repermit.db*"):
        leftover.unlink()
    shutil.copy(copy, campaign.ledger)


def copied(source: Path, to: Path) -> Path:
    """Copy a ledger into another as a backup tool does, page by page, whoever uses either."""
    with closing(sqlite3.connect(source)) as ledger, closing(sqlite3.connect(to)) as copy:
        ledger.backup(copy)
    return to


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
    words = ("purge", "--at-most", str(LISTED - 1), *ACCEPTED, "--json")
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


def test_a_copy_from_the_middle_of_a_run_that_was_killed_doubles_nobody(
    approved: Campaign, relay: Relay
) -> None:
    """Half of the mails have left when the sender is killed; the copy knows of fewer. What the
    relay's log shows is taken as sent, the others are sent: one mail each."""
    approved.use(relay.port)
    relay.seconds = 0.1
    sender = approved.start("send")
    wait_until(lambda: approved.standings().get("asked", 0) >= CONNECTIONS)
    copy = copied(approved.ledger, approved.outside / "copy.db")
    wait_until(lambda: len(relay.taken) >= LISTED // 2)
    sender.signal(signal.SIGKILL)
    sender.ended()
    put_back(approved, copy)
    relay.seconds = 0.0
    mails = len(relay.taken)

    refused = approved.run("send", "--json", expect=1)
    purge = approved.run("purge", "--at-most", "0", "--json", expect=1).json
    assert_explained_as_json(refused, why="older copy")
    assert "older_copy" in [each["code"] for each in purge["refused"]]
    approved.run("doubt", "restored")
    standings = approved.standings()
    assert standings["asked"] + standings["doubtful"] == LISTED
    assert standings["doubtful"] >= LISTED - mails
    assert approved.run("send", "--json").json["asked"] == 0
    assert len(relay.taken) == mails < LISTED

    _settle_by_the_log_of_the_relay(approved, relay)
    approved.run("send")
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    assert approved.standings()["asked"] == LISTED
    assert approved.here("proof", "verify", "--json").json["holds"] is True


def _settle_by_the_log_of_the_relay(campaign: Campaign, relay: Relay) -> None:
    known = b"".join(taken.content for taken in relay.taken)
    found = campaign.here("doubt", "list", "--json").json["doubtful"]
    for word, there in (("assume-sent", True), ("resend", False)):
        ids = [str(each["id"]) for each in found if (each["message_id"].encode() in known) is there]
        campaign.here("doubt", word, *ids)


def test_a_copy_that_is_put_back_under_a_running_sender_stops_it(
    approved: Campaign, relay: Relay
) -> None:
    """By `sqlite3 repermit.db ".restore copy.db"`, which writes into the very file. What the copy
    takes for listed may have its mail already."""
    approved.use(relay.port)
    approved.edit("per_second = .*", "per_second = 8")
    copy = copied(approved.ledger, approved.outside / "copy.db")
    sender = approved.start("send", "--json")
    wait_until(lambda: approved.standings().get("asked", 0) >= CONNECTIONS)
    copied(copy, approved.ledger)

    assert_explained_as_json(sender.ended(), why="older copy")
    assert CONNECTIONS <= len(set(relay.mailboxes)) == len(relay.taken) < LISTED
    assert "older copy" in approved.here("send", expect=1).err
    approved.run("doubt", "restored")
    assert approved.here("send", "--json").json["asked"] == 0
    assert approved.standings()["doubtful"] == LISTED


def test_a_copy_from_before_a_purge_is_never_the_present_ledger(asked: Campaign) -> None:
    """Nobody in it can be read: each command says which copy to put back, and that one goes on."""
    copy = copied(asked.ledger, asked.outside / "copy.db")
    asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED)
    put_back(asked, copy)

    for words, code in (
        (("status",), 0),
        (("handover", asked.outside / "none"), 1),
        (("doubt", "restored"), 1),
    ):
        said = asked.at(_AFTERWARDS, *words, expect=code).err
        assert "from before the purge of" in said
        assert "or backup/repermit.db, which it left" in said
    purge = asked.at(_AFTERWARDS, "purge", "--at-most", "0", "--json", expect=1).json
    found = [each["code"] for each in purge["refused"]]
    assert ("older_copy" in found, "log" in found) == (True, False)
    with asked.serving() as served:
        pass
    assert "from before the purge of" in served.ended().err

    put_back(asked, asked.folder / "backup" / "repermit.db")
    assert "before the purge" not in asked.at(_AFTERWARDS, "status").err
    asked.at(_AFTERWARDS, "doubt", "restored")
    assert "traces left: 0" in asked.at(_AFTERWARDS, "purge", "--at-most", "0", *ACCEPTED).out
    asked.at(_AFTERWARDS, "handover", asked.outside / "new")
    assert asked.at(_AFTERWARDS, "proof", "verify", "--json").json["holds"] is True
