"""The purge as a person types it: what they read before, what they type, what they read after."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.cli.purging import Wish, order_of, watch_of
from repermit.purge.run import purge
from repermit.runtime import Runtime
from tests.cli.refusals import state
from tests.journeys.campaign import ACCEPTED, LISTED, Campaign, Later
from tests.journeys.terminal import typed
from tests.purge.builders import Killed, signed

pytestmark = pytest.mark.journey

_DAYS = 33
_AFTERWARDS = Later(timedelta(days=_DAYS))
_ASKED = "Type the number of recipients to erase"


def cut_off(campaign: Campaign, after: int) -> None:
    """Begin a purge that ends as by a SIGKILL once it has told of so many phases."""
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if len(lines) == after:
            raise Killed

    async def begin() -> None:
        runtime = Runtime.of(campaign.config, _AFTERWARDS)
        order = order_of(runtime, Wish("An Peeters", LISTED, ACCEPTED[1]))
        async with runtime.ledger() as ledger:
            await purge(ledger, order, await watch_of(runtime), sign=signed, tell=tell)

    with pytest.raises(Killed):
        asyncio.run(begin())


def at_the_terminal(campaign: Campaign, number: str, *, code: int = 0) -> str:
    """Purge at a terminal, after the deadline, and type *number*."""
    words = ("--config", campaign.config, "purge", "--by", "An Peeters", *ACCEPTED)
    return typed(words, [(_ASKED, number)], cwd=campaign.outside, code=code, days=_DAYS)


def test_a_person_reads_who_goes_and_what_stays_and_types_the_number(asked: Campaign) -> None:
    shown = at_the_terminal(asked, str(LISTED))

    before, after = shown.split(_ASKED)
    assert f"{LISTED} recipients due: {LISTED} silent" in before
    assert re.search(r"silent: asked, and said nothing by .* \(\d{4}-\d\d-\d\d\)", before)
    assert "the keys of\n  generation 1," in before
    assert "What stays: everybody else, under new keys; the counts" in before
    phases = ("erasing", "sealing", "verifying", "backup", "destroying")
    places = [after.index(word) for word in phases]
    assert places == sorted(places)
    assert f"{LISTED} recipients erased; traces left: 0" in after
    for what in ("the original list", "the relay's log", "snapshots"):
        assert what in after
    assert asked.status()["purged"] == LISTED


@pytest.mark.parametrize("number", ["3", "25"])
def test_another_number_erases_nobody(asked: Campaign, number: str) -> None:
    before = state(asked)

    shown = at_the_terminal(asked, number, code=1)

    assert f"{LISTED} recipients are due, and {number} was typed" in shown
    assert "nobody was erased" in shown
    assert state(asked) == before


def test_a_dry_run_says_the_day_that_was_printed_and_changes_nothing(asked: Campaign) -> None:
    before = state(asked)

    shown = asked.at(_AFTERWARDS, "purge", "--dry-run", *ACCEPTED).out
    assert "still there" not in shown

    printed = asked.here("status").out
    (day,) = re.findall(r"last day to answer: (\S+)", printed)
    assert f"silent: asked, and said nothing by the last day in their mail ({day}" in shown
    assert shown.endswith("nobody was erased\n")
    assert state(asked) == before


def test_a_dry_run_says_that_files_are_there_in_which_those_who_go_may_stand(
    asked: Campaign,
) -> None:
    """But not of the list of who must be removed elsewhere, which is to be kept until then."""
    asked.at(_AFTERWARDS, "handover", asked.outside / "leaving")

    shown = asked.at(_AFTERWARDS, "purge", "--dry-run", *ACCEPTED).out

    assert "still there, of what was written earlier: 2 files." in shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--accept-outage", "it was up"), "a sentence"),
        (("--accept-outage", "anna@tuin.example says that it was up"), "no address"),
        (("--by", "anna@tuin.example"), "no address"),
        (("--due", *ACCEPTED), "--due goes without"),
        (("--due", "--dry-run"), "--due goes without"),
        (("--backup-to", "not-there"), "does not exist"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    asked: Campaign, words: tuple[str, ...], why: str
) -> None:
    before = state(asked)

    said = asked.at(_AFTERWARDS, "purge", *words, expect=2)

    assert why in said.err
    assert "anna" not in said.err
    assert state(asked) == before


@pytest.mark.parametrize("phase", [1, 2, 4])
def test_promise_7_a_purge_that_was_cut_off_is_finished_without_asking(
    asked: Campaign, phase: int
) -> None:
    cut_off(asked, phase)

    dry = asked.at(_AFTERWARDS, "purge", "--dry-run").out
    said = asked.at(_AFTERWARDS, "purge")

    assert "`repermit purge` finishes it first, without asking" in dry
    assert "A purge was cut off: it is finished first" in said.err
    assert f"{LISTED} recipients erased; traces left: 0" in said.out
    assert asked.status()["purged"] == LISTED
    assert asked.here("proof", "verify", "--json").json["holds"] is True
    assert "A purge was cut off" not in asked.at(_AFTERWARDS, "purge", *ACCEPTED).err


def test_one_more_copy_of_what_remains_may_be_wanted(asked: Campaign, tmp_path: Path) -> None:
    """The option is taken; what it does is the purge's."""
    there = tmp_path / "elsewhere"
    there.mkdir()

    words = ("--at-most", str(LISTED), "--backup-to", there, *ACCEPTED, "--json")
    done = asked.at(_AFTERWARDS, "purge", *words).json

    assert (done["purged"], done["traces"]) == (LISTED, 0)
