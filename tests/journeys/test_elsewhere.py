"""Where else a list lives: named at import, handed over, cleaned; and the old list destroyed."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.journeys.campaign import ACCEPTED, Campaign, Later, row, write_list
from tests.journeys.terminal import typed

pytestmark = pytest.mark.journey

_AFTERWARDS = Later(timedelta(days=32))
SHOP, NEWS = "the web shop", "the newsletter tool"


def reasons(folder: Path) -> list[str]:
    """Return why somebody must be removed, for each row."""
    with (folder / "must-be-removed.csv").open(encoding="utf-8", newline="") as file:
        return [each["why"] for each in csv.DictReader(file)]


def test_a_purge_is_complete_when_each_place_is_done(asked: Campaign) -> None:
    more = write_list(asked.outside / "more.csv", [row(number) for number in range(3)])
    asked.here("import", more, "--elsewhere", SHOP, "--elsewhere", f" {NEWS} ")
    early, late = asked.outside / "early", asked.outside / "late"
    open_still = asked.here("handover", early).err
    assert reasons(early) == []
    assert "Nobody is past their date yet" in open_still
    assert "24 people can answer until" in open_still

    said = asked.at(_AFTERWARDS, "handover", late).err
    assert reasons(late) == ["silent"] * 24
    assert "24 said nothing by their date" in said
    assert f"To be cleaned by must-be-removed.csv: {SHOP}" in said
    asked.at(_AFTERWARDS, "purge", "--at-most", "24", *ACCEPTED)
    assert asked.status()["last_purge"] == {
        "number": 1,
        "purged": 24,
        "complete": False,
        "finished": asked.status()["last_purge"]["finished"],
    }
    assert "not complete: the places elsewhere are not all done" in asked.here("status").out

    asked.at(_AFTERWARDS, "handover", "--done", SHOP, "--by", "Jan")
    day = (datetime.now(UTC) + timedelta(days=32)).date().isoformat()
    done = asked.at(_AFTERWARDS, "handover", "--done", NEWS, "--by", "Els", "--on", day)

    assert done.out.splitlines() == [
        f"{SHOP}: done on {day} by Jan",
        f"{NEWS}: done on {day} by Els",
    ]
    status = asked.status()
    assert status["last_purge"]["complete"] is True
    assert [(each["name"], each["by"], each["on"]) for each in status["elsewhere"]] == [
        *((SHOP, "Jan", day), (NEWS, "Els", day))
    ]
    shown = asked.here("status").out
    assert "purge 1: 24 erased, complete" in shown
    assert f"elsewhere: {SHOP}: done on {day} by Jan" in shown
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_a_place_has_a_name_without_an_address_and_is_done_on_a_day_that_was(
    asked: Campaign,
) -> None:
    more = write_list(asked.outside / "more.csv", [row(0)])
    for name in ("", "a\tb\x07", "jan@shop.example", "x" * 81):
        wrong = asked.here("import", more, "--elsewhere", name, expect=2).err
        assert "a place is named in up to 80 characters, without an address" in wrong
        assert "jan" not in wrong
    assert asked.status()["elsewhere"] == []
    assert (
        "no place has that name"
        in asked.here("handover", "--done", SHOP, "--by", "Jan", expect=1).err
    )
    asked.here("import", more, "--elsewhere", SHOP)

    early = asked.here("handover", "--done", SHOP, "--by", "Jan", expect=1).err
    assert "nobody was handed over yet" in early
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    asked.here("handover", asked.outside / "leaving")
    yesterday = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    for words, why in (
        (("--done", SHOP), "--done PLACE wants --by NAME"),
        (("--done", SHOP, "--by", "Jan", "new"), "neither DIR nor --destroy"),
        (("--by", "Jan", "new"), "go with --done PLACE"),
        ((), "name a new folder"),
        (("--done", SHOP, "--by", "Jan", "--on", tomorrow), "has not come yet"),
        (("--done", SHOP, "--by", "Jan", "--on", yesterday), "was not named yet"),
    ):
        assert why in asked.here("handover", *words, expect=2).err


def test_a_terminal_asks_once_where_else_a_list_lives(begun: Campaign) -> None:
    people = write_list(begun.outside / "a.csv", [row(1)])
    words = ("--config", begun.config, "import", people, "--relationship", "signed_up_no_proof")

    typed(words, [("Where else does this list live", f"{SHOP}, {NEWS}")], cwd=begun.outside)
    again = typed(words, [], cwd=begun.outside)

    assert "Where else" not in again
    assert [each["name"] for each in begun.status()["elsewhere"]] == [SHOP, NEWS]


def test_a_terminal_asks_no_more_once_it_was_said_that_there_is_no_other_place(
    begun: Campaign,
) -> None:
    people = write_list(begun.outside / "a.csv", [row(1)])
    words = ("--config", begun.config, "import", people, "--relationship", "signed_up_no_proof")

    typed(words, [("Where else does this list live", "")], cwd=begun.outside)
    again = typed(words, [], cwd=begun.outside)

    assert "Where else" not in again
    assert begun.status()["elsewhere"] == []


def test_the_old_list_is_destroyed_after_the_hand_over_and_not_before(asked: Campaign) -> None:
    people = write_list(asked.outside / "more.csv", [row(number) for number in range(3)])
    asked.here("import", people)

    early = asked.here("handover", "--destroy", people, expect=1).err
    assert "kept: the campaign was not handed over yet" in early
    assert "what to do: `repermit handover DIR` first" in early
    assert people.exists()
    done = asked.run("handover", asked.outside / "leaving", "--destroy", people)

    assert "more.csv is overwritten and removed" in done.out
    assert "more.csv: " in done.err
    assert "3 rows, import 2" in done.err
    assert "snapshots" in done.err
    assert "1 other list of this campaign may still lie somewhere" in done.err
    assert not people.exists()
    assert asked.here("proof", "verify", "--json").json["holds"] is True
    left = asked.at(_AFTERWARDS, "purge", "--at-most", "24", *ACCEPTED).err
    assert "1 original list may still lie there: `repermit handover --destroy LIST`" in left


def test_a_terminal_offers_to_destroy_the_old_list_once_everybody_is_handed_over(
    asked: Campaign,
) -> None:
    """Not while people can answer: who they will be is not handed over yet."""
    people = write_list(asked.outside / "more.csv", [row(number) for number in range(3)])
    asked.here("import", people)
    words = ("--config", asked.config, "handover")

    early = typed([*words, "early"], [], cwd=asked.outside)
    assert "hand over again then" in early
    assert "Keep the original list until that is done." in early
    assert "Everybody is handed over" not in early
    typed_later = partial(typed, cwd=asked.outside, days=32)
    kept = typed_later([*words, "one"], [("Its path, to destroy it", "")])
    mistyped = typed_later(
        [*words, "two"],
        [("Its path, to destroy it", "more.csv"), ("Type its name", "less.csv")],
        code=1,
    )
    assert people.exists()
    gone = typed_later(
        [*words, "three"],
        [("Its path, to destroy it", "more.csv"), ("Type its name", "more.csv")],
    )

    assert "in three files with a README" in kept
    assert "that is not its name" in mistyped
    assert "3 rows, import 2" in gone
    assert not people.exists()
