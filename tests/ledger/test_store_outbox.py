"""What is owed besides the question: once, by rules that are looked at again, and never twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from repermit.domain.address import parse
from repermit.domain.provider import NO_CAPS, Cap, Caps
from repermit.domain.standing import Answer, Way
from repermit.errors import SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import to_micros
from repermit.ledger.store import (
    campaign,
    erasing,
    inbound,
    outbox,
    outbox_doubt,
    owing,
    suppression,
)
from repermit.ledger.store import caps as provider_caps
from repermit.ledger.store.due import counts, owed
from repermit.ledger.store.outbox import Owed, Settled, Standing
from repermit.ledger.store.owing import DataRequest, Kind
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    admit,
    ask,
    asked,
    deliver_outbox,
    press,
    terms,
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


def whose(owed: Owed) -> int:
    """Return whom a mail is about."""
    assert owed.recipient_id is not None
    return owed.recipient_id


async def take(ledger: Ledger, owner: str = "sender", caps: Caps = NO_CAPS) -> Owed | None:
    """Take what is due next, as a sender does once it is made; None when nothing is."""
    due = await ledger.read(outbox.next_due, caps)
    if due is None:
        return None
    owed = await ledger.read(outbox.look, due.id)
    if owed is None:
        assert await ledger.write(outbox.drop, due.id)
        return None
    assert await ledger.write(outbox.take, owner, owed, caps)
    return owed


async def taken(ledger: Ledger, clock: FakeClock, owner: str = "sender") -> Owed:
    """Return the acknowledgement of a no, claimed."""
    (an,) = await asked(ledger, AN)
    await press(ledger, an, Answer.NO)
    clock.advance(STOOD)
    owed = await take(ledger, owner)
    assert owed is not None
    return owed


async def ask_for_data(ledger: Ledger, recipient_id: int) -> DataRequest | None:
    return await ledger.write(owing.owe_data, recipient_id, language="nl")


@pytest.mark.parametrize("way", Way)
async def test_a_no_in_belgium_is_acknowledged_once_it_has_stood(
    a_ledger: Ledger, a_clock: FakeClock, way: Way
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO, way=way, language="fr")

    assert await take(a_ledger) is None
    a_clock.advance(STOOD)
    owed = await take(a_ledger)

    assert owed is not None
    assert (owed.kind, owed.recipient_id, owed.language) == (Kind.ACKNOWLEDGEMENT, an, "fr")
    assert (owed.address, owed.had_question) == (parse(AN), True)
    assert await a_ledger.write(outbox.settle, "sender", owed.id, SENT)
    assert await mails(a_ledger) == [("acknowledgement", "sent")]


async def test_promise_1_from_an_older_copy_nothing_is_taken(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)
    await a_ledger.write(lambda tx: tx.run("UPDATE campaign SET older_copy = TRUE"))

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
        await a_ledger.write(lambda tx: inbound.complained(tx, inbound.of_question(tx, an)))
    await press(a_ledger, an, Answer.NO)
    if not first:
        await a_ledger.write(lambda tx: inbound.complained(tx, inbound.of_question(tx, an)))
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


async def test_everything_that_is_held_is_owed_at_most_once_a_day(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """The day begins when it was sent, however long ago it was asked for."""
    (an,) = await asked(a_ledger, AN)
    assert await ask_for_data(a_ledger, an) is DataRequest.OWED
    a_clock.advance(timedelta(days=3))
    assert await ask_for_data(a_ledger, an) is DataRequest.ALREADY_OWED
    assert await deliver_outbox(a_ledger) == 1
    a_clock.advance(timedelta(hours=23))
    assert await ask_for_data(a_ledger, an) is DataRequest.SENT
    a_clock.advance(timedelta(hours=1))

    assert await ask_for_data(a_ledger, an) is DataRequest.OWED
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
    assert await ask_for_data(a_ledger, an) is DataRequest.ALREADY_OWED
    a_clock.advance(timedelta(hours=1))
    await a_ledger.write(outbox.settle, "sender", owed.id, Settled(standing, "550"))
    a_clock.advance(timedelta(hours=23))

    assert await ask_for_data(a_ledger, an) is DataRequest.TRIED
    a_clock.advance(timedelta(hours=1))
    assert await ask_for_data(a_ledger, an) is DataRequest.OWED


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
    first_try_at, again = a_clock.now(), a_clock.now() + timedelta(minutes=15)
    later = Settled(Standing.WAITING, "450", again)
    await a_ledger.write(outbox.settle, "sender", owed.id, later)
    assert await take(a_ledger) is None

    a_clock.advance(timedelta(minutes=15))

    assert await a_ledger.read(outbox.next_due) == outbox.Due(owed.id, 1, first_try_at)
    assert await take(a_ledger) == owed


async def test_what_cannot_be_made_waits_too_and_was_never_intended(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await ask_for_data(a_ledger, an)
    due = await a_ledger.read(outbox.next_due)
    assert due is not None
    again = a_clock.now() + timedelta(minutes=15)

    assert await a_ledger.write(
        outbox.put_off, due.id, Settled(Standing.WAITING, "not made", again)
    )

    assert await take(a_ledger) is None
    row = "SELECT standing, intent_at, attempts FROM outbox"
    assert await a_ledger.read(lambda tx: tx.one(row)) == ("waiting", None, 1)
    a_clock.advance(timedelta(minutes=15))
    assert await take(a_ledger) is not None
    assert not await a_ledger.write(outbox.put_off, due.id, Settled(Standing.FAILED, "not made"))


@pytest.mark.parametrize("change", ["yes", "erased", "language", "paused", "put_off", "taken"])
async def test_promise_1_only_what_is_owed_as_it_was_made_is_taken(
    a_ledger: Ledger, a_clock: FakeClock, change: str
) -> None:
    """Between the making and the taking anything may happen."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(STOOD)
    due = await a_ledger.read(outbox.next_due)
    assert due is not None
    owed = await a_ledger.read(outbox.look, due.id)
    assert owed is not None
    a_clock.advance(timedelta(minutes=1))

    match change:
        case "yes":
            await press(a_ledger, an, Answer.YES)
        case "erased":
            await a_ledger.write(erasing.erase_person, an)
        case "language":
            await press(a_ledger, an, Answer.NO, language="fr")
            a_clock.advance(STOOD)
        case "paused":
            await a_ledger.write(campaign.pause)
        case "put_off":
            later = Settled(Standing.WAITING, "not made", a_clock.now() + SOON)
            await a_ledger.write(outbox.put_off, due.id, later)
        case "taken":
            assert await a_ledger.write(outbox.take, "other", owed)

    assert not await a_ledger.write(outbox.take, "sender", owed)
    if change == "language":
        assert await take(a_ledger) == replace(owed, language="fr")


