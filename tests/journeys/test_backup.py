"""A ledger is lost and put back from a backup: nobody gets two mails, nobody is forgotten."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.refusals import assert_explained, assert_explained_as_json
from tests.journeys.campaign import (
    ACCEPTED,
    EXEMPT,
    LISTED,
    WITHHELD,
    Campaign,
    Later,
    everybody,
    write_list,
)
from tests.journeys.relay import Relay
from tests.journeys.terminal import typed
from tests.journeys.web import mailbox
from tests.postgres import Server

pytestmark = pytest.mark.journey

HALF = LISTED // 2
_AFTERWARDS = Later(timedelta(days=33))


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder on another disk, for the copies of the ledger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder on yet another one, for the lasting keys."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def lose(campaign: Campaign) -> None:
    """Delete the ledger and what SQLite keeps beside it."""
    for path in campaign.folder.glob("repermit.db*"):
        path.unlink()


def only_copy(folder: Path) -> Path:
    """Return the one copy in *folder*."""
    (found,) = folder.glob("ledger-*.db")
    return found


def goes_on(campaign: Campaign, relay: Relay) -> None:
    """Settle by the relay's log whom the copy did not know as mailed, and send to the others."""
    known = b"".join(taken.content for taken in relay.taken)
    found = campaign.here("doubt", "list", "--json").json["doubtful"]
    for word, there in (("assume-sent", True), ("resend", False)):
        ids = [str(each["id"]) for each in found if (each["message_id"].encode() in known) is there]
        campaign.here("doubt", word, *ids)
    campaign.here("send")


def test_a_lost_ledger_is_put_back_and_nobody_gets_two_mails(
    approved: Campaign, relay: Relay, copies: Path, kept: Path
) -> None:
    """Half were asked when the copy was made; then the rest, and one said yes, and one no."""
    approved.use(relay.port)
    approved.here("send", "--limit", str(HALF))
    done = approved.run("backup", copies, "--keys", kept, "--json").json
    approved.here("send", "--limit", "4")
    with approved.serving():
        mailbox(relay.taken[0].content).press("yes")
        mailbox(relay.taken[-1].content).press("no")
    lose(approved)

    assert "the ledger is gone" in approved.here("send", expect=1).err
    back = approved.run("restore", copies, "--instead", "0", "--json").json

    assert (back["copy"], back["log"]) == (done["copy"], done["log"])
    assert (back["replaced"], back["aside"], back["next"]) == (0, None, "repermit doubt restored")
    verified = approved.here("proof", "verify", "--json", expect=1).json
    (fault,) = verified["false_entries"]
    assert "this ledger is an older copy" in fault
    assert verified["false_standings"] == []
    assert "older copy" in approved.run("send", expect=1).err
    approved.run("doubt", "restored")
    standings = approved.standings()
    assert (standings["asked"], standings["doubtful"]) == (HALF, LISTED - HALF)
    assert approved.here("send", "--json").json["asked"] == 0
    goes_on(approved, relay)
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    assert approved.standings() == {"asked": LISTED, "withheld": WITHHELD, "exempt": EXEMPT}
    assert approved.here("proof", "verify", "--json").json["holds"] is True


def test_a_new_machine_needs_the_two_folders_and_the_config_only(
    approved: Campaign, relay: Relay, copies: Path, kept: Path, tmp_path: Path
) -> None:
    """The mark came back with the keys, so it does not run ahead: all the same nothing leaves until
    somebody says so, and whoever is taken in from now on gets no id that was given before."""
    approved.use(relay.port)
    approved.here("send", "--limit", str(HALF))
    approved.run("backup", copies, "--keys", kept)
    approved.here("send", "--limit", "4")
    (tmp_path / "new").mkdir()
    new = replace(approved, folder=tmp_path / "new" / "campaign")
    new.folder.mkdir()
    shutil.copy(approved.config, new.config)
    shutil.rmtree(approved.folder)
    taken = len(relay.taken)

    assert_explained(new.run("restore", copies, expect=1), why="the key folder has no keys/keep")
    new.run("restore", copies, "--keys", kept, "--instead", "0")

    assert "older copy" in new.run("send", expect=1).err
    assert len(relay.taken) == taken
    new.run("doubt", "restored")
    goes_on(new, relay)
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    with new.serving():
        mailbox(relay.taken[0].content).press("yes")
    assert new.standings()["opted_in"] == 1
    assert new.here("proof", "verify", "--json").json["holds"] is True
    with closing(sqlite3.connect(new.ledger)) as opened:
        following = opened.execute("SELECT next_recipient FROM campaign").fetchone()[0]
    assert following > 10_000_000
    new.end()


