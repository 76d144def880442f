import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.outcome import ASKED, DELIVERED
from repermit.ledger.store.series import Course, Presses
from repermit.report.figures import Report, State, report
from repermit.report.figuresjson import to_json
from tests.report.courses import BEGUN, DUE, course_of, empty, over, people, underway

ZONE = ZoneInfo("Europe/Brussels")
LATER = BEGUN + timedelta(days=20)


def report_of(course: Course, now: datetime = LATER) -> Report:
    """Return the figures of *course*."""
    return report(course, now=now, zone=ZONE)


@pytest.mark.parametrize("course", [empty(), underway(), over()], ids=["empty", "underway", "over"])
def test_the_parts_add_up_to_those_imported(course: Course) -> None:
    found = report_of(course)

    steps, figures = found.funnel, course.figures
    before = ("withheld", "exempt", "stopped", "waiting", "leaving")
    people = sum(steps[name].people for name in (*before, "asked"))
    assert people + found.untold + figures.erased == figures.admitted
    assert steps["asked"].people == sum(steps[name].people for name in ASKED)
    assert steps["delivered"].people == sum(steps[name].people for name in DELIVERED)
    there = sum(steps[name].on_file for name in (*before, "asked"))
    assert there == sum(figures.standings.values())


def test_whom_a_purge_took_without_counting_them_is_told_as_such() -> None:
    found = report_of(course_of([], figures={"purged": 5}, mails=5))

    assert found.untold == 5


@pytest.mark.parametrize("name", ["relationships", "providers"])
def test_the_groups_add_up_to_those_asked(name: str) -> None:
    found = report_of(over())

    groups = getattr(found, name)
    assert sum(each.asked for each in groups) == found.funnel["asked"].people
    assert sum(each.yes for each in groups) == found.funnel["yes"].people
    for each in groups:
        parts = each.yes + each.no + each.silent + each.undeliverable + each.unclear
        assert parts == each.asked
        assert each.has_shares


def test_people_who_are_few_are_one_group_without_shares() -> None:
    rows = [("customer", "gmail", "opted_in", False, True, 3)]

    (only,) = report_of(course_of(rows, figures={})).providers

    assert (only.name, only.asked, only.has_shares) == ("other", 3, False)


@pytest.mark.parametrize(
    ("standing", "figures", "mails", "state"),
    [
        ("listed", {}, 0, State.PREPARED),
        ("listed", {}, 3, State.ASKING),
        ("claimed", {}, 3, State.ASKING),
        ("asked", {"last_due": DUE}, 3, State.OPEN),
        ("asked", {"last_due": LATER}, 3, State.DUE),
        ("asked", {}, 3, State.DUE),
        ("opted_in", {}, 3, State.DONE),
        ("opted_in", {"closed_at": LATER}, 3, State.CLOSED),
    ],
)
def test_a_campaign_is_in_one_state(
    standing: str, figures: dict[str, datetime], mails: int, state: State
) -> None:
    rows = [("customer", None, standing, False, standing != "listed", 3)]

    assert report_of(course_of(rows, figures=figures, mails=mails)).state is state


def test_a_campaign_without_anybody_has_no_days() -> None:
    found = report_of(empty())

    assert (found.state, found.days, found.hours) == (State.EMPTY, (), ())
    assert (found.providers, found.relationships, found.deadlines) == ((), (), {})


def test_days_are_those_of_the_campaigns_zone_and_go_up_to_the_last_day_to_answer() -> None:
    midnight = datetime.fromisoformat("2026-11-02T22:45:00+00:00")
    presses = (Presses(midnight, "yes", 2), Presses(midnight + timedelta(minutes=15), "no", 1))

    found = report_of(replace(underway(), presses=presses))

    assert [(each.at, each.yes, each.no) for each in found.days[:2]] == [
        *((date(2026, 11, 2), 2, 0), (date(2026, 11, 3), 0, 1))
    ]
    assert found.days[-1].at == date(2026, 12, 7) == max(found.deadlines)
    assert [each.at for each in found.days] == sorted({each.at for each in found.days})


def test_an_answer_after_the_last_day_is_on_a_day_of_its_own() -> None:
    late = (Presses(DUE + timedelta(days=30), "yes", 1),)

    found = report_of(replace(underway(), presses=late), DUE + timedelta(days=31))

    assert found.days[-1].yes == 1
    assert found.days[-1].at == date(2027, 1, 4)


def test_hours_begin_with_the_first_mail_and_end_with_the_second_day_or_now() -> None:
    assert len(report_of(underway()).hours) == 48
    early = report_of(underway(), BEGUN + timedelta(hours=2, minutes=1)).hours
    assert [each.at - BEGUN for each in early if isinstance(each.at, datetime)] == [
        timedelta(hours=hour) for hour in range(3)
    ]


def test_the_last_days_of_those_who_are_purged_stay_known() -> None:
    assert report_of(over()).deadlines == {date(2026, 12, 4): 0}


def test_a_deadline_that_was_moved_is_told_by_its_last_day() -> None:
    course = course_of(people(), figures={"extended_until": DUE}, mails=1)

    assert report_of(course).extended == date(2026, 12, 4)


def test_only_what_a_probe_found_wrong_is_an_outage() -> None:
    (only,) = report_of(underway()).outages

    assert (only.code, only.vantage) == ("refused", "here")


@pytest.mark.parametrize("course", [empty(), underway(), over()], ids=["empty", "underway", "over"])
def test_a_program_is_told_the_same(course: Course) -> None:
    found = report_of(course)

    told = json.loads(json.dumps(to_json(found)))

    assert told["imported"] == course.figures.admitted
    assert told["funnel"]["yes"]["people"] == found.funnel["yes"].people
    assert sum(day["yes"] for day in told["answers"]["days"]) == sum(d.yes for d in found.days)
    assert [each["number"] for each in told["imports"]] == [each.number for each in course.imports]
    assert [each["purged"] for each in told["purges"]] == [each.purged for each in course.purges]
