"""What has changed since an approval, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from repermit.cli.changes import came_from, changes
from repermit.ledger.tables import Approval

NEWS = {"id": "newsletter", "text": {"nl": "ons blad"}, "frequency": {"nl": "elke maand"}}
FACTS: dict[str, Any] = {
    "campaign": "Members 2026",
    "mail": {"nl": "a", "fr": "b"},
    "page": {"nl": "c", "fr": "d"},
    "policy": {"table": "2026-11", "reasons": {"customer": "they bought"}, "recent_days": None},
    "purposes": [NEWS],
    "controller": {"name": "Zoë vzw", "dpo": ""},
    "answer_days": 30,
    "sender": "0f",
    "release": "0.1.0",
}


def changed(was: dict[str, Any]) -> list[str]:
    facts = json.dumps({**FACTS, **was})
    given = Approval(at=0, by="a", informed="b", digest="d", log_size=0, facts=facts)
    return changes(given, FACTS)


@pytest.mark.parametrize(
    ("was", "told"),
    [
        ({}, []),
        ({"mail": {"nl": "x", "fr": "b"}}, ["the mail (nl)"]),
        ({"mail": {"nl": "x"}, "page": "old"}, ["the mail (fr, nl)", "the answer page (all)"]),
        ({"answer_days": 21}, ["campaign.answer_days was 21, is 30"]),
        ({"campaign": "M"}, ['campaign.name was "M", is "Members 2026"']),
        (
            {"purposes": [{**NEWS, "id": "a"}, {**NEWS, "id": "b"}]},
            ["purposes was a, b, is newsletter"],
        ),
        (
            {"purposes": [{**NEWS, "text": {"nl": "het blad"}}]},
            ['purposes.newsletter.text.nl was "het blad", is "ons blad"'],
        ),
        (
            {"purposes": [{**NEWS, "frequency": {}}]},
            ['purposes.newsletter.frequency.nl was not there, is "elke maand"'],
        ),
        (
            {"controller": {"name": "Jan vzw", "dpo": ""}},
            ['controller.name was "Jan vzw", is "Zoë vzw"'],
        ),
        ({"sender": "ff"}, ["relay.from or relay.reply_to"]),
        (
            {"policy": {**FACTS["policy"], "reasons": {}}},
            ['policy.reasons.customer was not there, is "they bought"'],
        ),
        (
            {"policy": {**FACTS["policy"], "recent_days": 700}},
            ["policy.recent_days was 700, is not there"],
        ),
        ({"campaign": "M" * 80}, [f'campaign.name was "{"M" * 59}…", is "Members 2026"']),
    ],
)
def test_each_change_says_what_it_was_and_what_it_is(was: dict[str, Any], told: list[str]) -> None:
    assert changed(was) == told


def test_people_come_from_an_import_or_a_screening() -> None:
    assert came_from({None: 2, 3: 1200}) == "a screening: 2, import 3: 1,200"
