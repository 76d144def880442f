"""`report` by the command: before, during and after a campaign."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.campaign import ACCEPTED, ADMITTED, LISTED, Campaign, Later, address
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey
AFTER_THE_DEADLINE = Later(timedelta(days=40))


def parts(told: dict[str, Any]) -> int:
    """Return the sum of all parts of the funnel, which is who was imported."""
    names = ("withheld", "exempt", "stopped", "waiting", "leaving", "asked")
    people = sum(told["funnel"][name]["people"] for name in names)
    return int(people + told["purged_untold"] + told["erased"])


def test_the_page_and_the_figures_are_the_same_and_only_for_their_owner(asked: Campaign) -> None:
    page = asked.outside / "figures.html"

    assert "written" in asked.run("report", "--out", page).out
    told = asked.run("report", "--json").json

    text = page.read_text("utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    assert text.startswith('<!doctype html>\n<html lang="nl">')
    assert told["imported"] == parts(told) == ADMITTED
    assert told["funnel"]["asked"]["people"] == told["mails"] == LISTED
    row = f'{LISTED}</td><td class="n">0</td><td class="n">{LISTED}</td></tr>'
    assert f'Gevraagd</th><td class="n">{row}' in text
    assert told["log"]["root"] in text
    assert asked.here("proof", "verify", "--against", page, "--json").json["checkpoints"] == [
        told["log"]["size"]
    ]
    again = asked.here("report", "--out", page, expect=1)
    assert "exists already" in again.err
    assert list(Path(asked.outside).glob(".*.part")) == []


def test_the_figures_add_up_before_during_and_after_a_purge(asked: Campaign, relay: Relay) -> None:
    """And no address is on any of the pages."""
    asked.use(relay.port)
    asked.here("suppress", "-", stdin=address(6))
    asked.here("send")  # what the outbox owes
    before = asked.here("report", "--json").json
    due = asked.at(AFTER_THE_DEADLINE, "purge", "--dry-run", "--json").json["due"]
    asked.at(AFTER_THE_DEADLINE, "purge", "--at-most", str(due), *ACCEPTED)
    page = asked.outside / "after.html"

    after = asked.at(AFTER_THE_DEADLINE, "report", "--out", page, "--json").json

    assert before["imported"] == after["imported"] == parts(before) == parts(after)
    assert after["purged"] == asked.status()["purged"] == due
    assert after["purged_untold"] == 0
    for name in ("asked", "delivered", "yes", "no", "silent", "withheld", "exempt"):
        assert after["funnel"][name]["people"] == before["funnel"][name]["people"], name
    assert after["relationships"] == before["relationships"]
    assert after["providers"] == before["providers"]
    assert [each["purged"] for each in after["purges"]] == [due]
    assert asked.here("proof", "verify", "--json").json["holds"] is True
    text = page.read_text("utf-8")
    assert not re.search(r"[\w.•-]+@[\w.-]+", re.sub(r"@(page|media)\b", "", text))


def test_a_campaign_that_has_not_begun_has_a_page_too(begun: Campaign) -> None:
    """Once there is a ledger; before, it is refused with what to do."""
    page = begun.outside / "figures.html"
    refused = begun.run("report", "--out", page, expect=1)
    assert "what to do: " in refused.err
    assert not page.exists()
    begun.here("suppress", "-", stdin=address(6))

    begun.run("report", "--out", page)

    assert "Er is nog niemand ingelezen." in page.read_text("utf-8")


@pytest.mark.parametrize("words", [(), ("--out", "figures.pdf")], ids=["no file", "no page"])
def test_a_report_needs_the_name_of_a_page(asked: Campaign, words: tuple[str, ...]) -> None:
    assert "--out" in asked.run("report", *words, expect=2).err
