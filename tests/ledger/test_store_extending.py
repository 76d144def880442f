"""A told date only moves later, by an approval with a reason; the log keeps both."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from repermit.cli.holding import end_of
from repermit.domain.address import parse
from repermit.domain.standing import Standing
from repermit.errors import ApprovalRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import (
    answering,
    campaign,
    doubt,
    due,
    evidence,
    extending,
    held,
    reading,
    timeline,
)
from repermit.ledger.store.reading import OnFile
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    admit,
    asked,
    claim,
    settle,
    terms,
    verified,
)

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


async def extend(ledger: Ledger, until: datetime) -> None:
    """Move the date, by the seventh approval."""
    await ledger.write(
        extending.extend, until, reason="an outage", by="Bo", informed="Cy", approval=7
    )


async def person(ledger: Ledger) -> OnFile:
    """Return what is on file about AN."""
    found = await ledger.read(reading.find, parse(AN))
    assert found is not None
    return found


async def test_a_later_date_holds_for_everybody_and_the_mail_keeps_its_own(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    printed = a_clock.now() + ANSWER_TIME
    await extend(a_ledger, printed + WEEK)

    assert await a_ledger.read(due.ids, terms(printed + WEEK - SECOND)) == []
    assert await a_ledger.read(due.ids, terms(printed + WEEK)) == [one]
    found = await person(a_ledger)
    assert (found.due_at, found.falls_due) == (printed, printed + WEEK)
    assert (await verified(a_ledger)).holds


async def test_wherever_a_date_is_told_it_is_the_later_one(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    (lost,) = await admit(a_ledger, JAN)
    await claim(a_ledger, lost)
    await settle(a_ledger, lost, Standing.DOUBTFUL)
    later = a_clock.now() + ANSWER_TIME + WEEK
    await extend(a_ledger, later)

    on_page = await a_ledger.read(answering.asked, one)
    assert on_page is not None
    assert on_page.due_at == later
    (doubtful,) = await a_ledger.read(doubt.doubtful, limit=5)
    assert doubtful.due_at == later
    figures = await a_ledger.read(campaign.figures)
    assert (figures.first_due, figures.last_due) == (later, later)
    assert figures.extended_until == later
    told = await a_ledger.read(held.everything, one)
    assert told is not None
    assert told["extended_until"] == "2026-12-29T09:30:00Z"


async def test_a_mail_that_prints_a_later_date_still_keeps_to_that(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, JAN)
    await extend(a_ledger, a_clock.now() + ANSWER_TIME + SECOND)
    a_clock.advance(WEEK)
    (one,) = await asked(a_ledger, AN)
    printed = a_clock.now() + ANSWER_TIME

    assert (await person(a_ledger)).falls_due == printed
    assert one not in await a_ledger.read(due.ids, terms(printed - SECOND))


async def test_it_is_known_which_date_held_at_which_moment(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN)
    first, printed = a_clock.now(), a_clock.now() + ANSWER_TIME
    for weeks in (1, 2):
        a_clock.advance(timedelta(days=1))
        await extend(a_ledger, printed + weeks * WEEK)

    found = await person(a_ledger)
    dates = [found.falls_due_as_of(first + timedelta(days=days)) for days in range(3)]
    assert dates == [printed, printed + WEEK, printed + 2 * WEEK]


async def test_who_had_no_mail_has_no_date_that_moves(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await asked(a_ledger, JAN)
    (one,) = await admit(a_ledger, AN)
    await extend(a_ledger, a_clock.now() + ANSWER_TIME + WEEK)

    assert (await person(a_ledger)).falls_due is None
    events = await a_ledger.read(timeline.timeline, one)
    assert [each.kind for each in events] == ["admitted"]


async def test_the_log_keeps_both_dates_who_and_why(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await asked(a_ledger, AN)
    printed = a_clock.now() + ANSWER_TIME
    for weeks in (1, 2):
        await extend(a_ledger, printed + weeks * WEEK)

    first, second = (
        each.facts
        for each in await a_ledger.read(timeline.timeline, one)
        if each.kind == "extended"
    )
    assert first == {
        "was": None,
        "until": "2026-12-29T09:30:00Z",
        "reason": "an outage",
        "by": "Bo",
        "informed": "Cy",
        "approval": 7,
    }
    assert (second["was"], second["until"]) == (first["until"], "2027-01-05T09:30:00Z")
    given = await a_ledger.read(lambda tx: list(evidence.about(tx, one, ())))
    said = [json.loads(each.payload or b"{}") for each in given if each.kind == "extended"]
    assert said == [first, second]


async def test_whose_date_is_later_anyway_is_not_told_of_a_move(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, JAN)
    soon = a_clock.now() + ANSWER_TIME + timedelta(days=1)
    a_clock.advance(WEEK)
    (one,) = await asked(a_ledger, AN)
    await extend(a_ledger, soon)

    assert "extended" not in [e.kind for e in await a_ledger.read(timeline.timeline, one)]


async def refused(ledger: Ledger, until: datetime, why: str) -> None:
    """Move the date, and see that refused for that reason, with nothing changed."""
    before = await ledger.read(extending.extended_until)
    with pytest.raises(ApprovalRefused, match=why):
        await extend(ledger, until)
    assert await ledger.read(extending.extended_until) == before


async def test_a_date_that_moves_nobody_is_refused(a_ledger: Ledger, a_clock: FakeClock) -> None:
    later = a_clock.now() + ANSWER_TIME
    await admit(a_ledger, JAN)
    await refused(a_ledger, later + WEEK, "no mail has left")
    await asked(a_ledger, AN)

    await refused(a_ledger, later, "the first is 2026-12-22")
    await extend(a_ledger, later + SECOND)


async def test_a_date_never_moves_back(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await asked(a_ledger, AN)
    moved = a_clock.now() + ANSWER_TIME + WEEK
    await extend(a_ledger, moved)

    await refused(a_ledger, moved, "moved to the end of 2026-12-29 already")
    await refused(a_ledger, moved - SECOND, "only moves later")


async def test_a_date_in_the_past_is_refused(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await asked(a_ledger, AN)
    a_clock.advance(ANSWER_TIME + WEEK)

    await refused(a_ledger, a_clock.now(), "that has passed")
    await extend(a_ledger, a_clock.now() + SECOND)


@pytest.mark.parametrize("value", ["extended_until + 1", "NULL"])
async def test_a_date_that_is_not_that_of_the_log_is_named(
    a_ledger: Ledger, a_clock: FakeClock, value: str
) -> None:
    await asked(a_ledger, AN)
    await extend(a_ledger, a_clock.now() + ANSWER_TIME + WEEK)
    await a_ledger.write(lambda tx: tx.run(f"UPDATE campaign SET extended_until = {value}"))

    (fault,) = (await verified(a_ledger)).false_records
    assert fault == "the date to which the deadline was moved is not that of the log"


async def test_a_refusal_says_the_day_that_was_typed(a_ledger: Ledger) -> None:
    """The end of a day in the campaign's zone is another instant in UTC."""
    await asked(a_ledger, AN)
    zone = ZoneInfo("Europe/Brussels")

    with pytest.raises(ApprovalRefused, match="before 2026-12-01: the first is 2026-12-22"):
        await a_ledger.read(extending.require_later, end_of(date(2026, 12, 1), zone), zone)
