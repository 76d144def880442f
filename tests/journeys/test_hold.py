"""Keeping one person, moving the date for all, and what each command says of both."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.campaign import Campaign, Later, address

pytestmark = pytest.mark.journey
DAYS = timedelta(days=1)
BRUSSELS = ZoneInfo("Europe/Brussels")
HOLD = ("person", "--hold", "dispute", "--reason", "file 12/2026", "--by", "Bo")


def day(days: int) -> str:
    """Return the date so many days from now."""
    return str(datetime.now(BRUSSELS).date() + timedelta(days=days))


def test_whoever_is_held_stays_until_the_hold_ends(asked: Campaign) -> None:
    """Shown by person, status and the purge; erasing is refused, and a letter says why."""
    due = Later(60 * DAYS)
    before = asked.at(due, "purge", "--dry-run", "--json").json
    held = asked.run(*HOLD, "--until", day(90), "--json", stdin=address(6)).json

    assert (held["hold"]["kind"], held["hold"]["counts"]) == ("dispute", True)
    assert [each["what"] for each in held["next"]] == ["answer", "hold", "purge", "code"]
    assert held["timeline"][-1]["event"] == "held"
    assert asked.status()["holds"] == {"count": 1, "first_ends": held["hold"]["until"]}
    assert f"1 recipient held for a contract or a dispute, the first to the end of {day(90)}" in (
        asked.here("status").out
    )
    planned = asked.at(due, "purge", "--dry-run", "--json").json
    assert (planned["due"], planned["held"]) == (before["due"] - 1, 1)
    ended = asked.at(Later(95 * DAYS), "purge", "--dry-run", "--json").json
    assert (ended["due"], ended["held"]) == (before["due"], 0)

    refused = asked.run("person", "--erase", "--json", stdin=address(6), expect=1)
    assert json.loads(refused.out)["held"]["kind"] == "dispute"
    letter = asked.here("person", "--letter", "erasure", stdin=address(6)).out
    assert "file 12/2026" in letter
    assert "file 12/2026" in asked.here("person", "--letter", "access", stdin=address(6)).out
    assert asked.here("proof", "verify").out

    release = ("person", "--release", "--reason", "settled", "--by", "Cy")
    released = asked.here(*release, "--json", stdin=address(6)).json
    assert (released["hold"], released["timeline"][-1]["event"]) == (None, "released")
    assert asked.at(due, "purge", "--dry-run", "--json").json["held"] == 0
    assert "that person is not held" in asked.here(*release, stdin=address(6), expect=1).err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--hold", "dispute", "--reason", "a claim"), "--until"),
        (("--hold", "contract", "--until", "2030-01-01"), "--reason"),
        (("--release",), "--reason"),
        (("--until", "2030-01-01"), "--until is for --hold"),
        (("--by", "Bo"), "--reason and --by"),
        (("--release", "--erase", "--reason", "a claim"), "one at a time"),
        (("--hold", "whim", "--until", "2030-01-01", "--reason", "a claim"), "contract"),
    ],
)
def test_a_hold_that_does_not_say_all_is_wrong_usage(
    asked: Campaign, words: tuple[str, ...], why: str
) -> None:
    assert why in asked.here("person", *words, stdin=address(6), expect=2).err


def test_a_hold_in_the_past_is_refused(asked: Campaign) -> None:
    refused = asked.here(*HOLD, "--until", day(-2), stdin=address(6), expect=1)

    assert "would be over already" in refused.err
    assert asked.status()["holds"]["count"] == 0


def test_a_told_date_moves_later_by_an_approval_and_everything_says_so(asked: Campaign) -> None:
    who = ("approve", "--by", "Bo", "--informed", "Cy")
    before = asked.status()
    due = Later(35 * DAYS)
    assert asked.at(due, "purge", "--dry-run", "--json").json["due"]

    why = ("--reason", "the page was away")
    done = asked.run(*who, "--extend-to", day(60), *why)

    after = asked.status()
    assert before["extended"] is None
    assert after["due"]["first"] == after["due"]["last"] == after["extended"]
    assert after["extended"] > before["due"]["last"]
    assert f"last day to answer: {day(60)}, moved by an approval" in asked.here("status").out
    assert f"before the end of {day(60)}" in done.err
    told = asked.here("person", "--json", stdin=address(6)).json
    assert told["timeline"][-1]["event"] == "extended"
    assert (told["on_file"]["due_at"], told["on_file"]["falls_due"]) == (
        before["due"]["last"],
        after["due"]["last"],
    )
    assert asked.at(due, "purge", "--dry-run", "--json").json["due"] == 0
    assert asked.at(Later(62 * DAYS), "purge", "--dry-run", "--json").json["due"]
    sheet = max(asked.folder.glob("approval-*.html"))
    assert "the page was away" in sheet.read_text("utf-8")
    assert asked.here("proof", "verify").out

    earlier = asked.here(*who, "--extend-to", day(50), *why, expect=1)
    assert "only moves later" in earlier.err
    assert "has a reason" in asked.here(*who, "--extend-to", day(70), expect=2).err
