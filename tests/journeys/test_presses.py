"""Presses that follow each other, at times that the test sets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.journeys.campaign import LISTED, Campaign, Later
from tests.journeys.web import mailbox, served_at

pytestmark = pytest.mark.journey


def test_a_contrary_press_makes_it_suspect_and_a_lone_one_counts_after_ten_seconds(
    asked: Campaign,
) -> None:
    """A yes and a no at once restore what was before both; so does a third that follows them."""
    clock, before = Later(), asked.standings()
    machine = mailbox(asked.mails[0].content)

    with served_at(asked.config, clock):
        machine.press("yes")
        machine.press("no")
        assert (asked.standings(), asked.status()["suspect"]) == (before, 1)
        machine.press("yes")
        assert (asked.standings(), asked.status()["suspect"]) == (before, 1)
        clock.by += timedelta(seconds=11)
        machine.press("yes")

    assert asked.status()["suspect"] == 0
    assert asked.standings() == {**before, "asked": LISTED - 1, "opted_in": 1}
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_an_answer_may_be_changed_until_the_purge(asked: Campaign) -> None:
    """A withdrawal is as easy as the yes; the later press counts, in time or not."""
    clock, person_ = Later(), mailbox(asked.mails[0].content)

    with served_at(asked.config, clock):
        person_.press("yes")
        clock.by += timedelta(days=40)
        person_.press("no")
        assert asked.standings()["opted_out"] == 1
        clock.by += timedelta(minutes=1)
        person_.press("yes")

    assert asked.standings()["opted_in"] == 1
