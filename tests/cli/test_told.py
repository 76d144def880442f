"""What `person --json` says after a purge, and of a hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from repermit.cli.told import Told, content
from repermit.domain.hold import Why
from repermit.domain.standing import Standing
from repermit.ledger.store.extending import Extension
from repermit.ledger.store.holding import OnHold
from repermit.report.outlook import At
from tests.builders import NOW
from tests.report.lives import ADDRESS, DUE, a_life

AT = At(NOW + timedelta(days=1), ZoneInfo("Europe/Brussels"), timedelta(days=1095))


def test_of_whoever_was_purged_for_silence_it_says_when_and_up_to_when_the_code_is_kept() -> None:
    told = content(Told(ADDRESS, a_life(None, source="asked")), AT)

    assert told["on_file"] is None
    assert told["suppressed"] == {
        "since": "2026-11-21T09:30:00Z",
        "source": "asked",
        "reason": "",
        "until": "2029-11-20T09:30:00Z",
    }
    assert [(each["what"], each["at"]) for each in told["next"]] == [
        ("only_a_code", "2029-11-20T09:30:00Z")
    ]


def test_the_code_of_a_no_has_no_end() -> None:
    for source in ("answer", "complaint", "elsewhere", "erased", "list"):
        told = content(Told(ADDRESS, a_life(None, source=source)), AT)

        assert told["suppressed"]["until"] is None
        assert told["next"][0]["at"] is None


def test_a_hold_is_told_with_whether_it_still_counts() -> None:
    hold = OnHold(Why.CONTRACT, NOW, NOW + timedelta(days=9), "Bo", "an open invoice")
    life = replace(a_life(Standing.ASKED), hold=hold)
    later = replace(AT, now=hold.until)

    told = content(Told(ADDRESS, life), AT)["hold"]
    assert told == {
        "kind": "contract",
        "since": "2026-11-21T09:30:00Z",
        "until": "2026-11-30T09:30:00Z",
        "by": "Bo",
        "reason": "an open invoice",
        "counts": True,
    }
    assert content(Told(ADDRESS, life), later)["hold"] == told | {"counts": False}
    assert content(Told(ADDRESS, a_life(Standing.ASKED)), AT)["hold"] is None


def test_the_date_in_the_mail_and_the_one_that_counts_are_both_told() -> None:
    life = a_life(Standing.ASKED, extensions=(Extension(NOW, DUE + timedelta(days=7)),))
    told = content(Told(ADDRESS, life), AT)["on_file"]

    assert (told["due_at"], told["falls_due"]) == ("2026-12-22T09:30:00Z", "2026-12-29T09:30:00Z")
