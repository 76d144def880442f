"""One person in words for the operator."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.policy import Outcome
from repermit.domain.standing import Standing
from repermit.ledger.log import Kind
from repermit.ledger.store.origin import Origin
from repermit.report.life import Life, outcome_of
from repermit.report.outlook import next_steps
from repermit.report.timeline import lines, says
from tests.builders import NOW
from tests.report.lives import ADDRESS, ANSWER, DUE, a_life, an_export, event, on_file

ZONE = ZoneInfo("Europe/Brussels")
ADMITTED: dict[str, Any] = {"to": "listed", "import": 1}
OUT, IN = Standing.OPTED_OUT, Standing.OPTED_IN


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        (Kind.ADMITTED, {"to": "withheld", "import": 2}, "admitted from import 2: the policy for"),
        (Kind.SCREENED, {"to": "listed"}, "screened again: the policy lets them be asked"),
        (Kind.SCREENED, {"to": "exempt", "import": 3}, "import 3 says more: the policy needs no"),
        (Kind.MOVED, {"to": "claimed"}, "about to leave"),
        (
            Kind.MOVED,
            {"to": "claimed", "due": DUE.isoformat(), "mail": "f" * 64, "language": "nl"},
            "about to leave, in nl, words ffffffffffff…, last day to answer 2026-12-22",
        ),
        (Kind.MOVED, {"to": "doubtful"}, "may or may not have left"),
        (Kind.MOVED, {"to": "opted_out"}, "now opted_out"),
        (Kind.ANSWERED, ANSWER, "pressed “Ja, ik wil dit ontvangen” on the answer page aaaa"),
        (Kind.ANSWERED, ANSWER, "in nl: a yes, for newsletter"),
        (Kind.ANSWERED, ANSWER | {"suspect": True}, "contradicts another press"),
        (
            Kind.ANSWERED,
            ANSWER | {"answer": "no", "way": "one_click", "purposes": [], "page": None},
            "button of their mail program (RFC 8058): a no",
        ),
        (Kind.OPTED_OUT, {"source": "complaint"}, "opted out (complaint)"),
        (Kind.CORRECTED, {"fields": ["source"]}, "corrected on their own word: source"),
        (Kind.REQUESTED, {"request": "data"}, "asked, from their link"),
        (Kind.MAILED, {"mail": "acknowledgement"}, "confirmation of their no was taken"),
        (Kind.MAILED, {"mail": "data", "assumed": True}, "is taken to have left"),
        (
            Kind.EXPORTED,
            {"number": 3, "format": "csv", "purpose": "fair", "standing": "opted_in"},
            "named in export 3 (csv, purpose fair) of who said yes",
        ),
    ],
)
def test_each_thing_that_happened_is_said_in_one_line(
    kind: Kind, facts: dict[str, Any], words: str
) -> None:
    said = says(event(kind, **facts), ZONE)

    assert words in said
    assert "\n" not in said


def steps(life: Life, *, days: int = 0) -> dict[str, str]:
    """Return what comes next so many days later, by code."""
    found = next_steps(life, now=NOW + timedelta(days=days), zone=ZONE)
    return {each.what: each.says for each in found}


@pytest.mark.parametrize("standing", Standing)
def test_everybody_is_told_what_comes_next(standing: Standing) -> None:
    assert steps(a_life(standing))


def test_the_silent_may_answer_until_the_deadline_and_are_purged_after_it() -> None:
    before, after = steps(a_life(Standing.ASKED)), steps(a_life(Standing.ASKED), days=40)

    assert "to the end of 2026-12-22" in before["answer"]
    assert "the next `purge` erases" in after["purge"]
    assert "answer" not in after
    assert "second time" in before["code"]


def test_a_no_may_be_changed_until_the_deadline_or_stays_where_there_was_no_mail() -> None:
    assert "change their no" in steps(a_life(OUT))["answer"]
    assert "never mailed" in steps(a_life(OUT, due_at=None))["none"]


def test_what_withholds_comes_with_its_cure_if_there_is_one() -> None:
    assert "unless: say when" in steps(a_life(Standing.WITHHELD))["none"]
    assert steps(a_life(Standing.WITHHELD, reason="restored"))["none"] == "no mail ever leaves"


def test_only_a_code_and_nothing_at_all() -> None:
    assert "unreadable code" in steps(a_life(None, source="asked"))["only_a_code"]
    assert steps(a_life(None)) == {}


def test_what_is_owed_and_void_presses_come_first() -> None:
    life = replace(a_life(Standing.ASKED, suspect=True), owed=("data",))

    assert list(steps(life))[:2] == ["mail_owed", "asked_on_the_page"]


def test_a_yes_that_was_exported_and_taken_back_is_to_be_told_once() -> None:
    carried = an_export(IN, 4)

    assert "told_elsewhere" in steps(a_life(OUT, carried))
    assert "told_elsewhere" not in steps(a_life(OUT, carried, an_export(OUT, 6)))
    assert "told_elsewhere" in steps(a_life(OUT, an_export(OUT, 2), carried))
    assert "told_elsewhere" not in steps(a_life(IN, carried))


def test_the_page_of_a_person_begins_with_the_address_and_holds_every_part() -> None:
    origin = Origin("127.0.0.0/24", "Firefox", DUE)
    life = replace(
        a_life(IN, event(Kind.ADMITTED, **ADMITTED), origins=(origin,)),
        lists=({"import": 1, "at": "2026-11-20T09:30:00Z", "sha256": "b" * 64},),
        reason="the forms were lost",
    )

    told = lines(life, now=NOW, zone=ZONE)

    assert told[0] == ADDRESS
    text = "\n".join(told)
    for part in (
        "standing: opted_in",
        "policy: BE.signed_up_no_proof: ask, allowed",
        "reason to ask: the forms were lost",
        "source: het formulier op de beurs",
        "list: import 1 of 2026-11-20T09:30:00Z, SHA-256 bbbbbbbbbbbbbbbb…",
        "yes came from: 127.0.0.0/24 Firefox",
        "2026-11-21 10:30  #1      admitted from import 1",
        "What comes next\n  they may withdraw",
    ):
        assert part in text
    assert "relay said" not in text


def test_a_page_without_a_row_says_since_when_and_why() -> None:
    text = "\n".join(lines(a_life(None, source="asked"), now=NOW, zone=ZONE))
    other = "\n".join(lines(a_life(OUT, source="list", suspect=True), now=NOW, zone=ZONE))
    nothing = lines(a_life(None), now=NOW, zone=ZONE)

    assert "no row on file\nnever mailed since 2026-11-21 10:30: an unreadable code only" in text
    assert "they were asked once, and erased after the deadline" in text
    assert "a list or command (list)" in other
    assert "opted_out (suspect)" in other
    assert nothing[-1] == "  nothing"


def test_the_outcome_of_the_policy_is_told_by_its_reason() -> None:
    assert outcome_of(on_file(Standing.ASKED)) is Outcome.ASK
    assert outcome_of(on_file(Standing.EXEMPT)) is Outcome.EXEMPT
    assert outcome_of(on_file(Standing.WITHHELD)) is Outcome.WITHHOLD
