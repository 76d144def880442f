"""The papers by the commands: before, during and after a campaign."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.campaign import ACCEPTED, Campaign, Later, address
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey
AFTER_THE_DEADLINE = Later(timedelta(days=40))
KINDS = ("register", "breach", "notice")


def test_the_papers_of_a_campaign_and_what_is_left_after_its_purge(
    asked: Campaign, relay: Relay
) -> None:
    asked.use(relay.port)
    asked.here("suppress", "-", stdin=address(6))
    asked.here("send")  # what the outbox owes
    before = {kind: asked.run("papers", kind) for kind in KINDS}
    due = asked.at(AFTER_THE_DEADLINE, "purge", "--dry-run", "--json").json["due"]
    asked.at(AFTER_THE_DEADLINE, "purge", "--at-most", str(due), *ACCEPTED)

    after = {kind: asked.at(AFTER_THE_DEADLINE, "papers", kind) for kind in KINDS}

    status = asked.status()
    assert due > 0
    assert f"| gevraagd, geen antwoord | {due - 1} |" in before["register"].out
    assert f"Gewist na de termijn: {status['purged']}." in after["register"].out
    assert "gevraagd, geen antwoord" not in after["breach"].out
    assert "Bestanden in `keys/burn`: 1.key." in before["breach"].out
    assert "Bestanden in `keys/burn`: 2.key." in after["breach"].out
    assert after["notice"].out.count("\n# ") == 3
    for said in (*before.values(), *after.values()):
        (count,) = re.findall(r"^(\d+) gaps?, each named in it: ", said.err, re.MULTILINE)
        languages = 4 if said.words[1] == "notice" else 1
        named = re.findall(r"\*\*(?:Ontbreekt|Manque|Fehlt|Missing)\*\*", said.out)
        assert len(named) == int(count) * languages
    assert asked.here("proof", "verify", "--json").json["holds"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_the_same_paper_and_only_for_its_owner(asked: Campaign, kind: str) -> None:
    text, page = asked.outside / "paper.md", asked.outside / "paper.html"

    for out in (text, page):
        assert asked.here("papers", kind, "--out", out).out == "written\n"

    assert [path.stat().st_mode & 0o777 for path in (text, page)] == [0o600, 0o600]
    assert text.read_text("utf-8").startswith("# ")
    assert page.read_text("utf-8").startswith('<!doctype html>\n<html lang="nl">')
    again = asked.here("papers", kind, "--out", page, expect=1)
    assert "exists already" in again.err
    assert list(Path(asked.outside).glob(".*.part")) == []
