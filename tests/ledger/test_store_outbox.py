"""What is owed besides the question: once, by rules that are looked at again, and never twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Way
from repermit.errors import SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import to_micros
from repermit.ledger.store import campaign, erasing, outbox, owing, suppression
from repermit.ledger.store.outbox import Owed, Settled, Standing
from repermit.ledger.store.owing import Kind, Request
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    admit,
    ask,
    asked,
    deliver_outbox,
    press,
    verified,
)

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"
STOOD = timedelta(seconds=10)
SOON = timedelta(seconds=1)
SENT = Settled(Standing.SENT, "250")


async def mails(ledger: Ledger) -> list[tuple[str, str]]:
    """Return the kind and the standing of every mail of the outbox."""
    rows = await ledger.read(lambda tx: tx.rows("SELECT kind, standing FROM outbox ORDER BY id"))
    return [tuple(row) for row in rows]


async def take(ledger: Ledger, owner: str = "sender") -> Owed | None:
    return await ledger.write(outbox.take, owner)


async def taken(ledger: Ledger, clock: FakeClock, owner: str = "sender") -> Owed:
    """Return the acknowledgement of a no, claimed."""
    (an,) = await asked(ledger, AN)
    await press(ledger, an, Answer.NO)
    clock.advance(STOOD)
    owed = await take(ledger, owner)
    assert owed is not None
    return owed


@pytest.mark.parametrize("way", Way)
async def test_a_no_in_belgium_is_acknowledged_once_it_has_stood(
    a_ledger: Ledger, a_clock: FakeClock, way: Way
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO, way=way, language="fr")

    assert not await a_ledger.read(outbox.is_due)
    assert await take(a_ledger) is None
    a_clock.advance(STOOD)
    owed = await take(a_ledger)

    assert owed is not None
    assert (owed.kind, owed.recipient_id, owed.language) == (Kind.ACKNOWLEDGEMENT, an, "fr")
    assert (owed.address.mailbox, owed.had_question, owed.attempts) == (AN, True, 0)
    assert await a_ledger.write(outbox.settle, "sender", owed.id, SENT)
    assert await mails(a_ledger) == [("acknowledgement", "sent")]


async def test_promise_1_from_an_older_copy_nothing_is_taken(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)
    await a_ledger.write(lambda tx: tx.run("UPDATE campaign SET older_copy = 1"))

    with pytest.raises(SendRefused, match="older copy"):
        await take(a_ledger)
    assert await mails(a_ledger) == [("acknowledgement", "waiting")]


@pytest.mark.parametrize("country", ["NL", "FR", "DE"])
async def test_elsewhere_none_is_owed(a_ledger: Ledger, country: str) -> None:
    (an,) = await admit(a_ledger, AN, country=country)
    await ask(a_ledger, an)
    await press(a_ledger, an, Answer.NO)

    assert await mails(a_ledger) == []


async def test_a_yes_owes_none(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES)

    assert await mails(a_ledger) == []


async def test_it_is_owed_once_for_ever(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """A later yes and no again does not give another."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)
    assert await deliver_outbox(a_ledger) == 1

    for answer in (Answer.YES, Answer.NO, Answer.NO):
        a_clock.advance(timedelta(minutes=1))
        await press(a_ledger, an, answer)
    a_clock.advance(timedelta(minutes=1))

    assert await deliver_outbox(a_ledger) == 0
    assert await mails(a_ledger) == [("acknowledgement", "sent")]


async def test_promise_5_a_void_no_is_not_acknowledged_and_the_next_lone_one_is(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(timedelta(seconds=4))
    await press(a_ledger, an, Answer.YES)
    a_clock.advance(timedelta(minutes=1))
    assert await deliver_outbox(a_ledger) == 0
    assert await mails(a_ledger) == [("acknowledgement", "dropped")]

    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)

    assert await deliver_outbox(a_ledger) == 1


async def test_a_no_that_is_pressed_again_must_stand_from_then_on(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """What may still be made void by a contrary press is not acknowledged yet."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD - SOON)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(SOON)

    assert await take(a_ledger) is None
    a_clock.advance(STOOD - SOON)
    assert await take(a_ledger) is not None


async def test_a_no_after_an_opt_out_elsewhere_is_acknowledged(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Nothing new is on file, but they said it here too."""
    (an,) = await asked(a_ledger, AN)
    await a_ledger.write(suppression.suppress, [parse(AN)], source="list", reason="")
    assert await mails(a_ledger) == []

    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)

    assert await deliver_outbox(a_ledger) == 1


@pytest.mark.parametrize("first", [True, False])
async def test_never_after_a_complaint(a_ledger: Ledger, a_clock: FakeClock, first: bool) -> None:
    """Whether the complaint came before the no, or before its acknowledgement left."""
    (an,) = await asked(a_ledger, AN)
    if first:
        await a_ledger.write(suppression.suppress, [parse(AN)], source="complaint", reason="")
    await press(a_ledger, an, Answer.NO)
    if not first:
        await a_ledger.write(suppression.suppress, [parse(AN)], source="complaint", reason="")
    a_clock.advance(STOOD)

    assert await deliver_outbox(a_ledger) == 0


