"""The guard over a real ledger: what is on record decides."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from repermit.domain.clock import iso
from repermit.domain.due import BY_CLOSE, BY_DATE
from repermit.domain.standing import Answer, Standing
from repermit.errors import PurgeRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import to_micros
from repermit.ledger.linkkeys import Change
from repermit.ledger.log import Kind, canonical
from repermit.ledger.store import campaign, erasing, extending, places, probing, token_keys
from repermit.ledger.store.due import Terms
from repermit.ledger.store.probing import Looked, Vantage
from repermit.purge import guard
from repermit.purge.guard import Watch
from repermit.purge.plan import Order, Plan
from repermit.purge.run import purge
from tests.builders import ANSWER_TIME, NOW, FakeClock, asked, begin_purge, press, settle, terms
from tests.purge.builders import DUE, Killed, Told, being_sent, fill, ordered, signed
from tests.respond.builders import hash_of_tables

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = NOW + ANSWER_TIME
WATCH = Watch(token_keys=("here",))


def typed(ledger: Ledger) -> Order:
    """Return an order that accepts nothing."""
    return replace(ordered(ledger, None), accepted_outage="")


def scheduled(ledger: Ledger) -> Order:
    return replace(typed(ledger), is_scheduled=True)


async def planned(ledger: Ledger, order: Order, watch: Watch = WATCH) -> Plan:
    return await guard.plan(ledger, order, watch, other_purge=False)


async def against(ledger: Ledger, order: Order, watch: Watch = WATCH) -> dict[str, datetime | None]:
    """Return the codes of what stands against *order*, with their dates."""
    return {each.code: each.until for each in (await planned(ledger, order, watch)).refused}


async def on_record(ledger: Ledger, *looked: Looked) -> None:
    """Let probes have found that."""
    sql = "INSERT INTO probe (since, until, probes, vantage, code) VALUES (?, ?, ?, ?, ?)"
    rows = [
        (to_micros(row.since), to_micros(row.until), row.probes, str(row.vantage), row.code)
        for row in looked
    ]
    await ledger.write(lambda tx: tx.many(sql, rows))


def up(since: datetime, until: datetime, vantage: Vantage = Vantage.SERVER) -> Looked:
    return Looked(since, until, 99, vantage)


async def tell_two(ledger: Ledger, at: datetime) -> None:
    """Let the relay have taken a notice of the purge to two people."""
    sql = (
        "INSERT INTO outbox (kind, receiver, said, language, created_at, not_before, standing,"
        " attempts, settled_at) VALUES ('notice', ?, ?, 'nl', 0, 0, 'sent', 1, ?)"
    )
    said = json.dumps({"about": "purge", "reasons": BY_DATE})
    values = [(receiver, said, to_micros(at)) for receiver in ("an", "bo")]
    await ledger.write(lambda tx: tx.many(sql, values))


async def test_promise_7_where_nothing_is_on_record_nobody_goes(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    before = await a_ledger.read(hash_of_tables)

    with pytest.raises(PurgeRefused) as refused:
        await purge(a_ledger, typed(a_ledger), WATCH, sign=signed, tell=lambda _: None)

    assert [code for code, _, _ in refused.value.reasons] == ["unknown"]
    assert await a_ledger.read(hash_of_tables) == before


async def test_promise_7_a_person_goes_on_with_a_reason_and_the_reading_is_kept(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    order = ordered(a_ledger, DUE)

    plan = await planned(a_ledger, order)

    assert plan.refused == ()
    assert [each["code"] for each in plan.readings["accepted"]["refusals"]] == ["unknown"]
    assert plan.readings["accepted"]["reason"] == order.accepted_outage
    assert (plan.warnings[0],) == (plan.readings["accepted"]["refusals"][0]["text"],)
    (window,) = plan.readings["page"]["windows"]
    assert (window["people"], window["unknown_minutes"]) == (DUE, ANSWER_TIME / HOUR * 60)
    assert json.loads(canonical(plan.readings)) == plan.readings
    assert "@" not in canonical(plan.readings).decode()


async def test_promise_7_where_the_page_was_up_all_along_they_go(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await on_record(a_ledger, up(NOW - HOUR, END))

    plan = await planned(a_ledger, typed(a_ledger))

    assert (plan.refused, plan.warnings, plan.due) == ((), (), DUE)
    assert plan.readings["accepted"] is None


async def test_promise_7_probes_that_failed_put_the_date_off_until_the_page_was_up_again(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(ANSWER_TIME)
    again = NOW + DAY + 4 * HOUR
    failed = Looked(NOW + DAY, again - timedelta(minutes=5), 9, Vantage.HERE, "refused")
    await on_record(a_ledger, up(NOW, NOW + DAY), failed, up(again, END))

    assert await against(a_ledger, typed(a_ledger)) == {"outage": END + 4 * HOUR}
    a_clock.advance(4 * HOUR)
    await on_record(a_ledger, up(END, END + 4 * HOUR))
    assert await against(a_ledger, typed(a_ledger)) == {}


async def test_promise_7_probes_of_the_server_itself_go_on_record_and_count(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    await on_record(a_ledger, up(NOW, END - 5 * HOUR))
    a_clock.advance(ANSWER_TIME - 5 * HOUR)
    for _ in range(20):
        await a_ledger.write(probing.note, "certificate", Vantage.SERVER)
        a_clock.advance(timedelta(minutes=15))
    await a_ledger.write(probing.note, "", Vantage.SERVER)

    assert await against(a_ledger, typed(a_ledger)) == {
        "outage": END + 5 * HOUR,
        "last_hours": END + DAY,
    }


async def test_promise_7_one_failed_probe_and_then_silence_is_no_outage_for_ever(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Nobody knows what followed; it works once the page was up for as long as it has to be."""
    await asked(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(probing.note, "refused", Vantage.HERE)
    a_clock.advance(ANSWER_TIME)
    plan = await planned(a_ledger, typed(a_ledger))

    assert [each.code for each in plan.refused] == ["outage", "unknown"]
    assert plan.refused[0].until == END + timedelta(minutes=15)
    (window,) = plan.readings["page"]["windows"]
    assert window["down_minutes"] == 15
    assert (await planned(a_ledger, ordered(a_ledger, None))).refused == ()


async def test_promise_7_real_answers_show_that_the_page_was_up(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Nobody probed in the last hour and a half, and people answered."""
    _, *others = await asked(a_ledger, *(f"{each}@voorbeeld.example" for each in range(9)))
    await on_record(a_ledger, up(NOW, END - 90 * timedelta(minutes=1)))
    a_clock.advance(ANSWER_TIME - 90 * timedelta(minutes=1))
    assert await against_at_the_end(a_ledger) == ["unknown"]
    for one in others[:6]:
        a_clock.advance(timedelta(minutes=15))
        await press(a_ledger, one, Answer.YES)

    assert await against(a_ledger, typed(a_ledger)) == {}
    assert (await planned(a_ledger, typed(a_ledger))).due == 3


async def against_at_the_end(ledger: Ledger) -> list[str]:
    """Return what would stand against a purge if nothing more happened until the last day ends."""
    assert isinstance(ledger.clock, FakeClock)
    until = END - ledger.clock.now()
    ledger.clock.advance(until)
    codes = [*await against(ledger, typed(ledger))]
    ledger.clock.advance(-until)
    return codes


async def test_promise_7_each_date_has_a_window_of_its_own_and_the_worst_is_told(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(2 * DAY)
    await asked(a_ledger, "bo@voorbeeld.example", "cy@voorbeeld.example")
    back = NOW + 2 * DAY
    await on_record(a_ledger, up(NOW, NOW + DAY), up(back, END + 2 * DAY))
    await on_record(
        a_ledger, Looked(NOW + DAY, back - timedelta(minutes=5), 99, Vantage.HERE, "name")
    )
    a_clock.advance(ANSWER_TIME)

    plan = await planned(a_ledger, typed(a_ledger))

    assert plan.refused == ()  # two days have passed since, in which they could answer
    windows = plan.readings["page"]["windows"]
    assert [(each["people"], each["down_minutes"]) for each in windows] == [(1, 1440), (2, 0)]
    a_clock.advance(-DAY - HOUR)
    (refusal,) = (await planned(a_ledger, typed(a_ledger))).refused
    assert "1 person" in refusal.text
    assert (refusal.code, refusal.until) == ("outage", END + DAY)


async def test_promise_7_a_date_that_was_put_off_ends_the_window(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    until = END + 7 * DAY
    await a_ledger.write(
        extending.extend, until, reason="strike", by="An", informed="Jan", approval=1
    )
    await on_record(a_ledger, up(NOW, END + 6 * DAY))
    a_clock.advance(ANSWER_TIME + 7 * DAY)

    assert await against(a_ledger, typed(a_ledger)) == {"unknown": until + DAY}


async def test_promise_7_links_whose_key_is_gone(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await a_ledger.write(token_keys.note, "gone")
    await asked(a_ledger, "an@voorbeeld.example")
    await on_record(a_ledger, up(NOW, END))
    a_clock.advance(ANSWER_TIME)

    assert await against(a_ledger, typed(a_ledger)) == {"links": None}
    assert await against(a_ledger, typed(a_ledger), Watch(token_keys=("gone", "here"))) == {}
    assert await against(a_ledger, typed(a_ledger), Watch()) == {}


async def test_promise_7_links_that_were_revoked_before_the_time_was_over(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Whoever had all of their time, or said no in another way, is purged as ever."""
    await a_ledger.write(token_keys.note, "leaked")
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(DAY)
    _, wrote = await asked(a_ledger, "bo@voorbeeld.example", "cy@voorbeeld.example")
    await on_record(a_ledger, up(NOW, END + 2 * DAY))
    a_clock.advance(ANSWER_TIME - DAY)
    await a_ledger.write(token_keys.log_change, Change(Kind.REVOKED, ("leaked",), "new"))
    await press(a_ledger, wrote, Answer.NO)
    a_clock.advance(DAY)

    watch = Watch(token_keys=("new",))
    assert await against(a_ledger, typed(a_ledger), watch) == {"revoked": None}
    (refusal,) = (await planned(a_ledger, typed(a_ledger), watch)).refused
    assert "the mails of 1 person who are due were revoked" in refusal.text


async def test_promise_7_what_a_scheduled_purge_needs_besides(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    await on_record(a_ledger, up(NOW, END + DAY))
    await a_ledger.write(places.name_places, ["the shop"])
    a_clock.advance(ANSWER_TIME + DAY)
    assert [*await against(a_ledger, scheduled(a_ledger))] == ["gap", "elsewhere", "untold"]
    assert len((await planned(a_ledger, typed(a_ledger))).warnings) == 2

    await a_ledger.write(places.hand_over, names_anybody=True)
    await tell_two(a_ledger, END - 7 * DAY)
    await a_ledger.write(campaign.pause)
    assert [*await against(a_ledger, scheduled(a_ledger))] == ["paused"]
    await a_ledger.write(campaign.resume)
    assert await against(a_ledger, scheduled(a_ledger)) == {}


async def test_a_purge_that_was_cut_off_goes_on_whatever_is_seen_since(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await begin_purge(a_ledger)

    plan = await planned(a_ledger, typed(a_ledger))

    assert (plan.resumes, plan.due, plan.refused) == (True, DUE, ())


async def test_where_nobody_is_due_nothing_is_said_of_the_page(a_ledger: Ledger) -> None:
    await asked(a_ledger, "an@voorbeeld.example")

    plan = await planned(a_ledger, Order(terms(NOW), by="An", at_most=None))

    assert (plan.due, plan.refused, plan.readings["page"]["windows"]) == (0, (), [])


async def on_three_dates(ledger: Ledger, clock: FakeClock) -> list[int]:
    """Ask one person a day on three days, let the page be away on the first and let all three dates
    pass; it has been up since, for too short a time to make up for that."""
    people = []
    for each in ("an", "bo", "cy"):
        people += await asked(ledger, f"{each}@voorbeeld.example")
        clock.advance(DAY)
    back = NOW + DAY - timedelta(minutes=5)
    away = Looked(NOW, back - timedelta(minutes=5), 288, Vantage.SERVER, "refused")
    await on_record(ledger, away, up(back, END + 2 * DAY))
    clock.advance(ANSWER_TIME - DAY)
    return people


def strict(watch: Watch = WATCH) -> Watch:
    """Return limits by which a day is too much, and is made up for after a hundred."""
    return replace(watch, outage_percent=1.0)


async def test_promise_7_a_date_that_moves_moves_only_its_own_people(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await on_three_dates(a_ledger, a_clock)

    plan = await planned(a_ledger, typed(a_ledger), strict())

    assert (plan.refused, plan.due) == ((), 2)
    assert plan.terms.later == (to_micros(END),)
    (put_off,) = plan.postponed
    assert (put_off.people, put_off.date) == (1, END)
    assert [each.code for each in put_off.why] == ["outage"]
    assert put_off.seen.goes == put_off.why[0].until
    assert put_off.seen.goes > END + 60 * DAY
    assert plan.warnings[0].startswith("1 person of 1 date may have been unable to answer")
    assert "out of reach for 23.9 hours" in plan.warnings[1]
    assert plan.readings["postponed"] == [put_off.to_json()]
    assert [each["people"] for each in plan.readings["page"]["windows"]] == [1, 1]


async def test_promise_7_who_waits_for_the_same_date_waits_whatever_they_said(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    an, *_ = await on_three_dates(a_ledger, a_clock)
    await press(a_ledger, an, Answer.NO)
    sql = "DELETE FROM outbox"
    await a_ledger.write(lambda tx: tx.run(sql))

    assert (await planned(a_ledger, typed(a_ledger), strict())).by_reason == {"silent": 2}
    everybody = await planned(a_ledger, ordered(a_ledger, None), strict())
    assert everybody.by_reason == {"silent": 2, "opted_out": 1}
    assert (everybody.postponed, everybody.terms.later) == ((), ())


async def test_promise_7_an_accepted_outage_takes_them_in_but_not_on_a_schedule(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await on_three_dates(a_ledger, a_clock)
    accepting = ordered(a_ledger, None)

    typed_plan = await planned(a_ledger, accepting, strict())
    unattended = await planned(a_ledger, replace(accepting, is_scheduled=True), strict())

    assert (typed_plan.due, typed_plan.postponed, typed_plan.refused) == (3, (), ())
    assert (unattended.due, len(unattended.postponed)) == (2, 1)
    assert [each.code for each in unattended.refused] == ["untold"]


async def test_promise_7_where_nobody_is_left_the_purge_is_refused_for_all_of_them(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    _, *others = await on_three_dates(a_ledger, a_clock)
    for one in others:
        await press(a_ledger, one, Answer.YES)

    plan = await planned(a_ledger, typed(a_ledger), strict())

    assert [each.code for each in plan.refused] == ["outage"]
    assert (plan.due, plan.postponed, plan.terms.later) == (1, (), ())


async def test_promise_7_a_date_whose_people_are_all_held_back_is_judged_all_the_same(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A hold may end, or a mail leave, between the judgement and the manifest."""
    an, *_ = await on_three_dates(a_ledger, a_clock)
    await press(a_ledger, an, Answer.NO)  # the acknowledgement is owed

    plan = await planned(a_ledger, typed(a_ledger), strict())

    assert (plan.due, plan.postponed, plan.owed) == (2, (), 0)
    assert plan.terms.later == (to_micros(END),)
    assert not any("0 people" in text for text in plan.warnings)


async def test_promise_7_a_purge_freezes_by_what_it_judged_and_goes_on_by_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """It is killed, and goes on with its own terms, although the date is good by then."""
    an, *_ = await on_three_dates(a_ledger, a_clock)
    told = Told([], kill_at="sealing")
    with pytest.raises(Killed):
        await purge(a_ledger, typed(a_ledger), strict(), sign=signed, tell=told)
    kept = await a_ledger.read(erasing.unfinished_purge)
    assert kept is not None
    assert Terms.from_json(kept.terms).later == (to_micros(END),)

    plan = await planned(a_ledger, ordered(a_ledger, None))
    done = await purge(a_ledger, typed(a_ledger), WATCH, sign=signed, tell=lambda _: None)

    assert (plan.resumes, plan.terms.later, plan.postponed) == (True, (to_micros(END),), ())
    assert done.purged == 2
    (put_off,) = done.report["readings"]["postponed"]
    assert (put_off["people"], put_off["date"]) == (1, iso(END))
    assert await a_ledger.read(lambda tx: tx.rows("SELECT id FROM recipient")) == [(an,)]


async def test_promise_7_a_gap_is_seen_although_the_command_wrote_to_the_log_first(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    await on_record(a_ledger, up(NOW, END + DAY))
    await tell_two(a_ledger, NOW)
    before = datetime.fromisoformat(await a_ledger.read(erasing.latest_entry_at))
    a_clock.advance(ANSWER_TIME + DAY)
    await a_ledger.write(campaign.pause)
    await a_ledger.write(campaign.resume)

    assert await against(a_ledger, scheduled(a_ledger)) == {}
    watch = replace(WATCH, latest_entry=before)
    assert await against(a_ledger, scheduled(a_ledger), watch) == {"gap": None}
    plan = await planned(a_ledger, typed(a_ledger), watch)
    assert len(plan.warnings) == 1
    assert plan.readings["log"]["latest_entry"] == iso(before)


async def test_the_purge_of_a_closing_is_not_judged_for_what_only_dates_need(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Neither page, nor gap, nor links, nor places: nobody of those was asked."""
    await a_ledger.write(token_keys.note, "gone")
    one = await being_sent(a_ledger, "an")
    assert await settle(a_ledger, one, Standing.DEFERRED, try_at=NOW)
    await a_ledger.write(places.name_places, ["the shop"])
    a_clock.advance(ANSWER_TIME + 9 * DAY)
    order = typed(a_ledger)

    closing = replace(order, terms=replace(order.terms, reasons=BY_CLOSE))
    plan = await planned(a_ledger, closing)

    assert (plan.by_reason, plan.refused, plan.warnings) == ({"never_sent": 1}, (), ())
