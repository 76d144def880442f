"""What came back moves: bounces, reports, complaints and a no by mail, and what they count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from repermit.domain.provider import NO_CAPS, Cap
from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import (
    caps,
    handled,
    inbound,
    outbox,
    outbox_doubt,
    owing,
    returns,
    sending,
    stretches,
    suppression,
    waves,
)
from repermit.ledger.store.caps import Day
from repermit.ledger.store.inbound import Effect, Reported
from repermit.ledger.store.stretches import Outcome
from repermit.ledger.transaction import Transaction
from tests.builders import (
    FakeClock,
    admit,
    asked,
    begin_purge,
    claim,
    deliver_outbox,
    press,
    settle,
    standings,
    verified,
)

GMAIL = "somebody@gmail.com"


def reading_for(language: str | None, country: str | None) -> str:
    return language or f"of {country}"


async def bounced(ledger: Ledger, recipient_id: int, status: str = "5.1.1") -> Effect:
    return await ledger.write(inbound.bounced, Reported(recipient_id), status)


async def delivered(ledger: Ledger, recipient_id: int, status: str = "2.0.0") -> Effect:
    return await ledger.write(inbound.delivered, Reported(recipient_id), status)


async def complained(ledger: Ledger, recipient_id: int) -> Effect:
    return await ledger.write(inbound.complained, Reported(recipient_id))


async def refused_us(ledger: Ledger, recipient_id: int, status: str = "5.7.26") -> Effect:
    return await ledger.write(inbound.refused_us, Reported(recipient_id), status)


async def says_no(ledger: Ledger, recipient_id: int) -> Effect:
    return await ledger.write(
        inbound.said_no, Reported(recipient_id), source="reply", language_of=reading_for
    )


async def at(ledger: Ledger, standing: str, mailbox: str = GMAIL) -> int:
    """Return a recipient who stands there, on the way that leads to it."""
    (one,) = await admit(ledger, mailbox)
    if standing == "listed":
        return one
    await claim(ledger, one)
    if standing == "claimed":
        return one
    if standing in ("opted_in", "opted_out"):
        await settle(ledger, one, Standing.ASKED)
        await press(ledger, one, Answer.YES if standing == "opted_in" else Answer.NO)
    else:
        await settle(ledger, one, Standing(standing), reply="550 5.1.1")
    return one


async def value(ledger: Ledger, sql: str, *values: Any) -> Any:
    return await ledger.read(lambda tx: tx.value(sql, *values))


async def day(ledger: Ledger, provider: str = "gmail") -> Day:
    return (await ledger.read(caps.last_day)).get(provider, Day())


# ── Bounces and deliveries ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("standing", "effect", "after"),
    [
        ("asked", Effect.MOVED, "undeliverable"),
        ("doubtful", Effect.MOVED, "undeliverable"),
        ("claimed", Effect.LEAVING, "claimed"),
        ("listed", Effect.NOTHING, "listed"),
        ("deferred", Effect.NOTHING, "deferred"),
        ("undeliverable", Effect.NOTHING, "undeliverable"),
        ("opted_in", Effect.NOTHING, "opted_in"),
        ("opted_out", Effect.NOTHING, "opted_out"),
    ],
)
async def test_a_bounce_moves_only_who_has_a_mail_and_has_not_answered(
    a_ledger: Ledger, standing: str, effect: Effect, after: str
) -> None:
    one = await at(a_ledger, standing)
    before = (await a_ledger.read(stretches.outcomes)).undeliverable
    assert (await day(a_ledger)).hard == before
    assert await bounced(a_ledger, one) is effect

    assert await standings(a_ledger) == {one: after}
    count = (await a_ledger.read(stretches.outcomes)).undeliverable
    assert count - before == (effect is Effect.MOVED)
    assert (await day(a_ledger)).hard == count
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize(
    ("standing", "effect", "after"),
    [
        ("doubtful", Effect.MOVED, "asked"),
        ("claimed", Effect.LEAVING, "claimed"),
        ("asked", Effect.NOTHING, "asked"),
        ("undeliverable", Effect.NOTHING, "undeliverable"),  # the relay itself refused it
        ("opted_in", Effect.NOTHING, "opted_in"),
    ],
)
async def test_a_delivery_report_says_that_a_doubtful_mail_has_left(
    a_ledger: Ledger, standing: str, effect: Effect, after: str
) -> None:
    one = await at(a_ledger, standing)
    assert await delivered(a_ledger, one) is effect

    assert await standings(a_ledger) == {one: after}
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("status", ["5.1.1", "5.7.1", ""])
async def test_reports_err_and_what_a_later_one_says_is_taken_back_whole(
    a_ledger: Ledger, a_clock: FakeClock, status: str
) -> None:
    """Whatever the code, the report had called it dead."""
    one = await at(a_ledger, "asked")
    await bounced(a_ledger, one, status)
    assert (await a_ledger.read(stretches.outcomes)).since_look.bounces == 1
    a_clock.advance(timedelta(hours=2))
    assert await delivered(a_ledger, one) is Effect.MOVED

    assert await standings(a_ledger) == {one: "asked"}
    outcomes = await a_ledger.read(stretches.outcomes)
    assert (outcomes.since_look.bounces, outcomes.undeliverable) == (0, 0)
    assert (await day(a_ledger)).hard == 0
    reply = await value(a_ledger, "SELECT relay_reply FROM recipient")
    assert reply == "delivered 2.0.0"
    assert (await verified(a_ledger)).holds


async def test_who_bounced_can_still_answer(a_ledger: Ledger) -> None:
    one = await at(a_ledger, "asked")
    await bounced(a_ledger, one)
    await press(a_ledger, one, Answer.YES)

    assert await bounced(a_ledger, one) is Effect.NOTHING
    assert await standings(a_ledger) == {one: "opted_in"}
    assert (await verified(a_ledger)).holds


async def test_what_is_about_nobody_does_nothing(a_ledger: Ledger) -> None:
    """They are purged, were never there, or it was a test mail."""
    nobody = await a_ledger.read(inbound.of_question, 4711)
    for part in (inbound.bounced, inbound.delivered, inbound.refused_us):
        assert await a_ledger.write(part, nobody, "5.1.1") is Effect.NOTHING
    assert await a_ledger.write(inbound.put_off, nobody) is Effect.NOTHING
    assert await complained(a_ledger, nobody.recipient_id) is Effect.NOTHING
    assert await says_no(a_ledger, nobody.recipient_id) is Effect.NOTHING
    assert await a_ledger.write(suppression.opt_out, 4711, source="reply") is None

    assert await value(a_ledger, "SELECT count(*) FROM provider_hour") == 0
    assert await value(a_ledger, "SELECT stopped_at FROM campaign") is None


async def test_a_bounce_of_whom_a_restored_copy_never_saw_leave_counts_for_no_stretch(
    a_ledger: Ledger,
) -> None:
    one = await at(a_ledger, "doubtful")
    await a_ledger.write(lambda tx: tx.run("UPDATE recipient SET stretch = NULL"))
    assert await bounced(a_ledger, one) is Effect.MOVED
    assert (await a_ledger.read(stretches.outcomes)).undeliverable == 0


# ── Mails of the outbox ──────────────────────────────────────────────────────────────────────────


async def owe(ledger: Ledger, recipient_id: int) -> int:
    await ledger.write(owing.owe_data, recipient_id, language="nl")
    return int(await value(ledger, "SELECT max(id) FROM outbox"))


async def take(ledger: Ledger) -> None:
    def part(tx: Transaction) -> None:
        due = outbox.next_due(tx)
        owed = outbox.look(tx, due.id) if due else None
        assert owed
        assert outbox.take(tx, "sender", owed)

    await ledger.write(part)


async def test_a_mail_of_the_outbox_that_bounced_has_failed_and_moves_nobody(
    a_ledger: Ledger,
) -> None:
    one = await at(a_ledger, "asked")
    mail = await a_ledger.read(inbound.of_owed, await owe(a_ledger, one))
    assert mail == Reported(one, 1)
    assert await a_ledger.write(inbound.bounced, mail, "5.1.1") is Effect.NOTHING  # not out yet
    await take(a_ledger)
    assert await a_ledger.write(inbound.bounced, mail, "5.1.1") is Effect.LEAVING
    assert await a_ledger.write(inbound.delivered, mail, "") is Effect.LEAVING
    await a_ledger.write(outbox.settle, "sender", 1, outbox.Settled(outbox.Standing.SENT, "250"))
    assert await a_ledger.write(inbound.delivered, mail, "") is Effect.NOTHING
    assert await a_ledger.write(inbound.bounced, mail, "5.1.1") is Effect.MOVED

    assert await standings(a_ledger) == {one: "asked"}
    assert await a_ledger.read(outbox.counts) == {"owed": 0, "doubtful": 0, "failed": 1}
    assert await value(a_ledger, "SELECT relay_reply FROM outbox") == "bounced 5.1.1"


async def test_a_doubtful_mail_of_the_outbox_has_left_when_a_report_says_so(
    a_ledger: Ledger,
) -> None:
    one = await at(a_ledger, "asked")
    number = await owe(a_ledger, one)
    await take(a_ledger)
    await a_ledger.write(outbox_doubt.doubt, ["sender"])
    assert await a_ledger.write(inbound.delivered, Reported(one, number), "") is Effect.MOVED
    assert await value(a_ledger, "SELECT standing FROM outbox") == "sent"
    assert (await verified(a_ledger)).holds


async def test_a_mail_of_the_outbox_names_its_recipient_as_long_as_they_are_there(
    a_ledger: Ledger,
) -> None:
    assert await a_ledger.read(inbound.of_owed, 4711) == Reported(inbound.NOBODY)
    await at(a_ledger, "opted_out")
    assert await a_ledger.read(inbound.of_owed, 1) == Reported(1, 1)
    await a_ledger.write(lambda tx: tx.run("UPDATE outbox SET recipient_id = NULL"))
    assert await a_ledger.read(inbound.of_owed, 1) == Reported(inbound.NOBODY, 1)


# ── Complaints and noes ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("standing", ["claimed", "asked", "doubtful", "undeliverable", "opted_in"])
async def test_a_complaint_opts_out_whoever_had_a_mail(a_ledger: Ledger, standing: str) -> None:
    one = await at(a_ledger, standing)
    assert await complained(a_ledger, one) is Effect.MOVED
    assert await complained(a_ledger, one) is Effect.NOTHING

    assert await standings(a_ledger) == {one: "opted_out"}
    assert await value(a_ledger, "SELECT source FROM suppression") == "complaint"
    assert await value(a_ledger, "SELECT count(*) FROM outbox") == 0
    assert (await day(a_ledger)).complaints == 1
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("source", ["answer", "list", "elsewhere"])
async def test_a_complaint_outweighs_whatever_had_suppressed_them(
    a_ledger: Ledger, source: str
) -> None:
    one = await at(a_ledger, "asked")
    if source == "answer":
        await press(a_ledger, one, Answer.NO)
        assert await value(a_ledger, "SELECT standing FROM outbox") == "waiting"
    else:
        hashed = a_ledger.vault.suppression(GMAIL)
        await a_ledger.write(suppression.suppress_hashes, [hashed], source=source, reason="")
    assert await complained(a_ledger, one) is Effect.MOVED

    await says_no(a_ledger, one)
    await press(a_ledger, one, Answer.NO)
    assert await value(a_ledger, "SELECT count(*) FROM outbox WHERE standing = 'waiting'") == 0
    assert (await a_ledger.read(waves.state)).complaints == 1


async def test_a_yes_after_a_complaint_counts_and_so_does_another_complaint(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one = await at(a_ledger, "asked")
    await complained(a_ledger, one)
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, one, Answer.YES)
    assert await standings(a_ledger) == {one: "opted_in"}
    assert await complained(a_ledger, one) is Effect.MOVED
    assert await standings(a_ledger) == {one: "opted_out"}
    assert (await day(a_ledger)).complaints == 2
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("standing", ["listed", "claimed", "asked", "undeliverable", "opted_in"])
async def test_a_no_by_mail_opts_out_and_is_acknowledged_in_their_language(
    a_ledger: Ledger, a_clock: FakeClock, standing: str
) -> None:
    """Of whom no mail has left there can be none; if there is, it counts."""
    one = await at(a_ledger, standing)
    assert await says_no(a_ledger, one) is Effect.MOVED
    assert await says_no(a_ledger, one) is Effect.NOTHING

    assert await standings(a_ledger) == {one: "opted_out"}
    assert await value(a_ledger, "SELECT source FROM suppression") == "reply"
    assert await value(a_ledger, "SELECT language FROM outbox") == "nl"
    a_clock.advance(timedelta(minutes=1))
    assert await deliver_outbox(a_ledger) == 1
    assert (await verified(a_ledger)).holds


async def test_no_void_press_brings_back_what_was_before_a_no_by_mail(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one = await at(a_ledger, "asked")
    await press(a_ledger, one, Answer.NO)
    await says_no(a_ledger, one)
    a_clock.advance(timedelta(seconds=3))
    await press(a_ledger, one, Answer.YES)

    assert await standings(a_ledger) == {one: "opted_out"}
    assert (await verified(a_ledger)).holds


async def test_a_no_by_mail_ends_the_doubt_about_void_presses(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """They stood at opted_out before the void presses, and after them."""
    one = await at(a_ledger, "opted_out")
    a_clock.advance(timedelta(minutes=1))
    for answer in (Answer.YES, Answer.NO):
        await press(a_ledger, one, answer)
    assert await value(a_ledger, "SELECT suspect FROM recipient") == 1
    await says_no(a_ledger, one)

    assert await value(a_ledger, "SELECT suspect FROM recipient") == 0
    assert (await verified(a_ledger)).holds


async def test_an_address_that_is_nobodys_or_none_is_nobody(a_ledger: Ledger) -> None:
    one = await at(a_ledger, "asked")
    assert await a_ledger.read(inbound.whose_address, GMAIL.upper()) == one
    assert await a_ledger.read(inbound.whose_address, "else@gmail.com") is None
    assert await a_ledger.read(inbound.whose_address, "no address") is None


# ── Because of us ────────────────────────────────────────────────────────────────────────────────


async def test_a_mail_that_came_back_because_of_us_stops_the_sending_and_moves_nobody(
    a_ledger: Ledger,
) -> None:
    one, two = await asked(a_ledger, GMAIL, "other@gmail.com")
    assert await refused_us(a_ledger, one) is Effect.MOVED
    assert await refused_us(a_ledger, two) is Effect.NOTHING

    assert await standings(a_ledger) == {one: "asked", two: "asked"}
    state = await a_ledger.read(waves.state)
    assert state.stopped_for == {
        "code": "about_us",
        "wave": 0,
        "mails": 2,
        "count": 1,
        "provider": "gmail",
        "status": "5.7.26",
    }
    assert (await day(a_ledger)).about_us == 2
    await admit(a_ledger, "next@gmail.com")
    reserved = await a_ledger.write(
        sending.reserve, "sender", approved_size=10**9, limit=5, caps=NO_CAPS
    )
    assert reserved == []
    assert (await verified(a_ledger)).holds


async def test_after_a_look_it_stops_again_once_as_many_came_as_had_been_seen(
    a_ledger: Ledger,
) -> None:
    """Seen 1: the next one; seen 2: two more; seen 4: four more."""
    people = await asked(a_ledger, *(f"person{number}@gmail.com" for number in range(8)))
    stops = []
    for number, one in enumerate(people, 1):
        if await refused_us(a_ledger, one) is Effect.MOVED:
            stops.append(number)
            assert await a_ledger.write(waves.look, by="An")
    assert stops == [1, 2, 4, 8]


async def test_one_recipient_stops_the_sending_once_however_many_reports_they_make(
    a_ledger: Ledger,
) -> None:
    one = await at(a_ledger, "asked")
    assert await refused_us(a_ledger, one) is Effect.MOVED
    assert await a_ledger.write(waves.look, by="An")

    assert {await refused_us(a_ledger, one) for _ in range(9)} == {Effect.NOTHING}

    assert (await day(a_ledger)).about_us == 1
    assert (await a_ledger.read(waves.state)).stopped_for is None
    assert await refused_us(a_ledger, await at(a_ledger, "asked", "b@gmail.com")) is Effect.MOVED


async def test_a_recipient_counts_as_put_off_once_a_day(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one = await at(a_ledger, "asked")
    for _ in range(3):
        await a_ledger.write(inbound.put_off, Reported(one))
    assert (await day(a_ledger)).temporary == 1
    a_clock.advance(timedelta(days=1))
    await a_ledger.write(inbound.put_off, Reported(one))
    assert await value(a_ledger, "SELECT sum(temporary) FROM provider_hour") == 2
    assert (await a_ledger.read(returns.returns)).read == 0


async def test_a_look_where_no_wave_has_begun_lets_go_on_what_was_stopped(
    a_ledger: Ledger,
) -> None:
    assert not await a_ledger.write(waves.look, by="An")
    await refused_us(a_ledger, await at(a_ledger, "asked"))
    assert await a_ledger.write(waves.look, by="An")
    assert (await a_ledger.read(waves.state)).stopped_for is None
    assert (await verified(a_ledger)).holds


# ── Counts by provider and hour ──────────────────────────────────────────────────────────────────


async def test_what_comes_back_is_counted_for_its_provider_in_the_hour_in_which_it_came(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    first, other = await asked(a_ledger, GMAIL, "a@people.example")
    await a_ledger.write(inbound.put_off, Reported(first))
    await a_ledger.write(inbound.put_off, Reported(other))
    await bounced(a_ledger, first)
    await complained(a_ledger, other)
    assert await day(a_ledger) == Day(mails=1, hard=1, temporary=1, new_hard=1, week_mails=1)
    found = await day(a_ledger, caps.OTHERS)
    assert found == Day(mails=1, temporary=1, complaints=1, new_complaints=1, week_mails=1)

    await a_ledger.write(caps.look)
    assert await day(a_ledger) == Day(mails=1, hard=1, temporary=1, week_mails=1)
    a_clock.advance(timedelta(hours=25))
    assert await a_ledger.read(caps.last_day) == {}


async def test_what_comes_back_late_is_compared_with_the_mails_of_a_week(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    first, second = await asked(a_ledger, GMAIL, "second@gmail.com")
    a_clock.advance(timedelta(days=6))
    await bounced(a_ledger, first)
    assert await day(a_ledger) == Day(hard=1, new_hard=1, week_mails=2)
    a_clock.advance(timedelta(days=2))
    await bounced(a_ledger, second)
    assert await day(a_ledger) == Day(hard=1, new_hard=1)


async def test_what_a_person_had_seen_and_was_taken_back_hides_nothing_that_comes_later(
    a_ledger: Ledger,
) -> None:
    first, second = await asked(a_ledger, GMAIL, "second@gmail.com")
    await bounced(a_ledger, first)
    for look in (stretches.look, caps.look):
        await a_ledger.write(look)
    await a_ledger.write(inbound.delivered, Reported(first), "2.0.0")

    await bounced(a_ledger, second)

    assert (await day(a_ledger)).new_hard == 1
    assert (await a_ledger.read(stretches.outcomes)).before_look == Outcome(2, 1)


async def test_no_cap_is_touched_by_what_comes_back(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, GMAIL)
    await bounced(a_ledger, one)
    await complained(a_ledger, one)
    rooms = await a_ledger.read(caps.rooms, {"gmail": (Cap(3, 24),)})
    assert rooms == {"gmail": 2}


async def test_a_mail_that_the_relay_put_off_is_counted_for_nobody(a_ledger: Ledger) -> None:
    await at(a_ledger, "deferred", "a@people.example")
    assert (await day(a_ledger, caps.OTHERS)).mails == 0


async def test_a_notice_to_the_operator_is_counted_for_no_provider(a_ledger: Ledger) -> None:
    notice = owing.Notice("purge", "once", "A purge", ["text"], "00")
    for word in (outbox.Standing.WAITING, outbox.Standing.SENT):
        await a_ledger.write(owing.owe_notice, "an@org.example", notice, language="nl")
        await take(a_ledger)
        await a_ledger.write(outbox.settle, "sender", 1, outbox.Settled(word, "451"))
    assert await a_ledger.read(caps.last_day) == {}


# ── Once, and whole ──────────────────────────────────────────────────────────────────────────────


async def test_a_handled_message_is_known_and_the_way_in_was_read(a_ledger: Ledger) -> None:
    assert await a_ledger.read(handled.outcome_of, b"1") is None
    for digest, kind, outcome in ((b"1", "hard", "settled"), (b"2", "hard", "forged")):
        await a_ledger.write(handled.note, digest, kind=kind, outcome=outcome)
    assert await a_ledger.read(handled.outcome_of, b"1") == "settled"

    found = await a_ledger.read(returns.returns)
    assert (found.read, found.last) == (2, a_ledger.clock.now())
    assert (found.kinds, found.strange) == ({"hard": 1}, {"forged": 1})


async def test_the_mail_that_tries_whether_bounces_come_back_is_seen(a_ledger: Ledger) -> None:
    await a_ledger.write(lambda tx: tx.run("UPDATE campaign SET bounce_check = 7"))
    await a_ledger.write(inbound.note_check, 6, kind="hard", status="")
    assert await value(a_ledger, "SELECT bounce_seen_at FROM campaign") is None
    await a_ledger.write(inbound.note_check, 7, kind="hard", status="")
    assert await value(a_ledger, "SELECT bounce_seen_at FROM campaign") is not None


async def test_a_bounce_of_somebody_purged_moves_nobody(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    one = await at(a_ledger, "asked")
    a_clock.advance(timedelta(days=32))
    assert (await begin_purge(a_ledger)).due == 1
    await a_ledger.write(lambda tx: tx.run("DELETE FROM recipient"))
    assert await a_ledger.read(inbound.of_question, one) == Reported(inbound.NOBODY)
    assert await bounced(a_ledger, one) is Effect.NOTHING


async def test_a_notice_that_came_back_is_owed_anew_at_most_once_a_day(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A schedule that looks every hour does not mail a dead address every hour."""
    notice = owing.Notice("purge", "once", "A purge", ["text"], "00")

    async def owe_it() -> bool:
        return await a_ledger.write(owing.owe_notice, "an@org.example", notice, language="nl")

    assert await owe_it()
    await deliver_outbox(a_ledger)
    mail = await a_ledger.read(inbound.of_owed, 1)
    assert await a_ledger.write(inbound.refused_us, mail, "5.7.1") is Effect.NOTHING
    assert await a_ledger.write(inbound.bounced, mail, "5.1.1") is Effect.MOVED
    assert not await owe_it()
    a_clock.advance(timedelta(hours=25))
    assert await owe_it()
