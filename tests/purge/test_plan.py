from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from repermit.purge.plan import Order, Plan, Readings, Refusal, Watch
from repermit.purge.reachable import State, Stretch
from repermit.purge.refusals import Judged, judged
from repermit.purge.window import Limits, Seen, Window, seen
from tests.builders import NOW, terms

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOW + HOUR
LONG = timedelta(days=31)
U, D, N = State.UP, State.DOWN, State.UNKNOWN
WATCH = Watch(zone=ZoneInfo("Europe/Brussels"))
GOOD = Readings(
    now=NOW,
    due=412,
    claimed=0,
    log_faults=0,
    latest_entry=NOW,
    older_copy=False,
    other_purge=False,
    told=(NOW - 9 * DAY, NOW - 8 * DAY),
)
TYPED = Order(terms(NOW), by="An", at_most=412)
SCHEDULED = replace(TYPED, is_scheduled=True)
ACCEPTING = replace(TYPED, accepted_outage="the telephone line was staffed all along")


def was(*parts: tuple[State, float], people: int = 412) -> Seen:
    """Return what is known of a window of 31 days that ends now; *parts* are hours at its end, and
    before them the page was up."""
    ends, known = NOW, list[Stretch]()
    for state, hours in reversed(parts):
        known.insert(0, Stretch(state, ends - hours * HOUR, ends))
        ends = known[0].begin
    known.insert(0, Stretch(U, NOW - LONG, ends))
    limits = Limits(WATCH.outage_percent, WATCH.last_hours)
    return seen(Window(NOW - LONG, NOW, people), known, limits, now=NOW)


LOST = was((D, 60), (U, 100))
SHORT = was((D, 3), (U, 100))
LATE = was((D, 2), (U, 5))
DARK = was((N, 480), (U, 100))
DARK_LATE = was((N, 2), (U, 5))
ALWAYS: dict[str, dict[str, Any]] = {
    "older_copy": {"older_copy": True},
    "running": {"other_purge": True},
    "import": {"unfinished_import": True},
    "leaving": {"claimed": 3},
    "log": {"log_faults": 2},
    "clock": {"latest_entry": LATER},
    "at_most": {"due": 413},
}
ANSWERABLE: dict[str, dict[str, Any]] = {
    "outage": {"seen": (SHORT,)},
    "last_hours": {"seen": (replace(LATE, moved=NOW),)},
    "unknown": {"seen": (DARK,)},
    "links": {"cut_off": 7},
    "revoked": {"cut_short": 2},
}
DOUBTED: dict[str, dict[str, Any]] = {
    "gap": {"latest_entry": NOW - 32 * DAY},
    "elsewhere": {"unlisted_places": 2},
    "replies": {"unread": 1},
}
UNATTENDED: dict[str, dict[str, Any]] = {
    "paused": {"is_paused": True},
    "untold": {"told": (NOW - 9 * DAY, NOW - 6 * DAY)},
}


def codes(refusals: Sequence[Refusal]) -> list[str]:
    return [refusal.code for refusal in refusals]


def against(order: Order = TYPED, watch: Watch = WATCH, **changes: Any) -> list[str]:
    """Return the codes of what stands against a purge when *changes* are read."""
    return codes(judged(replace(GOOD, **changes), order, watch).refused)


def only(order: Order = TYPED, watch: Watch = WATCH, **changes: Any) -> Refusal:
    (refusal,) = judged(replace(GOOD, **changes), order, watch).refused
    return refusal


@pytest.mark.parametrize("order", [TYPED, SCHEDULED, ACCEPTING, replace(TYPED, at_most=None)])
def test_nothing_stands_against_a_purge_when_all_is_well(order: Order) -> None:
    assert judged(replace(GOOD, seen=(was(),)), order, WATCH) == Judged(())


@pytest.mark.parametrize("order", [TYPED, SCHEDULED, ACCEPTING])
@pytest.mark.parametrize("code", ALWAYS)
def test_promise_7_each_reason_against_a_purge_has_its_code(code: str, order: Order) -> None:
    refusal = only(order, **ALWAYS[code])

    assert refusal.code == code
    assert refusal.text