async def test_only_what_is_not_owed_is_dropped(a_ledger: Ledger, a_clock: FakeClock) -> None:
    owed = await taken(a_ledger, a_clock)
    assert not await a_ledger.write(outbox.drop, owed.id)
    later = Settled(Standing.WAITING, "450", a_clock.now())
    await a_ledger.write(outbox.settle, "sender", owed.id, later)
    assert not await a_ledger.write(outbox.drop, owed.id)
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, whose(owed), Answer.YES)

    assert await a_ledger.write(outbox.drop, owed.id)
    assert await mails(a_ledger) == [("acknowledgement", "dropped")]


async def test_a_provider_gets_no_more_than_its_share(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """What is owed counts with the questions; what the relay put off does not count."""
    caps: Caps = {"gmail": (Cap(2, 1),)}
    ids = await asked(a_ledger, "an@gmail.com", "jan@gmail.com", AN, "mia@gmail.com")
    a_clock.advance(timedelta(hours=1))  # the questions have had their share
    for each in ids:
        await ask_for_data(a_ledger, each)

    first = await take(a_ledger, caps=caps)
    second = await take(a_ledger, caps=caps)
    elsewhere = await take(a_ledger, caps=caps)
    none_left = await take(a_ledger, caps=caps)
    assert first is not None
    put_off = Settled(Standing.WAITING, "450", a_clock.now() + timedelta(hours=1))
    await a_ledger.write(outbox.settle, "sender", first.id, put_off)
    instead = await take(a_ledger, caps=caps)

    found = [each and each.recipient_id for each in (first, second, elsewhere, none_left, instead)]
    assert found == [ids[0], ids[1], ids[2], None, ids[3]]
    assert await a_ledger.read(provider_caps.rooms, caps) == {"gmail": 0}


async def test_promise_1_what_a_lost_sender_had_taken_is_never_sent_again(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await taken(a_ledger, a_clock, owner="lost")
    assert await a_ledger.read(outbox_doubt.owners) == ["lost"]

    assert await a_ledger.write(outbox_doubt.doubt, ["other"]) == 0
    assert await a_ledger.write(outbox_doubt.doubt, ["lost"]) == 1

    a_clock.advance(timedelta(days=9))
    assert await deliver_outbox(a_ledger) == 0
    assert await a_ledger.read(outbox.counts) == {"owed": 0, "doubtful": 1, "failed": 0}


async def test_whoever_takes_too_long_over_a_mail_has_lost_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    owed = await taken(a_ledger, a_clock)
    a_clock.advance(outbox.LEASE + SOON)

    assert await a_ledger.write(outbox_doubt.doubt, []) == 1
    assert not await a_ledger.write(outbox.settle, "sender", owed.id, SENT)


async def test_in_a_copy_that_was_put_back_everything_owed_is_doubtful(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Also what nobody had tried in the copy, which has no other moment than this one."""
    await taken(a_ledger, a_clock)
    (jan,) = await asked(a_ledger, JAN)
    await press(a_ledger, jan, Answer.NO)
    intended, restored = a_clock.now(), a_clock.now() + SOON
    a_clock.advance(SOON)

    assert await a_ledger.write(outbox_doubt.doubt_restored) == 2

    found = await a_ledger.read(outbox_doubt.doubtful, limit=9)
    assert [each.intent_at for each in found] == [intended, restored]
    assert await a_ledger.read(outbox_doubt.doubtful, after=found[0].id, limit=9) == found[1:]


async def doubtful(ledger: Ledger, clock: FakeClock) -> list[int]:
    """Return the ids of an acknowledgement and a data mail that are in doubt."""
    owed = await taken(ledger, clock)
    await ask_for_data(ledger, whose(owed))
    data = await take(ledger)
    assert data is not None
    await ledger.write(outbox_doubt.doubt, ["sender"])
    found = await ledger.read(outbox_doubt.doubtful, limit=9)
    kinds = [(each.id, each.kind) for each in found]
    assert kinds == [(owed.id, Kind.ACKNOWLEDGEMENT), (data.id, Kind.DATA)]
    return [owed.id, data.id]


async def test_what_a_person_takes_as_sent_is_in_the_log_as_that(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    first, _ = await doubtful(a_ledger, a_clock)
    assert await a_ledger.read(outbox_doubt.count_doubtful) == 2
    assert await a_ledger.read(outbox_doubt.count_doubtful, [first, 99]) == 1

    assert await a_ledger.write(outbox_doubt.decide_doubt, [first], resend=False) == 1
    assert await a_ledger.write(outbox_doubt.decide_doubt, [first], resend=False) == 0

    assert await mails(a_ledger) == [("acknowledgement", "sent"), ("data", "doubtful")]
    said = "SELECT payload FROM log WHERE kind = 'mailed'"
    payload = json.loads(await a_ledger.read(lambda tx: tx.value(said)))
    assert payload == {
        "recipient": 1,
        "mail": "acknowledgement",
        "language": "nl",
        "assumed": True,
    }
    assert (await verified(a_ledger)).holds


async def test_what_a_person_lets_leave_anew_is_owed_like_the_first_time(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await doubtful(a_ledger, a_clock)
    a_clock.advance(timedelta(days=9))

    assert await a_ledger.write(outbox_doubt.decide_doubt, ids, resend=True) == 2

    assert await a_ledger.read(outbox.next_due) == outbox.Due(ids[0], 0, None)
    assert await deliver_outbox(a_ledger) == 2


async def test_what_nobody_is_owed_any_more_does_not_leave_anew(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Who has said yes since, who has asked for their data again since, who is erased."""
    ids = await doubtful(a_ledger, a_clock)
    a_clock.advance(timedelta(days=9))
    await press(a_ledger, 1, Answer.YES)
    assert await ask_for_data(a_ledger, 1) is DataRequest.OWED
    assert await a_ledger.write(outbox_doubt.decide_doubt, ids, resend=True) == 2
    assert await deliver_outbox(a_ledger) == 1
    assert [standing for _, standing in await mails(a_ledger)] == ["dropped", "dropped", "sent"]

    (jan,) = await asked(a_ledger, JAN)
    await ask_for_data(a_ledger, jan)
    owed = await take(a_ledger)
    assert owed is not None
    await a_ledger.write(erasing.erase_person, jan)
    await a_ledger.write(outbox_doubt.doubt, ["sender"])
    assert await a_ledger.write(outbox_doubt.decide_doubt, [owed.id], resend=True) == 1
    assert await a_ledger.read(outbox.next_due) is None


async def test_what_no_relay_takes_is_given_up_after_some_days_and_some_tries(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Counted from the first time that it was tried, not from when it became owed; and however
    many days pass between the tries of a sender that runs rarely."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(timedelta(days=9))

    async def given_up(tries: int, between: timedelta) -> list[int]:
        gone = []
        for _ in range(tries):
            gone.append(await a_ledger.write(outbox.relay_was_away, give_up=timedelta(days=1)))
            a_clock.advance(between)
        return gone

    few = outbox.LEAST_TRIES - 1
    assert await given_up(few, timedelta(days=3)) == [0] * few
    assert await given_up(2, timedelta(days=3)) == [1, 0]
    assert await a_ledger.read(outbox.counts) == {"owed": 0, "doubtful": 0, "failed": 1}
    (jan,) = await asked(a_ledger, JAN)
    await press(a_ledger, jan, Answer.NO)
    a_clock.advance(STOOD)
    many = outbox.LEAST_TRIES * 2
    assert await given_up(many, timedelta(hours=1)) == [0] * many


async def due(ledger: Ledger) -> tuple[int, int]:
    """Return how many are due to be erased, and how many are held back."""
    now = ledger.clock.now()
    by_reason = await ledger.read(counts, terms(now))
    return sum(by_reason.values()), await ledger.read(owed, terms(now))


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
    await a_ledger.write(erasing.erase_person, whose(owed))

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
    await a_ledger.write(owing.owe_data, whose(owed), language="nl")
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
