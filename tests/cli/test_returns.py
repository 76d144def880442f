"""What came back, as `status` tells it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from repermit.cli import returns
from repermit.ledger.store.caps import Day
from repermit.ledger.store.returns import Returns

SAID = "3 to dead addresses, 1 because of us, 1 complained, 1 wrote something else, 2 forged,"
SAID += " 4 of mails with which `repermit check` tried it"
NONE = Returns(0, None, 0, {}, {}, {})
SOME = Returns(
    read=12,
    last=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
    waiting_replies=1,
    kinds={"hard": 3, "complaint": 1, "other": 1, "about_us": 1, "check": 4},
    strange={"forged": 2},
    providers={
        "": Day(mails=40, temporary=2),
        "gmail": Day(mails=1000, hard=3, complaints=1, new_hard=3),
        "yahoo": Day(mails=7),
    },
)


def test_the_figures_have_every_kind_and_every_provider_of_the_last_day() -> None:
    content = returns.to_json(SOME)

    assert (content["read"], content["last"]) == (12, "2026-11-21T09:30:00Z")
    assert (content["hard"], content["complaints"], content["temporary"]) == (3, 1, 0)
    assert content["check"] == 4
    assert (content["forged"], content["not_ours"], content["waiting_replies"]) == (2, 0, 1)
    assert content["last_24_hours"]["gmail"] == {
        "mails": 1000,
        "hard": 3,
        "temporary": 0,
        "about_us": 0,
        "complaints": 1,
    }
    assert content["last_24_hours"]["others"]["temporary"] == 2
    assert json.dumps(content)


def test_the_words_name_only_what_came_back() -> None:
    assert list(returns.lines(returns.to_json(SOME), is_configured=False)) == [
        f"came back: 12 messages, last read 2026-11-21T09:30:00Z: {SAID}",
        "1 reply waits for a person: `repermit inbound review`",
        "  others, last 24 hours, with `--csv`: 40 mails left; 2 put off",
        "  gmail, last 24 hours, with `--csv`: 1,000 mails left; 3 to dead addresses, 1 complained",
    ]


def test_nothing_is_said_where_nothing_is_to_come_in() -> None:
    content = returns.to_json(NONE)
    assert list(returns.lines(content, is_configured=False)) == []
    never = ["came back: never read; `repermit inbound` does it"]
    assert list(returns.lines(content, is_configured=True)) == never