@pytest.mark.parametrize("code", ANSWERABLE)
def test_promise_7_when_people_could_not_answer_only_a_person_goes_on(code: str) -> None:
    """A scheduled purge does not, whatever it was told."""
    changes = ANSWERABLE[code]
    accepting = judged(replace(GOOD, **changes), ACCEPTING, WATCH)

    assert against(TYPED, **changes) == against(SCHEDULED, **changes) == [code]
    assert against(replace(ACCEPTING, is_scheduled=True), **changes) == [code]
    assert (accepting.refused, codes(accepting.accepted)) == ((), [code])
    assert accepting.warnings == (accepting.accepted[0].text,)


@pytest.mark.parametrize("code", DOUBTED)
def test_promise_7_what_a_person_can_judge_is_told_to_them_and_stops_a_scheduled_purge(
    code: str,
) -> None:
    changes = DOUBTED[code]
    typed = judged(replace(GOOD, **changes), TYPED, WATCH)
    refusal = only(SCHEDULED, **changes)

    assert typed == Judged((), warnings=(refusal.text,))
    assert (refusal.code, refusal.until) == (code, None)


@pytest.mark.parametrize("code", UNATTENDED)
def test_promise_7_what_stops_a_scheduled_purge_only(code: str) -> None:
    changes = UNATTENDED[code]

    assert judged(replace(GOOD, **changes), TYPED, WATCH) == Judged(())
    assert against(SCHEDULED, **changes) == [code]


def test_promise_7_a_scheduled_purge_that_the_config_does_not_want_is_refused() -> None:
    nobody = replace(SCHEDULED, terms=replace(TYPED.terms, reasons=()))

    assert against(nobody) == ["not_scheduled"]
    assert against(replace(nobody, is_scheduled=False)) == []


def test_promise_7_all_reasons_are_named_at_once() -> None:
    every = [
        *ALWAYS.values(),
        *UNATTENDED.values(),
        {"cut_off": 1, "cut_short": 1, "unlisted_places": 1, "unread": 1},
    ]
    changes = {name: value for each in every for name, value in each.items()}
    watch = replace(WATCH, outside=HOUR)
    nobody = replace(SCHEDULED, terms=replace(TYPED.terms, reasons=()))

    assert against(nobody, watch, **changes, seen=(LOST, LATE, DARK)) == [
        *ALWAYS,
        "outside_clock",
        *ANSWERABLE,
        *("elsewhere", "replies", "paused", "not_scheduled", "untold"),
    ]


def test_promise_7_a_clock_behind_says_when_it_will_work() -> None:
    assert only(latest_entry=LATER).until == LATER


@pytest.mark.parametrize(("at_most", "refused"), [(411, True), (412, False), (0, True)])
def test_no_more_go_than_was_allowed(at_most: int, *, refused: bool) -> None:
    found = judged(GOOD, replace(TYPED, at_most=at_most), WATCH).refused

    assert bool(found) is refused
    assert all("412" in refusal.text and str(at_most) in refusal.text for refusal in found)


def test_promise_7_an_outage_says_how_long_it_was_and_for_whom() -> None:
    refusal = only(seen=(was(), LOST, SHORT))

    assert refusal.text == (
        "the answer page was out of reach for 60 hours (8.1 %) of the 31 days that 412 people had"
        " to the end of 2026-11-21, and at most 5 % is accepted"
    )
    assert refusal.until == NOW - LONG + 60 * HOUR * 20


def test_promise_7_the_date_moves_by_an_outage_that_is_within_the_share() -> None:
    refusal = only(seen=(SHORT,))

    assert refusal.text == (
        "the answer page was out of reach for 3 hours (0.4 %) of the 31 days that 412 people had"
        " to the end of 2026-11-21: their date moves by as much"
    )
    assert refusal.until == NOW + 3 * HOUR


def test_promise_7_an_outage_in_the_last_hours() -> None:
    found = judged(replace(GOOD, seen=(replace(LATE, window=was(people=1).window),)), TYPED, WATCH)

    assert codes(found.refused) == ["outage", "last_hours"]
    assert found.refused[1].text == (
        "the answer page was out of reach within 24 hours before the end of 2026-11-21, the last"
        " day of 1 person, and has not been up for as long since"
    )
    assert found.refused[1].until == NOW + 19 * HOUR


def test_promise_7_what_nobody_knows() -> None:
    share, late = only(seen=(DARK,)), only(seen=(DARK_LATE,))
    what_to_do = (
        "; let `repermit serve` or a monitor look at it; a person may go on with"
        " `repermit purge --accept-outage REASON`"
    )

    assert share.text == (
        "nothing on record says whether the answer page was up for 20 days (64.5 %) of the 31 days"
        f" that 412 people had to the end of 2026-11-21{what_to_do}"
    )
    assert share.until == NOW - LONG + 20 * DAY * 20
    assert late.text == (
        "nothing on record says whether the answer page was up in all of the last 24 hours before"
        f" the end of 2026-11-21, the last day of 412 people{what_to_do}"
    )
    assert late.until == NOW + 19 * HOUR