def test_the_ledger_that_is_replaced_is_moved_aside(
    approved: Campaign, relay: Relay, copies: Path, kept: Path
) -> None:
    approved.use(relay.port)
    approved.run("backup", copies, "--keys", kept)
    approved.here("send")
    entries = approved.status()["log"]["size"]

    wrong = approved.run("restore", copies, "--instead", "1", "--json", expect=1)
    unsaid = approved.run("restore", copies, "--json", expect=1)
    shown = typed(
        ["--config", approved.config, "restore", copies],
        [("would be lost with it", ""), ("Type the number", str(entries))],
        cwd=approved.outside,
    )

    assert_explained_as_json(wrong, why=f"{entries} entries, not 1")
    assert f"--instead {entries}" in assert_explained_as_json(unsaid, why="nobody said")["hint"]
    assert "is the ledger now" in shown
    (aside,) = approved.folder.glob("repermit.db.replaced-*")
    with closing(sqlite3.connect(aside)) as opened:
        assert opened.execute("SELECT size FROM log_head").fetchone() == (entries,)
    assert aside.stat().st_mode & 0o777 == 0o600
    assert approved.standings()["listed"] == LISTED


def test_what_is_in_use_is_not_replaced(approved: Campaign, copies: Path, kept: Path) -> None:
    """Copied it is, and the answer page goes on."""
    with approved.serving():
        approved.run("backup", copies, "--keys", kept)
        entries = approved.status()["log"]["size"]
        refused = approved.run("restore", copies, "--instead", str(entries), "--json", expect=1)

    assert_explained_as_json(refused, why="the ledger is in use")
    assert not list(approved.folder.glob("repermit.db.replaced-*"))


def test_promise_8_a_purge_destroys_the_copies_of_keys_beside_backups(
    asked: Campaign, copies: Path, kept: Path
) -> None:
    """The copy from before it yields nobody, with all that lies beside it; the next one does."""
    asked.run("backup", copies, "--keys", kept)
    key = copies / "burn" / "1.key"
    assert key.stat().st_mode & 0o777 == 0o600

    purged = asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED)

    assert not key.exists()
    assert "copies of the keys" in purged.err
    entries = asked.status()["log"]["size"]
    refused = asked.run("restore", copies, "--instead", str(entries), "--json", expect=1)
    assert_explained_as_json(refused, why="it is from before the purge of")
    asked.run("backup", copies, "--keys", kept)
    lose(asked)
    asked.run("restore", copies, "--instead", "0")
    asked.at(_AFTERWARDS, "doubt", "restored")
    assert asked.standings() == {"withheld": WITHHELD, "exempt": EXEMPT}


def test_promise_8_copies_of_keys_that_a_purge_could_not_reach_are_named_and_go_later(
    asked: Campaign, copies: Path, kept: Path
) -> None:
    """The disk was not mounted; it is at the next purge, though nobody is due then."""
    asked.run("backup", copies, "--keys", kept)
    away = copies.rename(copies.with_name("away"))

    purged = asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED, "--json").json

    assert purged["report"]["key_copies"] == {
        "destroyed": 0,
        "out_of_reach": [str(copies / "burn" / "1.key")],
    }
    away.rename(copies)
    assert (copies / "burn" / "1.key").exists()
    again = asked.at(_AFTERWARDS, "purge", "--at-most", "0", *ACCEPTED)
    assert "copies of the keys" in again.err
    assert not (copies / "burn" / "1.key").exists()


def test_a_ledger_in_postgresql_is_put_back_from_a_file(
    begun: Campaign, relay: Relay, copies: Path, kept: Path, postgres: Server
) -> None:
    """A backup of it is a ledger in a file, as any other; so is the one that is moved aside."""
    begun.edit('url = "sqlite:.*', f'url = "{postgres.schema()}"')
    begun.here("import", write_list(begun.outside / "list.csv", everybody()))
    begun.here("suppress", "--none", "we never mailed them before")
    begun.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    begun.use(relay.port)
    begun.here("send", "--limit", str(HALF))
    begun.run("backup", copies, "--keys", kept)
    begun.here("send", "--limit", "4")
    entries = begun.status()["log"]["size"]

    done = begun.run("restore", copies, "--instead", str(entries), "--json").json

    assert (begun.folder / done["aside"]).exists()
    assert "older copy" in begun.run("send", expect=1).err
    begun.run("doubt", "restored")
    goes_on(begun, relay)
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    assert begun.here("proof", "verify", "--json").json["holds"] is True
    assert not begun.ledger.exists()
