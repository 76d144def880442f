"""The report of a purge as a file, and what a purge says of what it has found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.journeys.campaign import ACCEPTED, LISTED, Campaign, Later

pytestmark = pytest.mark.journey

_AFTERWARDS = Later(timedelta(days=32))


def test_a_trace_ends_a_purge_with_1_until_the_file_is_deleted(asked: Campaign) -> None:
    notes = asked.folder / "answers.toml"  # as `import` finds it beside the config
    notes.write_text(f"# ask {asked.mails[0].mailbox}\n", "utf-8")

    ended = asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED, expect=1)

    assert "1 purged person in 1 file can still be read" in ended.err
    assert "delete answers.toml" in ended.err
    assert asked.mails[0].mailbox not in ended.err + ended.out
    again = asked.at(_AFTERWARDS, "purge", "--at-most", "0", "--json", expect=1).json
    assert (again["traces"], again["traced"]) == (1, {"answers.toml": 1})
    asked.at(_AFTERWARDS, "handover", str(asked.outside / "leaving"))
    words = ("close", "--by", "An", "--keep", "withheld", "--keep", "never_sent")
    closing = asked.at(_AFTERWARDS, *words, expect=1)
    assert "delete answers.toml" in closing.err
    assert "`repermit close` then looks again" in closing.err

    notes.unlink()
    asked.at(_AFTERWARDS, "purge", "--at-most", "0")
    asked.at(_AFTERWARDS, *words)


def test_a_page_that_somebody_left_there_takes_no_report_away(asked: Campaign) -> None:
    left = asked.folder / "purge-1.html"
    left.write_text("of a trial", "utf-8")

    said = asked.at(_AFTERWARDS, "purge", "--at-most", str(LISTED), *ACCEPTED).err
    asked.at(_AFTERWARDS, "purge", "--at-most", "0")

    assert "the report is purge-1-2.html" in said
    assert left.read_text("utf-8") == "of a trial"
    page = asked.folder / "purge-1-2.html"
    assert [each.name for each in sorted(asked.folder.glob("purge-*.html"))] == [
        *("purge-1-2.html", "purge-1.html")
    ]
    held = asked.here("proof", "verify", "--against", page, "--json").json
    assert (held["reports"], len(held["checkpoints"])) == ([1], 2)

    text = page.read_text("utf-8")
    hashed = text.partition("repermit-purge/")[2].splitlines()[2]
    page.write_text(text.replace(hashed, "0" * 64), "utf-8")
    wrong = asked.here("proof", "verify", "--against", page, expect=1).err
    assert "the hash of the report of purge 1 is not signed by this campaign" in wrong


def test_the_log_keeps_no_address_of_whoever_gives_a_command(asked: Campaign) -> None:
    jan = "jan@elders.example"
    hold = ("person", "--hold", "contract", "--until", "2030-01-01")
    for words in (
        ("handover", "--done", "the shop", "--by", jan),
        ("close", "--by", jan),
        ("approve", "--by", jan, "--informed", "An"),
        ("approve", "--by", "An", "--informed", jan),
        *(
            (
                "approve",
                "--by",
                "An",
                "--informed",
                "Bo",
                "--extend-to",
                "2030-01-01",
                "--reason",
                jan,
            ),
        ),
        (*hold, "--reason", jan),
        (*hold, "--reason", "an open invoice", "--by", jan),
        ("purge", "--by", jan),
    ):
        refused = asked.here(*words, expect=2, stdin=asked.mails[0].mailbox).err
        assert "no address there, please" in " ".join(refused.replace("│", " ").split())
        assert jan not in refused
