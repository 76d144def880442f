"""When the mails will have left, told before."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from repermit.dispatch.forecast import Forecast, forecast
from repermit.dispatch.plan import Plan
from repermit.domain.hours import Hours
from repermit.domain.provider import NO_CAPS, Cap
from tests.dispatch.builders import some_terms
from tests.dispatch.test_waves import NOW, a_state, a_wave

HOUR = timedelta(hours=1)
DAY_HOURS = Hours(time(7), time(21), ZoneInfo("Europe/Brussels"))
GMAIL = {"gmail": (Cap(4000, 24),)}


def a_plan(**changes: Any) -> Plan:
    known: dict[str, Any] = {"per_second": 1.0, "caps": NO_CAPS, "terms": some_terms()}
    return Plan(
        give_up=timedelta(hours=72),
        connections=1,
        approved_size=0,
        **(known | changes),
    )


def told(people: list[tuple[str | None, int, int]], plan: Plan, **more: Any) -> Forecast:
    wave = more.pop("wave", None)
    listed = sum(count for _, _, count in people)
    now, sent = more.pop("now", NOW), more.pop("sent", {})
    return forecast(a_state(wave, listed=listed, **more), people, plan, sent=sent, now=now)


def test_with_nobody_left_nothing_is_ahead() -> None:
    assert told([], a_plan()).last_mail is None


def test_the_pace_tells_when_the_last_mail_leaves() -> None:
    ahead = told([(None, 202503, 7200)], a_plan())

    (wave,) = ahead.waves
    assert (wave.begins, wave.ends) == (NOW, NOW + 2 * HOUR)
    assert (wave.count, wave.is_pilot, ahead.capped) == (7200, False, ())


def test_a_very_slow_pace_is_told_as_well() -> None:
    ahead = told([(None, 202503, 10)], a_plan(per_second=0.0001))

    assert ahead.last_mail is not None
    assert timedelta(hours=27) < ahead.last_mail - NOW < timedelta(hours=29)


def test_between_waves_is_the_watch() -> None:
    terms = some_terms(sizes=(200, 2000), has_inbound=True)
    ahead = told([(None, 202503, 10_000)], a_plan(per_second=100.0, terms=terms))

    assert [(wave.number, wave.count, wave.is_pilot) for wave in ahead.waves] == [
        (1, 200, True),
        (2, 2000, False),
        (3, 7800, False),
    ]
    first, second, third = ahead.waves
    assert second.begins == first.ends + timedelta(hours=48)
    assert third.begins == second.ends + timedelta(hours=48)


@pytest.mark.parametrize(
    ("wave", "state", "counts"),
    [
        (a_wave(mails=150, is_drawn=True), {"waiting": 50}, [(1, 50), (2, 2000), (3, 2950)]),
        (a_wave(mails=200, is_drawn=True), {"waiting": 0}, [(2, 2000), (3, 3000)]),
        (a_wave(2, mails=1500), {}, [(2, 500), (3, 4500)]),
        (a_wave(3), {}, [(3, 5000)]),
        (a_wave(ended_at=NOW), {}, [(2, 2000), (3, 3000)]),
        (a_wave(3, ended_at=NOW), {}, [(4, 200), (5, 2000), (6, 2800)]),
    ],
)
def test_a_campaign_that_has_begun_goes_on_from_there(
    wave: Any, state: dict[str, Any], counts: list[tuple[int, int]]
) -> None:
    terms = some_terms(sizes=(200, 2000), has_inbound=True)
    ahead = told([(None, 202503, 5000)], a_plan(terms=terms), wave=wave, **state)

    assert [(each.number, each.count) for each in ahead.waves] == counts
    if wave.ended_at and wave.size:
        assert ahead.waves[0].begins == NOW + timedelta(hours=48)


def test_a_cap_lets_the_rest_wait_for_the_next_day() -> None:
    people = [("gmail", 202503, 10_000), (None, 202503, 1000)]
    ahead = told(people, a_plan(per_second=100.0, caps=GMAIL))

    assert ahead.capped == ("gmail",)
    assert ahead.last_mail is not None
    assert timedelta(days=2) < ahead.last_mail - NOW < timedelta(days=2, hours=3)


def test_what_has_left_already_counts_for_a_cap() -> None:
    hour = int(NOW.timestamp()) // 3600
    ahead = told(
        [("gmail", 202503, 10)],
        a_plan(caps=GMAIL),
        sent={"gmail": {hour: 4000}},
    )

    assert ahead.waves[0].begins > NOW + timedelta(hours=24)


def test_a_cap_that_nobody_reaches_does_not_bind() -> None:
    assert told([("gmail", 202503, 3000)], a_plan(caps=GMAIL)).capped == ()


def test_mails_leave_in_the_hours_only() -> None:
    late = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)  # 20:00 there
    ahead = told([(None, 202503, 7200)], a_plan(hours=DAY_HOURS), now=late)

    assert ahead.last_mail == datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def test_a_pilot_takes_the_same_share_of_each_provider() -> None:
    """Of a list that is all Gmail but for the oldest, a pilot has some of both."""
    terms = some_terms(sizes=(200,))
    people = [("gmail", 202601, 900), (None, 201001, 100)]
    ahead = told(people, a_plan(per_second=100.0, terms=terms, caps={"gmail": (Cap(180, 24),)}))

    pilot, rest = ahead.waves
    assert pilot.ends - pilot.begins < HOUR
    assert rest.ends - NOW > timedelta(days=3)
