"""What comes next of a campaign's waves, and what stops it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from repermit.dispatch.objection import Objection, as_kept
from repermit.dispatch.plan import Sent
from repermit.dispatch.verdict import Accepted, Delayed, Lost, Refused, SenderRefused, Verdict
from repermit.dispatch.watch import AboutUs, Enough, Watcher
from repermit.dispatch.waves import (
    Begin,
    End,
    Go,
    Stop,
    Terms,
    Watch,
    ages,
    next_step,
    objection_to,
    sees_bounces,
)
from repermit.domain.standing import Standing
from repermit.ledger.store.caps import Day
from repermit.ledger.store.sending import Reserved
from repermit.ledger.store.stretches import Outcome, Outcomes
from repermit.ledger.store.waves import State, Wave
from tests.dispatch.builders import a_person, some_terms

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TERMS = some_terms(sizes=(200, 2000), has_inbound=True)
HOUR = timedelta(hours=1)


def a_wave(number: int = 1, **changes: Any) -> Wave:
    known: dict[str, Any] = {
        "step": number - 1,
        "size": (200, 2000, None)[number - 1],
        "mails": 200,
        "is_drawn": False,
        "expected_bounces": 0,
        "ended_at": None,
        "looked_at": None,
        "seen_complaints": 0,
    }
    return Wave(number=number, **(known | changes))


def a_state(wave: Wave | None = None, **changes: Any) -> State:
    known: dict[str, Any] = {
        "listed": 10_000,
        "outcomes": Outcomes(Outcome(200, 0)),
        "inbound_at": NOW,
        "complaints": 0,
        "stopped_for": None,
    }
    known |= changes
    return State(wave=wave, **({"waiting": known["listed"]} | known))


def step(state: State, terms: Terms = TERMS, now: datetime = NOW) -> Any:
    return next_step(state, terms, now=now)


# ── From wave to wave ────────────────────────────────────────────────────────────────────────────


def test_a_campaign_begins_with_a_pilot() -> None:
    first = step(a_state())

    assert first == Begin(1, 0, 200)
    assert first.is_pilot
    assert str(first) == "wave 1: 200 people drawn at random over the whole list"


@pytest.mark.parametrize(
    ("listed", "terms", "size"),
    [
        (499, TERMS, None),  # a pilot would be half of it
        (500, TERMS, 200),
        (10_000, some_terms(), None),
        (900, some_terms(sizes=(900,)), None),
    ],
)
def test_a_small_list_or_no_sizes_make_one_wave(
    listed: int, terms: Terms, size: int | None
) -> None:
    begun = step(a_state(listed=listed), terms)

    assert begun == Begin(1, 0, size)
    assert begun.is_pilot is (size is not None)


def test_where_nobody_is_listed_no_wave_begins() -> None:
    assert step(a_state(listed=0)) == Go()


@pytest.mark.parametrize(
    ("wave", "state", "expected"),
    [
        (a_wave(is_drawn=True, mails=150), {"waiting": 50}, Go()),
        (a_wave(is_drawn=True, mails=180), {"waiting": 0}, End(1)),
        (a_wave(2, mails=1999), {}, Go()),
        (a_wave(2, mails=2000), {}, End(2)),
        (a_wave(2, mails=20), {"listed": 0}, End(2)),
        (a_wave(3), {}, Go()),
        (a_wave(3), {"listed": 0}, End(3)),
    ],
)
def test_a_wave_ends_with_its_last_mail(wave: Wave, state: dict[str, Any], expected: Any) -> None:
    assert step(a_state(wave, **state)) == expected


def test_the_next_wave_is_due_when_the_last_was_watched_long_enough() -> None:
    state = a_state(a_wave(ended_at=NOW))

    assert step(state) == Watch(NOW + timedelta(hours=48), 2)
    assert step(state, now=NOW + timedelta(hours=47, minutes=59)) == Watch(NOW + 48 * HOUR, 2)
    assert step(state, now=NOW + timedelta(hours=48)) == Begin(2, 1, 2000)
    assert step(a_state(a_wave(2, ended_at=NOW - 48 * HOUR))) == Begin(3, 2, None)
    assert str(Begin(3, 2, None)).endswith("everybody who is left, the newest contacts first")
    assert "2,000 people" in str(Begin(2, 1, 2000))


def test_without_a_way_for_bounces_to_come_in_nothing_is_waited_for() -> None:
    blind = replace(TERMS, has_inbound=False)

    assert step(a_state(a_wave(ended_at=NOW)), blind) == Begin(2, 1, 2000)


def test_nor_before_anything_that_came_back_was_read() -> None:
    unread = a_state(a_wave(ended_at=NOW), inbound_at=None)

    assert step(unread) == Begin(2, 1, 2000)
    assert not sees_bounces(unread, TERMS)


def test_a_person_who_looked_cuts_the_watch_short() -> None:
    looked = a_wave(ended_at=NOW - HOUR, looked_at=NOW)
    before = a_wave(ended_at=NOW - HOUR, looked_at=NOW - 2 * HOUR)

    assert step(a_state(looked)) == Begin(2, 1, 2000)
    assert isinstance(step(a_state(before)), Watch)


def test_a_list_that_grows_after_the_last_wave_begins_with_a_pilot_again() -> None:
    assert step(a_state(a_wave(3, ended_at=NOW), listed=600)) == Begin(4, 0, 200)
    assert step(a_state(a_wave(3, ended_at=NOW), listed=6)) == Begin(4, 0, None)
    assert step(a_state(a_wave(3, ended_at=NOW), listed=0)) == Go()


def test_a_stop_on_file_stays() -> None:
    objection = Objection("bounces", 1, 200, 12)

    assert step(a_state(a_wave(), stopped_for=as_kept(objection))) == Stop(objection)


# ── What speaks against it ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mails", "bounces", "stops"),
    [(3, 1, False), (100, 9, False), (200, 10, True), (201, 10, False), (10_000, 499, False)],
)
def test_so_many_percent_that_come_back_stop_it(mails: int, bounces: int, stops: bool) -> None:
    state = a_state(a_wave(), outcomes=Outcomes(Outcome(mails, bounces)))

    found = objection_to(state, TERMS, now=NOW)

    assert (found is not None) is stops
    if found:
        assert str(found) == "10 of 200 mails went to dead addresses (5.0 %)"
        assert "providers refuse" in found.hint


@pytest.mark.parametrize(
    ("complaints", "mails", "stops"), [(2, 10, False), (3, 3000, True), (3, 3001, False)]
)
def test_three_complaints_stop_it_once_they_are_one_in_a_thousand(
    complaints: int, mails: int, stops: bool
) -> None:
    state = a_state(a_wave(), complaints=complaints, outcomes=Outcomes(Outcome(mails)))

    found = objection_to(state, TERMS, now=NOW)

    assert (found is not None) is stops
    assert not found or str(found) == "3 recipients complained, of 3,000 mails"


def test_an_old_list_of_which_nothing_comes_back_stops_it_after_the_pilot() -> None:
    """A mailbox for bounces that does not work looks like a list without dead addresses."""
    pilot = a_wave(expected_bounces=12, ended_at=NOW)
    later = NOW + 48 * HOUR

    found = objection_to(a_state(pilot), TERMS, now=later)

    assert found == Objection("no_bounces", 1, 200, 0, 12)
    assert "at least 12 dead addresses" in str(found)
    assert objection_to(a_state(pilot), TERMS, now=later - HOUR) is None
    one = Outcomes(Outcome(200), undeliverable=1)
    assert objection_to(a_state(pilot, outcomes=one), TERMS, now=later) is None
    assert objection_to(a_state(replace(pilot, expected_bounces=4)), TERMS, now=later) is None
    assert objection_to(a_state(replace(pilot, looked_at=NOW)), TERMS, now=later) is None
    assert objection_to(a_state(replace(pilot, size=None)), TERMS, now=later) is None
    assert objection_to(a_state(pilot), replace(TERMS, has_inbound=False), now=later) is None
    assert objection_to(a_state(pilot, inbound_at=None), TERMS, now=later) is None


def test_what_a_person_has_seen_does_not_stop_it_again_and_what_comes_later_does() -> None:
    looked = a_wave(mails=400, seen_complaints=3)

    def found(outcomes: Outcomes, complaints: int = 3) -> Objection | None:
        state = a_state(looked, outcomes=outcomes, complaints=complaints)
        return objection_to(state, TERMS, now=NOW)

    assert found(Outcomes(Outcome(200, 0), Outcome(200, 0))) is None
    assert found(Outcomes(Outcome(200, 10), Outcome(200, 0))) == Objection("bounces", 1, 200, 10)
    assert found(Outcomes(Outcome(), Outcome(300, 11))) is None
    assert found(Outcomes(Outcome(), Outcome(200, 11))) == Objection("bounces", 1, 200, 11)
    assert found(Outcomes(), complaints=6) == Objection("complaints", 1, 0, 3)


def test_bounces_that_come_in_late_are_told_of_whatever_they_are_compared_with() -> None:
    assert str(Objection("bounces", 1, 0, 11)) == "11 of 0 mails went to dead addresses"


def test_a_bad_stretch_is_not_hidden_by_all_the_good_ones_before_it() -> None:
    """The oldest contacts come last: the worst of a list of half a million is its end."""
    good = Outcomes(Outcome(500_000, 10_000), worst=Outcome(1000, 99))
    bad = replace(good, worst=Outcome(1000, 100))

    assert objection_to(a_state(a_wave(3), outcomes=good), TERMS, now=NOW) is None
    found = objection_to(a_state(a_wave(3), outcomes=bad), TERMS, now=NOW)
    assert found == Objection("bounces", 3, 1000, 100)


def test_nothing_speaks_against_a_campaign_that_has_not_begun() -> None:
    assert objection_to(a_state(outcomes=Outcomes(Outcome(99, 99))), TERMS, now=NOW) is None


def test_months_become_whole_years() -> None:
    today = date(2026, 11, 21)

    assert ages({202611: 1, 202511: 2, 202512: 4, 201601: 3, 0: 5}, today) == {0: 10, 1: 2, 10: 3}


# ── What the relay says ──────────────────────────────────────────────────────────────────────────


def judged(
    words: list[Verdict], *, returned: frozenset[int] = frozenset(), connections: int = 1
) -> list[Any]:
    """Return what a watcher makes of *words*, one recipient each."""
    watcher, sent, found = Watcher(TERMS, connections), Sent(), list[Any]()
    watcher.enter(a_state(a_wave(mails=0), outcomes=Outcomes()))
    counted = {Accepted: Standing.ASKED, Delayed: Standing.DEFERRED, Lost: Standing.DOUBTFUL}
    for number, word in enumerate(words):
        first_try, attempts = None, 1 if number in returned else 0
        sent.count(counted.get(type(word), Standing.UNDELIVERABLE))
        reserved = Reserved(number, a_person(), "nl", attempts, first_try)
        found.append(watcher.judge(reserved, word, sent))
    return found


YES, LATER, NO = Accepted("250"), Delayed("450"), Refused("550 5.1.1")
POLICY = Refused("550 5.7.26", policy=True)


def test_twenty_refused_in_a_row_and_none_taken_is_about_us() -> None:
    *before, last = judged([YES, *[NO] * 20])

    assert before == [None] * 20
    assert isinstance(last, AboutUs)
    assert last.ids == list(range(1, 21))
    assert "20 recipients in a row and took none" in str(last.refusal)


@pytest.mark.parametrize("other", [NO, LATER, YES])
def test_three_in_a_row_refused_for_policy_are_about_us(other: Verdict) -> None:
    *before, last = judged([POLICY, POLICY, other, POLICY, POLICY, POLICY])

    assert before == [None] * 5
    assert isinstance(last, AboutUs)
    assert last.ids == [3, 4, 5]


LOST, LESS = Lost("connection lost"), Delayed("421 4.7.0", wants_less=True)


@pytest.mark.parametrize(("connections", "most"), [(1, 3), (2, 3), (10, 11)])
def test_mails_broken_off_in_a_row_and_none_taken_stop_it(connections: int, most: int) -> None:
    """A relay that begins anew breaks off one over each connection."""
    *before, last = judged([LOST, YES, *[LOST] * most], connections=connections)

    assert before == [None] * (most + 1)
    assert last == Objection("lost", 1, most, most)
    assert str(last) == f"the relay broke off {most} mails in a row and took none"
    assert "repermit doubt" in last.hint


@pytest.mark.parametrize(("connections", "most"), [(1, 5), (4, 5), (10, 11)])
def test_a_relay_that_wants_less_gets_less(connections: int, most: int) -> None:
    """Some relays say 421 after so many mails over one connection, and then go on."""
    *before, last = judged([LESS, YES, LESS, LATER, *[LESS] * most], connections=connections)

    assert before == [None] * (most + 3)
    assert last == Enough()


def test_greylisting_puts_off_everybody_once_and_ends_nothing() -> None:
    assert set(judged([LATER] * 99)) == {None}


def test_who_was_returned_and_is_refused_again_while_others_are_taken_is_refused() -> None:
    assert judged([YES, *[POLICY] * 5], returned=frozenset(range(1, 6))) == [None] * 6
    assert isinstance(judged([POLICY] * 3, returned=frozenset(range(3)))[-1], AboutUs)


def test_a_refused_sender_is_about_us_at_once() -> None:
    (found,) = judged([SenderRefused("550 5.7.1")])
    assert isinstance(found, AboutUs)


def test_bounces_are_judged_when_a_mail_is_taken_not_while_everybody_is_refused() -> None:
    *before, last = judged([*[YES] * 50, *[NO] * 12, YES])

    assert before == [None] * 62
    assert last == Objection("bounces", 1, 63, 12)
    assert judged([*[YES] * 400, *[NO] * 12, YES, YES])[-2:] == [None, None]


def test_what_says_nothing_of_the_address_is_no_bounce() -> None:
    words: list[Verdict] = [*[YES] * 50, *[Refused("554 5.6.0")] * 12, YES]

    assert set(judged(words)) == {None}


def test_half_of_the_last_hundred_put_off_stops_it() -> None:
    *before, last = judged([YES, LATER] * 50)

    assert set(before) == {None}
    assert last == Objection("delays", 1, 100, 50)
    assert "per_second" in last.hint
    assert judged([LATER] * 99)[-1] is None
    assert judged([YES, YES, LATER] * 60)[-1] is None
    assert judged([YES, LOST] * 50)[-1] == last


def test_the_figures_of_other_processes_are_looked_at_once_a_minute() -> None:
    watcher = Watcher(TERMS, 1)

    assert [watcher.is_due_to_look(at) for at in (5.0, 64.9, 65.0, 100.0, 125.0)] == [
        *(False, False, True, False, True)
    ]


# ── One provider alone ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (Day(week_mails=100, hard=10, new_hard=10), "provider_bounces"),
        (Day(week_mails=100, hard=10, new_hard=9), None),  # one of them was seen
        (Day(week_mails=101, hard=10, new_hard=10), None),
        (Day(week_mails=1, hard=9, new_hard=9), None),
        (Day(week_mails=1000, complaints=3, new_complaints=3), "provider_complaints"),
        (Day(week_mails=1001, complaints=3, new_complaints=3), None),
        (Day(week_mails=100, complaints=3, new_complaints=2), None),
        (Day(hard=10, new_hard=10, complaints=3, new_complaints=3), None),  # all of them stragglers
    ],
)
def test_one_provider_stops_it_alone(day: Day, code: str | None) -> None:
    """From twice the share of all on, and from the 0.3 % of Google and Yahoo on."""
    outcomes = Outcomes(Outcome(100_000, 10))
    found = objection_to(
        a_state(a_wave(), outcomes=outcomes, providers={"gmail": day}), TERMS, now=NOW
    )
    assert (found and (found.code, found.provider)) == (code and (code, "gmail"))


def test_those_who_have_no_provider_in_common_are_judged_with_all() -> None:
    day = Day(week_mails=10, hard=10, complaints=5, new_hard=10, new_complaints=5)
    outcomes = Outcomes(Outcome(100_000, 10))
    state = a_state(a_wave(), outcomes=outcomes, providers={"": day})
    assert objection_to(state, TERMS, now=NOW) is None
