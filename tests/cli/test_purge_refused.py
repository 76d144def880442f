"""A purge that would be wrong is refused, with a code for scripts, and erases nobody."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.cli.refusals import assert_explained, assert_explained_as_json, state
from tests.journeys.campaign import (
    ACCEPTED,
    CONNECTIONS,
    LISTED,
    Campaign,
    Later,
    Result,
    wait_until,
)
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey

_AFTERWARDS, _BEFORE = Later(timedelta(days=32)), Later(timedelta(hours=-1))


def refused(text: Result, as_json: Result, *, why: str) -> list[str]:
    """Return the codes of a purge that was refused in both forms."""
    assert_explained(text, why=why)
    told = assert_explained_as_json(as_json, why=why)
    assert (told["purged"], told["traces"]) == (0, 0)
    return [each["code"] for each in told["refused"]]


@pytest.mark.parametrize("allowed", [(), ("--at-most", str(LISTED - 1))], ids=["none", "fewer"])
def test_more_are_due_than_may_go(asked: Campaign, allowed: tuple[str, ...]) -> None:
    """In a script nobody is there to type the number, and a smaller one is not enough."""
    before = state(asked)

    text = asked.at(_AFTERWARDS, "purge", *allowed, *ACCEPTED, expect=1)
    as_json = asked.at(_AFTERWARDS, "purge", *allowed, *ACCEPTED, "--json", expect=1)

    assert refused(text, as_json, why=f"{LISTED} recipients are due") == ["at_most"]
    assert f"pass --at-most {LISTED}" in text.err
    assert as_json.json["due"] == LISTED
    assert state(asked) == before


def test_mails_are_still_leaving(approved: Campaign, relay: Relay) -> None:
    """A sender has handed mails over, and the relay has not said its word."""
    approved.use(relay.port)
    relay.holds = True
    sender = approved.start("send")
    wait_until(lambda: len(relay.taken) == CONNECTIONS)
    before = state(approved)

    text = approved.run("purge", "--at-most", "0", expect=1)
    as_json = approved.here("purge", "--at-most", "0", "--json", expect=1)

    assert refused(text, as_json, why="still leaving") == ["leaving"]
    assert state(approved) == before
    relay.holds = False
    assert sender.ended().code == 0
    assert approved.here("purge", "--at-most", "0", "--json").json["purged"] == 0


def test_the_clock_is_behind_the_log(asked: Campaign) -> None:
    """It says from when it will work."""
    before = state(asked)

    text = asked.at(_BEFORE, "purge", "--at-most", "0", expect=1)
    as_json = asked.at(_BEFORE, "purge", "--at-most", "0", "--json", expect=1)

    assert refused(text, as_json, why="the clock is behind the log") == ["clock"]
    until = datetime.fromisoformat(as_json.json["refused"][0]["until"])
    assert timedelta() < datetime.now(UTC) - until < timedelta(hours=1)
    assert state(asked) == before


def test_a_dry_run_tells_every_reason_and_ends_well(asked: Campaign) -> None:
    before = state(asked)

    told = asked.at(_AFTERWARDS, "purge", "--dry-run", "--at-most", "3", *ACCEPTED, "--json").json
    text = asked.at(_AFTERWARDS, "purge", "--dry-run", "--at-most", "3", *ACCEPTED).out

    assert [each["code"] for each in told["refused"]] == ["at_most"]
    assert "refused [at_most]" in text
    assert state(asked) == before


def test_a_date_that_needs_the_page_to_stay_up_says_so(asked: Campaign) -> None:
    """And a script that did not say how many may go reads both ways out."""
    text = asked.at(_AFTERWARDS, "purge", expect=1)
    dry = asked.at(_AFTERWARDS, "purge", "--dry-run").out

    hint = text.err.splitlines()[-1]
    assert re.search(r"not before \d{4}-\d\d-\d\d .*, if the page stays up from now on", dry)
    assert "it will work from" not in dry
    assert re.search(r"wait until \d{4}-\d\d-\d\d \d\d:\d\d .* at least", hint)
    assert "--accept-outage" in hint
    assert f"--at-most {LISTED}" in hint


def test_a_later_date_stands_beside_the_printed_one(asked: Campaign) -> None:
    (day,) = re.findall(r"last day to answer: (\S+)", asked.here("status").out)
    moved = "UPDATE campaign SET extended_until = (SELECT max(due_at) + 86400000000 FROM recipient)"
    asked.change_ledger(moved)

    dry = asked.at(Later(timedelta(days=40)), "purge", "--dry-run", *ACCEPTED).out

    later = date.fromisoformat(day.rstrip(",")) + timedelta(days=1)
    assert f"in their mail ({day.rstrip(',')}; extended to {later})" in dry