def test_promise_7_a_gap_says_both_dates() -> None:
    (warning,) = judged(replace(GOOD, latest_entry=NOW - 40 * DAY), TYPED, WATCH).warnings

    assert "is of 2026-10-12 11:30 CEST, and this machine's clock says 2026-11-21 10:30 CET" in (
        warning
    )
    assert "40 days without an entry, while people have 31 days to answer" in warning
    assert against(SCHEDULED, latest_entry=NOW - LONG) == []


@pytest.mark.parametrize("order", [TYPED, SCHEDULED, ACCEPTING])
@pytest.mark.parametrize("ahead", [timedelta(minutes=11), timedelta(minutes=-11)])
def test_promise_7_a_clock_outside_must_agree(order: Order, ahead: timedelta) -> None:
    refusal = only(order, replace(WATCH, outside=ahead))

    assert refusal.code == "outside_clock"
    assert "2026-11-21 10:30 CET" in refusal.text
    assert (NOW + ahead).strftime("10:%M CET") in refusal.text


@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_a_clock_outside_that_agrees_within_ten_minutes(minutes: int) -> None:
    assert against(SCHEDULED, replace(WATCH, outside=timedelta(minutes=minutes))) == []


@pytest.mark.parametrize(
    ("told", "until"),
    [
        ((), None),
        ((NOW - 99 * DAY,), None),
        ((NOW - 99 * DAY, NOW - 6 * DAY), NOW + DAY),
        ((NOW - 6 * DAY, NOW - 5 * DAY, NOW - DAY), NOW + 2 * DAY),
    ],
)
def test_promise_7_two_people_are_told_before_a_scheduled_purge(
    told: tuple[datetime, ...], until: datetime | None
) -> None:
    refusal = only(SCHEDULED, told=told)

    assert (refusal.code, refusal.until) == ("untold", until)


def test_two_who_are_named_but_whose_notices_wait() -> None:
    waits = "2 notices wait for `repermit send`"

    assert waits in only(SCHEDULED, told=(), queued=2).text
    assert "name them under" in only(SCHEDULED, told=()).text


def test_a_purge_that_was_cut_off_is_not_judged_again_for_what_it_was_judged_for() -> None:
    """Its people are written down, and half of them may be gone."""
    every = [
        *ALWAYS.values(),
        *UNATTENDED.values(),
        {"cut_off": 1, "cut_short": 1, "unlisted_places": 1, "unread": 1},
    ]
    changes = {name: value for each in every for name, value in each.items()}
    changes |= {"seen": (LOST, LATE, DARK), "resumes": True}

    assert against(TYPED, replace(WATCH, outside=HOUR), **changes) == [*ALWAYS]
    assert against(SCHEDULED, replace(WATCH, outside=HOUR), **changes) == [*ALWAYS, "paused"]


def test_what_the_report_says_of_the_readings() -> None:
    changed = replace(GOOD, seen=(SHORT,), cut_off=7, cut_short=2, unlisted_places=2, claimed=1)

    assert changed.to_json(replace(WATCH, outside=timedelta(seconds=-2.4))) == {
        "clock": {"now": "2026-11-21T09:30:00Z", "outside_ahead_seconds": -2},
        "extended_until": None,
        "leaving": 1,
        "links_cut_off": 7,
        "links_revoked": 2,
        "log": {"faults": 0, "latest_entry": "2026-11-21T09:30:00Z"},
        "page": {
            "outage_percent": 5.0,
            "last_hours": 24,
            "windows": [SHORT.to_json()],
        },
        "places_not_listed": 2,
        "postponed": [],
        "told": ["2026-11-12T09:30:00Z", "2026-11-13T09:30:00Z"],
    }
    assert GOOD.to_json(WATCH)["clock"]["outside_ahead_seconds"] is None


def test_a_plan_adds_up() -> None:
    by_reason = {"silent": 400, "opted_out": 12}
    plan = Plan(by_reason, TYPED.terms, refused=(Refusal("log", "false"),))

    assert plan.due == 412
    assert not plan.resumes
