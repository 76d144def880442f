"""One person in words for the operator."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.due import Reason
from repermit.domain.hold import Why
from repermit.domain.policy import Outcome
from repermit.domain.standing import Standing
from repermit.ledger.log import Kind
from repermit.ledger.store.due import Due
from repermit.ledger.store.extending import Extension
from repermit.ledger.store.holding import OnHold
from repermit.ledger.store.origin import Origin
from repermit.report.life import Life, outcome_of
from repermit.report.outlook import At, next_steps
from repermit.report.timeline import lines, says
from tests.builders import NOW
from tests.report.lives import ADDRESS, ANSWER, DUE, a_life, an_export, event, on_file

ZONE = ZoneInfo("Europe/Brussels")
ADMITTED: dict[str, Any] = {"to": "listed", "import": 1}
OUT, IN = Standing.OPTED_OUT, Standing.OPTED_IN


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        (
            Kind.HELD,
            {"kind": "contract", "until": "2027-12-31T23:00:00Z", "by": "Bo", "reason": "a loan"},
            "held to the end of 2027-12-31 because of a contract, by Bo: a loan",
        ),
        (Kind.RELEASED, {"by": "Cy", "reason": "it is paid"}, "released by Cy: it is paid"),
        (
            Kind.EXTENDED,
            {"until": "2027-12-31T23:00:00Z", "by": "Bo", "approval": 2, "reason": "an outage"},
            "last day to answer moved to 2027-12-31 by Bo, approval 2: an outage",
        ),
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


def at(days: int = 0) -> At:
    """Return that it is told so many days later, where codes are kept for three years."""
    return At(NOW + timedelta(days=days), ZONE, timedelta(days=1095))


def steps(life: Life, *, days: int = 0) -> dict[str, str]:
    """Return what comes next so many days later, by code."""
    found = next_steps(life, at(days))
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
    unmailed = replace(a_life(OUT, due_at=None), due=Due(Reason.OPTED_OUT, DUE))
    assert list(steps(unmailed)) == ["purge", "code"]


def test_a_yes_that_was_taken_back_waits_until_its_proof_is_not_needed() -> None:
    life = replace(a_life(OUT), due=Due(Reason.WITHDRAWN, NOW + timedelta(days=1098)))
    found = steps(life, days=63)

    assert found["proof"] == "the proof of the yes they took back is kept to 2029-11-23"
    assert "from then on" in found["purge"]


def test_what_withholds_comes_with_its_cure_if_there_is_one() -> None:
    assert "unless: say when" in steps(a_life(Standing.WITHHELD))["none"]
    assert steps(a_life(Standing.WITHHELD, reason="restored"))["none"] == "no mail ever leaves"


def test_only_a_code_and_nothing_at_all() -> None:
    assert "unreadable code" in steps(a_life(None, source="answer"))["only_a_code"]
    assert steps(a_life(None)) == {}


def test_after_silence_the_code_has_a_date_and_after_a_no_it_has_none() -> None:
    (silent,) = next_steps(a_life(None, source="asked"), at())
    (no,) = next_steps(a_life(None, source="answer"), at())

    assert silent.at == NOW + timedelta(days=1095)
    assert "the next `purge` after that deletes it" in silent.says
    assert no.at is None
    assert "until you destroy this ledger or keys/keep" in no.says
    assert "for at least 1,095 days" in steps(a_life(Standing.ASKED))["code"]
    assert "at least" not in steps(a_life(OUT))["code"]


def a_hold(days: int) -> OnHold:
    """Return a hold that ends so many days later."""
    until = NOW + timedelta(days=days)
    return OnHold(Why.DISPUTE, NOW, until, "Bo", "a claim is open")


def test_who_is_held_is_erased_only_after_the_hold() -> None:
    hold = a_hold(90)
    life = replace(a_life(Standing.ASKED), hold=hold, due=Due(Reason.SILENT, hold.until))
    before, after = steps(life, days=40), steps(life, days=100)

    assert "to the end of 2027-02-19 because of a dispute (a claim is open)" in before["hold"]
    assert next_steps(life, at())[2].at == NOW + timedelta(days=90)
    assert "from then on" in before["purge"]
    assert "counts no more" in after["hold_ended"]
    assert "due since the end of 2027-02-19" in after["purge"]


def test_a_hold_that_ends_before_the_date_in_the_mail_moves_nothing() -> None:
    life = replace(a_life(Standing.ASKED), hold=a_hold(3))

    assert "due since the end of 2026-12-22" in steps(life, days=40)["purge"]


def test_a_date_that_was_moved_is_the_one_that_is_told() -> None:
    later = Extension(NOW, DUE + timedelta(days=7))
    found = steps(a_life(Standing.ASKED, extensions=(later,)), days=33)

    assert "to the end of 2026-12-29" in found["answer"]


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

    told = lines(life, at())

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
    text = "\n".join(lines(a_life(None, source="asked"), at()))
    no = "\n".join(lines(a_life(None, source="answer"), at()))
    other = "\n".join(lines(a_life(OUT, source="list", suspect=True), at()))
    nothing = lines(a_life(None), at())

    purged = "asked once, purged on 2026-11-21 10:30: an unreadable code only"
    assert f"no row on file\n{purged}, kept to 2029-11-20 at least" in text
    assert "never mailed since 2026-11-21 10:30: an unreadable code only; they said no" in no
    assert "a list or command (list)" in other
    assert "opted_out (suspect)" in other
    assert nothing[-1] == "  nothing"


def test_the_outcome_of_the_policy_is_told_by_its_reason() -> None:
    assert outcome_of(on_file(Standing.ASKED)) is Outcome.ASK
    assert outcome_of(on_file(Standing.EXEMPT)) is Outcome.EXEMPT
    assert outcome_of(on_file(Standing.WITHHELD)) is Outcome.WITHHOLD


def test_what_comes_next_stands_in_the_order_of_its_dates() -> None:
    """A hold that ends after the last day to answer comes after it."""
    hold = OnHold(Why.DISPUTE, NOW, NOW + timedelta(days=100), "Bo", "file 12")
    due = Due(Reason.SILENT, hold.until)
    found = next_steps(replace(a_life(Standing.ASKED), hold=hold, due=due), at())

    assert [each.what for each in found] == ["answer", "hold", "purge", "code"]