async def test_none_leaves_while_the_campaign_is_paused(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)
    await a_ledger.write(campaign.pause)
    assert await take(a_ledger) is None

    await a_ledger.write(campaign.resume)

    assert await take(a_ledger) is not None


async def ask_for_data(ledger: Ledger, recipient_id: int) -> Request | None:
    return await ledger.write(owing.owe_data, recipient_id, language="nl")


async def test_everything_that_is_held_is_owed_at_most_once_a_day(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """The day begins when it was sent, however long ago it was asked for."""
    (an,) = await asked(a_ledger, AN)
    assert await ask_for_data(a_ledger, an) is Request.OWED
    a_clock.advance(timedelta(days=3))
    assert await ask_for_data(a_ledger, an) is Request.ALREADY_OWED
    assert await deliver_outbox(a_ledger) == 1
    a_clock.advance(timedelta(hours=23))
    assert await ask_for_data(a_ledger, an) is Request.SENT
    a_clock.advance(timedelta(hours=1))

    assert await ask_for_data(a_ledger, an) is Request.OWED
    assert await mails(a_ledger) == [("data", "sent"), ("data", "waiting")]
    assert await ask_for_data(a_ledger, 99) is None
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("standing", [Standing.DOUBTFUL, Standing.FAILED])
async def test_what_was_tried_within_a_day_is_not_tried_again_for_whoever_presses(
    a_ledger: Ledger, a_clock: FakeClock, standing: Standing
) -> None:
    (an,) = await asked(a_ledger, AN)
    await ask_for_data(a_ledger, an)
    owed = await take(a_ledger)
    assert owed is not None
    assert await ask_for_data(a_ledger, an) is Request.ALREADY_OWED
    a_clock.advance(timedelta(hours=1))
    await a_ledger.write(outbox.settle, "sender", owed.id, Settled(standing, "550"))
    a_clock.advance(timedelta(hours=23))

    assert await ask_for_data(a_ledger, an) is Request.TRIED
    a_clock.advance(timedelta(hours=1))
    assert await ask_for_data(a_ledger, an) is Request.OWED


async def test_who_said_no_still_gets_what_they_ask_for(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    await a_ledger.write(owing.owe_data, an, language="nl")

    assert await deliver_outbox(a_ledger) == 1


async def test_promise_1_two_senders_never_take_the_same_mail(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await asked(a_ledger, AN, JAN)
    for each in ids:
        await press(a_ledger, each, Answer.NO)
    a_clock.advance(STOOD)

    found = [await take(a_ledger, owner) for owner in ("one", "two", "three")]

    assert [one and one.recipient_id for one in found] == [*ids, None]


async def test_only_who_took_a_mail_settles_it_and_once(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    owed = await taken(a_ledger, a_clock)

    assert not await a_ledger.write(outbox.settle, "other", owed.id, SENT)
    assert await a_ledger.write(outbox.settle, "sender", owed.id, SENT)
    assert not await a_ledger.write(outbox.settle, "sender", owed.id, SENT)


async def test_what_is_put_off_waits_for_its_time(a_ledger: Ledger, a_clock: FakeClock) -> None:
    owed = await taken(a_ledger, a_clock)
    again = a_clock.now() + timedelta(minutes=15)
    later = Settled(Standing.WAITING, "450", again)
    await a_ledger.write(outbox.settle, "sender", owed.id, later)
    assert await take(a_ledger) is None

    a_clock.advance(timedelta(minutes=15))
    tried = await take(a_ledger)

    assert tried is not None
    assert (tried.attempts, tried.first_try_at) == (1, owed.first_try_at)


async def test_promise_1_what_a_lost_sender_had_taken_is_never_sent_again(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await taken(a_ledger, a_clock, owner="lost")
    assert await a_ledger.read(outbox.owners) == ["lost"]

    assert await a_ledger.write(outbox.doubt, ["other"]) == 0
    assert await a_ledger.write(outbox.doubt, ["lost"]) == 1

    a_clock.advance(timedelta(days=9))
    assert await deliver_outbox(a_ledger) == 0
    assert await a_ledger.read(outbox.counts) == {"owed": 0, "doubtful": 1, "failed": 0}


async def test_whoever_takes_too_long_over_a_mail_has_lost_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    owed = await taken(a_ledger, a_clock)
    a_clock.advance(outbox.LEASE + SOON)

    assert await a_ledger.write(outbox.doubt, []) == 1
    assert not await a_ledger.write(outbox.settle, "sender", owed.id, SENT)


async def test_in_a_copy_that_was_put_back_everything_owed_is_doubtful(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await taken(a_ledger, a_clock)
    (jan,) = await asked(a_ledger, JAN)
    await press(a_ledger, jan, Answer.NO)

    assert await a_ledger.write(outbox.doubt_restored) == 2


async def test_what_no_relay_takes_is_given_up(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Counted from the first time that it was tried, not from when it became owed."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(timedelta(days=9))
    day = timedelta(days=1)

    gone = []
    for _ in range(3):
        gone.append(await a_ledger.write(outbox.relay_was_away, give_up=day))
        a_clock.advance(timedelta(hours=12))

    assert gone == [0, 0, 1]
    assert await a_ledger.read(outbox.counts) == {"owed": 0, "doubtful": 0, "failed": 1}


async def due(ledger: Ledger) -> tuple[int, int]:
    """Return how many are due to be erased, and how many are held back."""
    now = ledger.clock.now()
    by_reason = await ledger.read(erasing.due_by_reason, now)
    return sum(by_reason.values()), await ledger.read(erasing.held, now)


@pytest.mark.parametrize("state", ["waiting", "claimed"])
async def test_who_is_owed_a_mail_is_not_purged_before(
    a_ledger: Ledger, a_clock: FakeClock, state: str
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(ANSWER_TIME)
    assert await due(a_ledger) == (0, 1)
    owed = await take(a_ledger) if state == "claimed" else None
    assert await due(a_ledger) == (0, 1)

    if owed is None:
        await deliver_outbox(a_ledger)
    else:
        await a_ledger.write(outbox.settle, "sender", owed.id, SENT)

    assert await due(a_ledger) == (1, 0)


@pytest.mark.parametrize("standing", [Standing.DOUBTFUL, Standing.FAILED])
async def test_what_will_not_be_sent_any_more_holds_nobody_back(
    a_ledger: Ledger, a_clock: FakeClock, standing: Standing
) -> None:
    owed = await taken(a_ledger, a_clock)
    await a_ledger.write(outbox.settle, "sender", owed.id, Settled(standing, "550"))
    a_clock.advance(ANSWER_TIME)

    assert await due(a_ledger) == (1, 0)


async def test_a_void_no_holds_nobody_back(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    await press(a_ledger, an, Answer.YES)
    a_clock.advance(ANSWER_TIME)

    assert await due(a_ledger) == (1, 0)


async def test_who_waits_for_their_data_is_held_back(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (an,) = await asked(a_ledger, AN)
    await a_ledger.write(owing.owe_data, an, language="nl")
    a_clock.advance(ANSWER_TIME)

    assert await due(a_ledger) == (0, 1)


def names(tx: Transaction) -> Sequence[tuple[int | None, str]]:
    return [tuple(row) for row in tx.rows("SELECT recipient_id, standing FROM outbox ORDER BY id")]


async def test_promise_8_of_who_is_erased_the_outbox_keeps_only_that_a_mail_left(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)
    await deliver_outbox(a_ledger)
    await a_ledger.write(owing.owe_data, an, language="nl")
    await press(a_ledger, jan, Answer.NO)

    assert await a_ledger.write(erasing.erase_person, an)

    assert await a_ledger.read(names) == [(None, "sent"), (jan, "waiting")]
    assert (await verified(a_ledger)).holds


async def test_who_is_erased_while_their_mail_leaves_stays_erased(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    owed = await taken(a_ledger, a_clock)
    await a_ledger.write(erasing.erase_person, owed.recipient_id)

    assert await a_ledger.write(outbox.settle, "sender", owed.id, SENT)
    assert await a_ledger.read(names) == [(None, "sent")]
    assert (await verified(a_ledger)).holds


async def test_a_mail_whose_recipient_is_nobody_is_dropped(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await taken(a_ledger, a_clock)
    await a_ledger.write(
        lambda tx: tx.run("UPDATE outbox SET standing = 'waiting', recipient_id = NULL")
    )

    assert await take(a_ledger) is None
    assert await mails(a_ledger) == [("acknowledgement", "dropped")]


async def test_promise_10_what_the_relay_took_is_in_the_log(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    owed = await taken(a_ledger, a_clock)
    await a_ledger.write(outbox.settle, "sender", owed.id, SENT)
    await a_ledger.write(owing.owe_data, owed.recipient_id, language="nl")
    kinds = await a_ledger.read(
        lambda tx: tx.rows('SELECT kind, recipient_id FROM log ORDER BY "index" DESC LIMIT 2')
    )

    assert kinds == [("requested", owed.recipient_id), ("mailed", owed.recipient_id)]
    assert (await verified(a_ledger)).holds


async def test_a_mail_changes_nobodys_standing(a_ledger: Ledger, a_clock: FakeClock) -> None:
    owed = await taken(a_ledger, a_clock)
    before = await a_ledger.read(lambda tx: tx.rows("SELECT * FROM recipient"))
    await a_ledger.write(outbox.settle, "sender", owed.id, Settled(Standing.FAILED, "550"))

    assert await a_ledger.read(lambda tx: tx.rows("SELECT * FROM recipient")) == before
    figures = await a_ledger.read(campaign.figures)
    assert figures.outbox == {"owed": 0, "doubtful": 0, "failed": 1}
    settled_at = await a_ledger.read(lambda tx: tx.value("SELECT settled_at FROM outbox"))
    assert settled_at == to_micros(a_clock.now())
