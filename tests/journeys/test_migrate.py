"""A campaign moves from its SQLite file to PostgreSQL while it is under way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.refusals import assert_explained
from tests.journeys.campaign import LISTED, Campaign, row, wait_until, write_list
from tests.journeys.machines import in_postgres
from tests.journeys.relay import Relay
from tests.journeys.terminal import typed
from tests.journeys.web import mailbox
from tests.postgres import Server

pytestmark = pytest.mark.journey

HALF = LISTED // 2


@pytest.fixture
def url(postgres: Server) -> str:
    """Where the ledger goes."""
    return postgres.schema()


def entries(campaign: Campaign) -> int:
    return int(campaign.status()["log"]["size"])


def moved_file(campaign: Campaign) -> Path:
    """Return the file that the ledger was moved out of, alone."""
    (found,) = campaign.folder.glob("repermit.db*")
    assert re.fullmatch(r"repermit\.db\.moved-\d{8}T\d{6}Z", found.name)
    return found


def test_a_campaign_of_which_half_is_sent_goes_on_and_asks_nobody_twice(
    approved: Campaign, relay: Relay, url: str
) -> None:
    approved.use(relay.port)
    approved.run("send", "--limit", str(HALF))
    with approved.serving():
        mailbox(relay.taken[0].content).press("yes")
    before, standings = approved.status(), approved.standings()
    a_list = write_list(approved.outside / "more.csv", [row(300)])

    refused = approved.run("migrate-ledger", url, expect=1)
    done = approved.run("migrate-ledger", url, "--entries", str(before["log"]["size"]))

    assert f"pass --entries {before['log']['size']}" in refused.err
    assert f"{before['admitted']} recipients, {before['log']['size']} log entries" in done.err
    assert f"root {before['log']['root']}" in done.out
    assert moved_file(approved).name in done.out
    assert "the ledger was moved into PostgreSQL" in approved.run("send", expect=1).err
    assert "the ledger was moved into PostgreSQL" in approved.run("import", a_list, expect=1).err
    in_postgres(approved, url)
    assert (approved.standings(), approved.status()["log"]) == (standings, before["log"])
    assert approved.run("proof", "verify", "--json").json["holds"] is True
    assert "names PostgreSQL already" in approved.run("migrate-ledger", url, expect=1).err

    approved.run("send")

    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED
    with approved.serving():
        mailbox(relay.taken[-1].content).press("yes")
    assert approved.standings()["opted_in"] == 2


def test_a_terminal_asks_for_the_number_of_entries(approved: Campaign, url: str) -> None:
    words = ("--config", approved.config, "migrate-ledger", url)
    size = entries(approved)

    wrong = typed(words, [("Type the number", str(size + 1))], cwd=approved.outside, code=1)
    assert approved.ledger.exists()
    done = typed(words, [("Type the number", str(size))], cwd=approved.outside)

    assert "nothing was moved" in wrong
    assert "what to do: put that URL into database.url" in done


def test_while_it_is_in_use_it_is_not_moved(approved: Campaign, relay: Relay, url: str) -> None:
    approved.use(relay.port)
    relay.holds = True
    sending = approved.start("send")
    wait_until(lambda: sending.process.poll() is not None or bool(relay.taken))
    size = entries(approved)

    refused = approved.run("migrate-ledger", url, "--entries", str(size), expect=1)
    relay.holds = False
    assert sending.ended().code == 0
    with approved.serving():
        served = approved.run("migrate-ledger", url, "--entries", str(entries(approved)), expect=1)

    for each in (refused, served):
        assert_explained(each, why="the ledger is in use by another process")
    assert approved.standings()["asked"] == LISTED


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:///other.db", "not one of PostgreSQL"),
        ("postgresql://me:secret@db.example/ledger", "holds a password"),
        ("postgresql://me@db.example", "names no database"),
        ("postgres+asyncpg://me@db.example/ledger", "another way than postgresql://"),
    ],
)
def test_what_is_no_url_of_postgresql_is_wrong_usage(
    approved: Campaign, url: str, why: str
) -> None:
    said = approved.here("migrate-ledger", url, "--entries", "1", expect=2).err

    assert why in said
    assert "secret" not in said
