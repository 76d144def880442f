from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from repermit.purge.plan import Plan, Readings, Refusal, refusals
from tests.builders import NOW

LATER = NOW + timedelta(hours=1)
GOOD = Readings(
    now=NOW,
    due=412,
    claimed=0,
    log_faults=0,
    latest_entry=NOW,
    older_copy=False,
    other_purge=False,
)
AGAINST: dict[str, dict[str, Any]] = {
    "older_copy": {"older_copy": True},
    "running": {"other_purge": True},
    "leaving": {"claimed": 3},
    "log": {"log_faults": 2},
    "clock": {"latest_entry": LATER},
    "at_most": {"due": 413},
}


def test_nothing_stands_against_a_purge_when_all_is_well() -> None:
    assert refusals(GOOD, at_most=412) == ()
    assert refusals(GOOD, at_most=None) == ()


@pytest.mark.parametrize("code", AGAINST)
def test_promise_7_each_reason_against_a_purge_has_its_code(code: str) -> None:
    (refusal,) = refusals(replace(GOOD, **AGAINST[code]), at_most=412)

    assert refusal.code == code
    assert refusal.text


def test_promise_7_all_reasons_are_named_at_once() -> None:
    changes = {name: value for each in AGAINST.values() for name, value in each.items()}

    found = refusals(replace(GOOD, **changes), at_most=412)

    assert [refusal.code for refusal in found] == list(AGAINST)


def test_promise_7_a_clock_behind_says_when_it_will_work() -> None:
    (refusal,) = refusals(replace(GOOD, latest_entry=LATER), at_most=None)

    assert refusal.until == LATER


@pytest.mark.parametrize(("at_most", "refused"), [(411, True), (412, False), (0, True)])
def test_no_more_go_than_was_allowed(at_most: int, *, refused: bool) -> None:
    found = refusals(GOOD, at_most=at_most)

    assert bool(found) is refused
    assert all("412" in refusal.text and str(at_most) in refusal.text for refusal in found)


def test_a_plan_adds_up() -> None:
    plan = Plan(by_reason={"silent": 400, "opted_out": 12}, refused=(Refusal("log", "false"),))

    assert plan.due == 412
    assert not plan.resumes
