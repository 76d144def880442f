"""Who is due, by each reason, on the instant."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from repermit.domain.address import parse
from repermit.domain.deadline import due_at, last_day
from repermit.domain.due import BY_CLOSE, BY_DATE, Reason
from repermit.domain.standing import Answer, Standing, Way
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import due, erasing, suppression
from repermit.ledger.store.due import Terms
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    admit,
    ask,
    bounce,
    claim,
    press,
    settle,
    standings,
    terms,
)
from tests.databases import crowd, steps_of

AN, JAN, ELS = (f"{name}@voorbeeld.example" for name in ("an", "jan", "els"))
MOMENT = timedelta(microseconds=1)
BRUSSELS = ZoneInfo("Europe/Brussels")
YEARS = timedelta(days=1095)


def hold(tx: Transaction, recipient_id: int, until: datetime) -> None:
    """Keep somebody from being due."""
    tx.fill(
        "hold",
        ("recipient_id", "kind", "since", "until", "by", "reason"),
        [(recipient_id, "dispute", to_micros(tx.now), to_micros(until), "An", "a claim")],
    )


async def reasons(ledger: Ledger, moment: datetime, **changes: object) -> dict[str, int]:
    """Return how many are due at *moment*, by reason; by the terms of a purge by date unless
    changed."""
    return await ledger.read(due.counts, replace(terms(moment), **changes))  # type: ignore[arg-type]  # any field


async def asked(ledger: Ledger, *addresses: str) -> list[int]:
    """Ask people in a country where no mail is owed for a no."""
    ids = await admit(ledger, *addresses, country="NL")
    await ask(ledger, *ids)
    return ids


@pytest.mark.parametrize(
    ("intent", "printed", "end"),
    [
        # the clock goes forward on 29 March 2026, at 2, and back on 25 October 2026, at 3
        ("2026-02-26T12:00+01:00", "2026-03-29", "2026-03-30T00:00+02:00"),
        ("2026-02-27T12:00+01:00", "2026-03-30", "2026-03-31T00:00+02:00"),
        ("2026-09-24T12:00+02:00", "2026-10-25", "2026-10-26T00:00+01:00"),
        ("2026-09-23T12:00+02:00", "2026-10-24", "2026-10-25T00:00+02:00"),
        ("2028-01-29T12:00+01:00", "2028-02-29", "2028-03-01T00:00+01:00"),
        ("2028-02-29T12:00+01:00", "2028-03-31", "2028-04-01T00:00+02:00"),
        ("2027-01-28T12:00+01:00", "2027-02-28", "2027-03-01T00:00+01:00"),
    ],
)
async def test_nobody_falls_due_before_the_end_of_the_printed_day(
    a_ledger: Ledger, intent: str, printed: str, end: str
) -> None:
    """Whatever the clocks do that night, or the calendar in February."""
    date_in_mail = due_at(datetime.fromisoformat(intent), answer_days=30, zone=BRUSSELS)
    ended = datetime.fromisoformat(end).astimezone(UTC)
    (one,) = await admit(a_ledger, AN)
    await claim(a_ledger, one, due=date_in_mail)
    await settle(a_ledger, one, Standing.ASKED)

    assert last_day(date_in_mail, zone=BRUSSELS) == date.fromisoformat(printed)
    assert await reasons(a_ledger, ended - MOMENT) == {}
    assert await reasons(a_ledger, ended) == {"silent": 1}


async def test_silent_doubtful_unreachable_and_no_are_counted_apart(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    names = ("silent", "no", "bounced", "lost")
    silent, no, bounced, lost = await admit(
        a_ledger, *(f"{name}@voorbeeld.example" for name in names), country="NL"
    )
    await claim(a_ledger, silent, no, bounced, lost)
    for each in (silent, no, bounced):
        await settle(a_ledger, each, Standing.ASKED)
    await settle(a_ledger, lost, Standing.DOUBTFUL)
    await bounce(a_ledger, bounced)
    await press(a_ledger, no, NO)
    end = a_clock.now() + ANSWER_TIME

    assert await reasons(a_ledger, end - MOMENT) == {}
    assert await reasons(a_ledger, end) == {
        "silent": 1,
        "doubtful": 1,
        "opted_out": 1,
        "undeliverable": 1,
    }
    assert await a_ledger.read(due.ids, terms(end)) == [silent, no, bounced, lost]


async def test_a_yes_and_no_need_to_ask_are_never_due(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (yes,) = await asked(a_ledger, AN)
    await press(a_ledger, yes, Answer.YES)
    await admit(a_ledger, JAN, relationship="company_mailbox", legal_person=True)

    assert set((await standings(a_ledger)).values()) == {"opted_in", "exempt"}
    later = replace(terms(a_clock.now() + 100 * YEARS), reasons=(*BY_DATE, *BY_CLOSE))
    assert await a_ledger.read(due.ids, later) == []


async def test_a_yes_to_one_of_three_keeps_the_person_for_that_one(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, Answer.YES, purposes=("news", "offers", "events"))
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, one, Answer.YES, purposes=("events",))
    a_clock.advance(100 * YEARS)

    assert await reasons(a_ledger, a_clock.now()) == {}
    purposes = await a_ledger.read(lambda tx: tx.value("SELECT purposes FROM recipient"))
    assert purposes == '["events"]'


async def test_a_deferred_mail_falls_due_only_once_it_is_given_up(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await admit(a_ledger, AN)
    await claim(a_ledger, one)
    await settle(a_ledger, one, Standing.DEFERRED, reply="450", try_at=a_clock.now())
    late = a_clock.now() + YEARS
    assert await reasons(a_ledger, late) == {}

    await claim(a_ledger, one)
    await settle(a_ledger, one, Standing.UNDELIVERABLE, reply="450 gave up")
    assert await reasons(a_ledger, late) == {"undeliverable": 1}


async def test_withheld_and_never_sent_wait_for_the_end_of_the_campaign(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await admit(a_ledger, AN, relationship=None)
    one, _ = await admit(a_ledger, JAN, ELS)
    await claim(a_ledger, one)
    await settle(a_ledger, one, Standing.DEFERRED, reply="450", try_at=a_clock.now())
    late = a_clock.now() + YEARS

    assert await reasons(a_ledger, late) == {}
    assert await reasons(a_ledger, late, reasons=BY_CLOSE) == {"withheld": 1, "never_sent": 2}


@pytest.mark.parametrize("before", [Standing.LISTED, Standing.WITHHELD, Standing.DEFERRED])
async def test_an_opt_out_without_a_mail_falls_due_as_long_after_it_as_people_have_to_answer(
    a_ledger: Ledger, a_clock: FakeClock, before: Standing
) -> None:
    withheld = {"relationship": None} if before is Standing.WITHHELD else {}
    (one,) = await admit(a_ledger, AN, **withheld)
    if before is Standing.DEFERRED:
        await claim(a_ledger, one)
        await settle(a_ledger, one, Standing.DEFERRED, reply="450", try_at=a_clock.now())
    await a_ledger.write(suppression.suppress, [parse(AN)], source="elsewhere", reason="")
    end = a_clock.now() + ANSWER_TIME
    a_clock.advance(timedelta(days=3))
    await a_ledger.write(suppression.suppress, [parse(AN)], source="complaint", reason="")

    assert await reasons(a_ledger, end - MOMENT) == {}
    assert await reasons(a_ledger, end) == {"opted_out": 1}


async def test_an_opt_out_that_nobody_dated_is_not_kept_for_ever(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await admit(a_ledger, AN)
    await a_ledger.write(
        lambda tx: tx.run("UPDATE recipient SET standing = 'opted_out', no_at = NULL")
    )

    assert await reasons(a_ledger, a_clock.now()) == {"opted_out": 1}


@pytest.mark.parametrize("way", ["page", "elsewhere"])
async def test_the_proof_of_a_withdrawn_yes_is_kept_for_years_after_the_no(
    a_ledger: Ledger, a_clock: FakeClock, way: str
) -> None:
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, Answer.YES)
    a_clock.advance(timedelta(days=200))
    if way == "page":
        await press(a_ledger, one, NO)
    else:
        await a_ledger.write(suppression.suppress, [parse(AN)], source="elsewhere", reason="")
    end = a_clock.now() + YEARS

    assert await reasons(a_ledger, end - MOMENT, proof=YEARS) == {}
    assert await reasons(a_ledger, end, proof=YEARS) == {"withdrawn": 1}


async def test_a_withdrawn_yes_does_not_fall_due_before_the_date_in_the_mail(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    end = a_clock.now() + ANSWER_TIME
    await press(a_ledger, one, Answer.YES)
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, one, NO)

    assert await reasons(a_ledger, end - MOMENT) == {}
    assert await reasons(a_ledger, end) == {"withdrawn": 1}


async def pressed(
    ledger: Ledger, clock: FakeClock, presses: Sequence[tuple[int, Answer, tuple[str, ...]]]
) -> None:
    """Ask somebody and let them press, each press so many seconds after the one before; the last
    of them is a no that counts."""
    (one,) = await asked(ledger, AN)
    for seconds, answer, purposes in presses:
        clock.advance(timedelta(seconds=seconds))
        await press(ledger, one, answer, purposes=purposes)
    assert await standings(ledger) == {one: "opted_out"}


NEWS, BOTH = ("news",), ("news", "offers")
YES, NO = Answer.YES, Answer.NO


@pytest.mark.parametrize(
    "presses",
    [
        [(0, YES, NEWS), (5, NO, ()), (60, NO, ())],
        [(0, YES, NEWS), (5, YES, BOTH), (5, NO, ()), (60, NO, ())],
        [(0, YES, NEWS), (5, NO, ()), (5, YES, NEWS), (60, NO, ())],
        [(0, NO, ()), (5, YES, NEWS), (60, NO, ())],
        [(0, NO, ())],
    ],
    ids=["a no at once", "two and a no", "yes no yes", "no first", "never"],
)
async def test_a_void_yes_is_no_proof_to_keep(
    a_ledger: Ledger, a_clock: FakeClock, presses: list[tuple[int, Answer, tuple[str, ...]]]
) -> None:
    await pressed(a_ledger, a_clock, presses)

    assert await reasons(a_ledger, a_clock.now() + ANSWER_TIME, proof=YEARS) == {"opted_out": 1}


@pytest.mark.parametrize(
    "presses",
    [
        [(0, YES, NEWS), (60, NO, ())],
        [(0, YES, NEWS), (60, YES, BOTH), (5, NO, ()), (60, NO, ())],
        [(0, YES, NEWS), (60, NO, ()), (60, YES, NEWS), (5, NO, ()), (60, NO, ())],
        [(0, YES, NEWS), (5, NO, ()), (60, YES, NEWS), (60, NO, ())],
    ],
    ids=["once", "a void one later", "a no, a void one", "a void one before"],
)
async def test_a_yes_that_stood_is_a_proof_whatever_was_void_around_it(
    a_ledger: Ledger, a_clock: FakeClock, presses: list[tuple[int, Answer, tuple[str, ...]]]
) -> None:
    await pressed(a_ledger, a_clock, presses)

    assert await reasons(a_ledger, a_clock.now() + ANSWER_TIME, proof=YEARS) == {}
    assert await reasons(a_ledger, a_clock.now() + YEARS, proof=YEARS) == {"withdrawn": 1}


async def test_a_yes_with_an_unsubscribe_on_its_heels_stood(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """By RFC 8058 a no always counts, so the yes before it was not void."""
    (one,) = await asked(a_ledger, AN)
    await press(a_ledger, one, YES)
    a_clock.advance(timedelta(seconds=2))
    await press(a_ledger, one, NO, way=Way.ONE_CLICK)

    assert await reasons(a_ledger, a_clock.now() + ANSWER_TIME) == {"withdrawn": 1}


async def test_whoever_is_held_or_owed_a_mail_is_counted_and_not_due(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    held, _ = await asked(a_ledger, AN, JAN)
    (owed,) = await admit(a_ledger, ELS, country="BE")
    await ask(a_ledger, owed)
    await press(a_ledger, owed, NO)
    end = a_clock.now() + ANSWER_TIME
    await a_ledger.write(hold, held, end + timedelta(days=9))

    assert await reasons(a_ledger, end) == {"silent": 1}
    assert await a_ledger.read(due.held, terms(end)) == 1
    assert await a_ledger.read(due.owed, terms(end)) == 1
    assert await reasons(a_ledger, end + timedelta(days=9)) == {"silent": 2}


async def test_from_an_extension_on_nobody_falls_due_before_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN)
    end = a_clock.now() + ANSWER_TIME
    until = end + timedelta(days=14)
    await a_ledger.write(
        lambda tx: tx.run("UPDATE campaign SET extended_until = ?", to_micros(until))
    )

    assert await reasons(a_ledger, until - MOMENT) == {}
    assert await reasons(a_ledger, until) == {"silent": 1}
    assert await reasons(a_ledger, end, reasons=BY_CLOSE) == {}


async def test_a_date_that_is_put_off_makes_nobody_due(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Nor is anybody of it told as owed or held; whoever has no date is not concerned."""
    one, two, three = await asked(a_ledger, AN, "bo@voorbeeld.example", "cy@voorbeeld.example")
    a_clock.advance(ANSWER_TIME)
    no = "UPDATE recipient SET standing = 'opted_out', due_at = ?, no_at = 0 WHERE id = ?"
    date = await a_ledger.read(lambda tx: int(tx.value("SELECT max(due_at) FROM recipient")))
    await a_ledger.write(lambda tx: tx.run(no, date, two))
    await a_ledger.write(lambda tx: tx.run(no, None, three))
    now = terms(a_clock.now())
    later = replace(now, later=(1, date))

    assert await a_ledger.read(due.counts, now) == {"silent": 1, "opted_out": 2}
    assert await a_ledger.read(due.counts, later) == {"opted_out": 1}
    assert await a_ledger.read(due.ids, later) == [three]
    assert await a_ledger.read(due.ids, replace(now, later=(date + 1,))) == [one, two, three]
    assert [await a_ledger.read(each, later) for each in (due.owed, due.held)] == [0, 0]


