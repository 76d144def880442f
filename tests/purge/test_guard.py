"""The guard over a real ledger: what is on record decides."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from repermit.domain.standing import Answer
from repermit.errors import PurgeRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import to_micros
from repermit.ledger.log import canonical
from repermit.ledger.store import campaign, extending, places, probing, token_keys
from repermit.ledger.store.probing import Looked, Vantage
from repermit.purge import guard
from repermit.purge.guard import Watch
from repermit.purge.plan import Order, Plan
from repermit.purge.run import purge
from tests.builders import ANSWER_TIME, NOW, FakeClock, asked, begin_purge, press, terms
from tests.purge.builders import DUE, fill, ordered, signed
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
    said = json.dumps({"about": "purge"})
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
    failed = Looked(NOW + DAY, NOW + DAY + HOUR, 9, Vantage.HERE, "refused")
    again = NOW + DAY + 4 * HOUR
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
    await a_ledger.write(probing.note, "certificate", Vantage.SERVER)
    a_clock.advance(5 * HOUR)
    await a_ledger.write(probing.note, "", Vantage.SERVER)

    assert await against(a_ledger, typed(a_ledger)) == {
        "outage": END + 5 * HOUR,
        "last_hours": END + DAY,
    }


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
    await on_record(a_ledger, up(NOW, NOW + DAY), up(NOW + 2 * DAY, END + 2 * DAY))
    sql = "INSERT INTO probe (since, until, probes, vantage, code) VALUES (?, ?, 1, 'here', 'name')"
    begin = to_micros(NOW + DAY)
    await a_ledger.write(lambda tx: tx.run(sql, begin, begin))
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