def test_terms_come_back_as_they_were_kept(a_clock: FakeClock) -> None:
    kept = Terms(a_clock.now(), (Reason.SILENT,), ANSWER_TIME, YEARS, timedelta(days=7), (3, 5))

    assert Terms.from_json(kept.to_json()) == kept


def test_terms_without_a_reason_make_nobody_due(a_clock: FakeClock) -> None:
    assert due.is_due(replace(terms(a_clock.now()), reasons=())) == "FALSE"


async def test_counting_who_is_due_reads_no_row_of_anybody_who_stands_elsewhere(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """At a million rows a scan for each reason would take as long as the purge; only when everybody
    goes, everybody is read."""
    (one,) = await asked(a_ledger, AN)
    await a_ledger.write(crowd, one)

    for reason in (*BY_DATE, *BY_CLOSE):
        sql = f"SELECT count(*) FROM recipient WHERE {due.condition(reason)}"
        steps = await a_ledger.read(steps_of, sql, terms(a_clock.now()).values())

        assert any("ix_recipient_standing" in step for step in steps), steps
        assert not any(re.search("SCAN recipient|Seq Scan on recipient", step) for step in steps)


async def test_erasing_a_slice_reads_only_the_rows_of_that_slice(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await asked(a_ledger, AN)
    await a_ledger.write(crowd, one)
    now = terms(a_clock.now() + ANSWER_TIME)  # all of them are due
    ids = "id IN (SELECT value FROM json_each(:ids))"
    sql = f"DELETE FROM recipient WHERE {ids} AND ({due.is_due(now)})"

    steps = await a_ledger.write(steps_of, sql, {"ids": "[1, 2, 3]", **now.values()})

    used = [step for step in steps if re.search("(SEARCH|SCAN|Scan).* recipient ", step)]
    assert len(used) == 1, steps
    assert "USING INTEGER PRIMARY" in used[0] or "using recipient_pkey" in used[0]


async def test_what_a_slice_erases_is_what_was_counted(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    silent, _ = await asked(a_ledger, AN, JAN)
    a_clock.advance(ANSWER_TIME)
    purge = await a_ledger.write(erasing.begin_purge, terms(a_clock.now()), by="An", facts={})
    await press(a_ledger, silent, YES)
    await a_ledger.write(erasing.erase_due, purge, slice_rows=10)

    assert await standings(a_ledger) == {silent: "opted_in"}


@pytest.mark.parametrize("seed", range(8))
async def test_the_next_date_is_the_first_instant_at_which_somebody_falls_due(
    a_ledger: Ledger, a_clock: FakeClock, seed: int
) -> None:
    """An instant before it nobody more is due than now, whatever their dates, holds and noes."""
    chance, begin = Random(seed), a_clock.now()
    day = timedelta(days=1)

    def some_day() -> int:
        return to_micros(begin + chance.randint(1, 40) * day)

    names = [f"one{number}@voorbeeld.example" for number in range(12)]
    mailed, unmailed = await asked(a_ledger, *names[:9]), await admit(a_ledger, *names[9:])
    for each in mailed[4:6]:
        await press(a_ledger, each, YES)
    for each in mailed[2:4]:
        await press(a_ledger, each, NO)
    a_clock.advance(timedelta(minutes=1))
    for each in mailed[4:6]:
        await press(a_ledger, each, NO)
    for name in names[9:]:
        await a_ledger.write(suppression.suppress, [parse(name)], source="elsewhere", reason="")

    def scatter(tx: Transaction) -> None:
        for each in mailed:
            tx.run("UPDATE recipient SET due_at = ? WHERE id = ?", some_day(), each)
        for each in (*mailed[2:6], *unmailed):
            tx.run("UPDATE recipient SET no_at = ? WHERE id = ?", some_day(), each)
        for each in chance.sample([*mailed, *unmailed], 4):
            hold(tx, each, from_micros(some_day()))
        if seed % 2:
            tx.run("UPDATE campaign SET extended_until = ?", some_day())

    await a_ledger.write(scatter)
    at = replace(terms(begin), window=7 * day, proof=chance.choice((timedelta(0), 9 * day)))
    found = set[int]()
    while following := await a_ledger.read(due.following, at):
        just_before = replace(at, moment=following - MOMENT)
        assert set(await a_ledger.read(due.ids, just_before)) == found
        at = replace(at, moment=following)
        then = set(await a_ledger.read(due.ids, at))
        assert then > found
        for each in then - found:
            told = await a_ledger.read(due.of, at, each)
            assert told is not None
            assert told.at == following
        found = then
    assert found == {*mailed, *unmailed}
