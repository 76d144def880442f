"""Waves and caps: who may be reserved, who may leave, and what is counted."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from repermit.domain.provider import NO_CAPS, Cap, Caps
from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import (
    caps,
    erasing,
    leases,
    sending,
    stretches,
    suppression,
    waiting,
    waves,
)
from repermit.ledger.store.sending import Intent, Reserved, Settlement
from repermit.ledger.store.stretches import Outcome, Outcomes
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    EVERYTHING,
    MAIL,
    FakeClock,
    admit,
    ask,
    bounce,
    claim,
    press,
    settle,
    standings,
    verified,
)

GMAIL: Caps = {"gmail": (Cap(3, 24),)}


def people(count: int, domain: str = "people.example") -> list[str]:
    return [f"person{number}@{domain}" for number in range(count)]


async def reserve(ledger: Ledger, owner: str = "sender", **options: Any) -> list[Reserved]:
    options = {"approved_size": EVERYTHING, "limit": 100, "caps": NO_CAPS, **options}
    return await ledger.write(sending.reserve, owner, **options)


async def intend(
    ledger: Ledger, reserved: list[Reserved], owner: str = "sender", caps: Caps | None = None
) -> set[int]:
    due = ledger.clock.now() + ANSWER_TIME
    intents = [Intent(one, due, MAIL) for one in reserved]
    return await ledger.write(sending.intend, owner, intents, caps or {})


async def begin(ledger: Ledger, number: int = 1, **options: Any) -> bool:
    return await ledger.write(waves.begin, number, **{"step": 0, "size": None, **options})


# ── Who comes next ───────────────────────────────────────────────────────────────────────────────


async def test_what_stands_unsealed_is_the_provider_and_the_month_of_the_last_contact(
    a_ledger: Ledger,
) -> None:
    await admit(a_ledger, "An@Gmail.com", last_contact=date(2026, 2, 7))
    await admit(a_ledger, "jan@people.example")
    await admit(a_ledger, "els@telenet.be", collected=None)

    found = await a_ledger.read(lambda tx: tx.rows("SELECT provider, contact FROM recipient"))

    assert found == [("gmail", 202602), (None, 202503), ("telenet", None)]


async def test_the_newest_contacts_come_first_over_all_providers(a_ledger: Ledger) -> None:
    old = await admit(a_ledger, "a@gmail.com", "b@people.example", collected=date(2024, 1, 1))
    new = await admit(a_ledger, "c@gmail.com", "d@telenet.be", collected=date(2026, 1, 1))

    first = await reserve(a_ledger, limit=2)

    assert {one.id for one in first} == set(new)
    assert {one.provider for one in first} == {"gmail", "telenet"}
    assert {one.id for one in await reserve(a_ledger)} == set(old)


async def test_who_was_put_off_comes_before_the_others_and_who_was_returned_last(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    off, returned, fresh = await admit(a_ledger, *people(3))
    await claim(a_ledger, off, returned)
    later = a_clock.now() + timedelta(minutes=1)
    await settle(a_ledger, off, Standing.DEFERRED, try_at=later)
    await settle(a_ledger, returned, Standing.UNDELIVERABLE)
    assert await a_ledger.write(sending.relist, [returned]) == 1
    a_clock.advance(timedelta(minutes=1))

    taken = [(await reserve(a_ledger, limit=1))[0] for _ in range(3)]

    assert [one.id for one in taken] == [off, fresh, returned]
    assert [one.was_returned for one in taken] == [False, False, True]


async def test_a_capped_provider_is_left_out_also_when_it_was_put_off(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await admit(a_ledger, *people(5, "gmail.com"), "z@people.example")
    first = await reserve(a_ledger, caps=GMAIL)
    assert Counter(one.provider for one in first) == {"gmail": 3, None: 1}
    assert len(await intend(a_ledger, first, caps=GMAIL)) == 4
    await settle(a_ledger, first[0].id, Standing.DEFERRED, try_at=a_clock.now())
    await a_ledger.write(caps.count, {"gmail": 1})

    assert await reserve(a_ledger, caps=GMAIL) == []
    assert len(ids) == 6


@pytest.mark.sqlite  # what PostgreSQL does is in postgres/test_plans.py
async def test_a_reservation_is_bounded_however_many_wait(a_ledger: Ledger) -> None:
    """Each cursor runs down an index of its own and sorts nothing."""

    def plans(tx: Transaction) -> list[str]:
        values = {"now": 1, "moment": 1, "approved": 1, "provider": "gmail", "limit": 9}
        return [
            " ".join(str(row[-1]) for row in tx.connection.execute(explained, values))
            for sql in (waiting.FIRST_TIME, waiting.RETURNED, waiting.DUE)
            for explained in [f"EXPLAIN QUERY PLAN {waiting.of_provider(sql, 'gmail')}"]
        ]

    found = await a_ledger.read(plans)

    for plan, index in zip(found, ("listed", "returned", "deferred"), strict=True):
        assert f"USING INDEX ix_recipient_{index} (provider=?" in plan
        assert "TEMP B-TREE" not in plan


async def test_the_providers_of_those_who_wait_are_known(a_ledger: Ledger) -> None:
    first, _, _ = await admit(a_ledger, "a@gmail.com", "b@people.example", "c@telenet.be")
    await ask(a_ledger, first)

    assert await a_ledger.read(waiting.providers) == [None, "telenet"]


# ── Caps ─────────────────────────────────────────────────────────────────────────────────────────


async def test_two_senders_together_keep_to_a_cap(a_ledger: Ledger) -> None:
    """Each had room when it reserved; the intent counts, in the same transaction."""
    await admit(a_ledger, *people(6, "gmail.com"))
    mine = await reserve(a_ledger, "mine", limit=3, caps=GMAIL)
    theirs = await reserve(a_ledger, "theirs", limit=3, caps=GMAIL)

    left = await intend(a_ledger, mine[:2], "mine", GMAIL)
    more = await intend(a_ledger, theirs, "theirs", GMAIL)

    assert (len(left), len(more)) == (2, 1)
    assert await a_ledger.read(caps.rooms, GMAIL) == {"gmail": 0}
    assert Counter((await standings(a_ledger)).values()) == {"claimed": 3, "listed": 3}


async def test_retries_and_first_mails_share_the_room_of_a_cap(a_ledger: Ledger) -> None:
    first, second, *_ = await admit(a_ledger, *people(6, "gmail.com"))
    for recipient_id in (first, second):
        await claim(a_ledger, recipient_id)
        await settle(a_ledger, recipient_id, Standing.DEFERRED, try_at=a_ledger.clock.now())
    await a_ledger.write(lambda tx: tx.run("DELETE FROM provider_hour"))
    await admit(a_ledger, *people(2))

    reserved = await reserve(a_ledger, caps=GMAIL)

    assert Counter(one.provider for one in reserved) == {"gmail": 3, None: 2}
    assert {first, second} < {one.id for one in reserved}


async def test_a_cap_opens_again_when_it_says(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await admit(a_ledger, *people(4, "gmail.com"))
    await intend(a_ledger, await reserve(a_ledger, limit=3), caps=GMAIL)

    opening = (await a_ledger.read(caps.reopening, GMAIL))["gmail"]
    assert opening - a_clock.now() == timedelta(hours=24, minutes=30)  # it is half past
    a_clock.advance(timedelta(hours=24, minutes=29))
    assert await reserve(a_ledger, caps=GMAIL) == []
    a_clock.advance(timedelta(minutes=1))
    assert await a_ledger.read(caps.reopening, GMAIL) == {}
    assert len(await reserve(a_ledger, caps=GMAIL)) == 1


async def test_what_the_relay_did_not_take_is_given_back_to_the_cap(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    first, second, third, _ = await admit(a_ledger, *people(3, "gmail.com"), *people(1))
    hour = caps.hour_of(a_clock.now())
    reserved = await reserve(a_ledger)
    await intend(a_ledger, reserved)
    a_clock.advance(timedelta(hours=1))
    await settle(a_ledger, first, Standing.DEFERRED, try_at=a_clock.now())
    await settle(a_ledger, second, Standing.LISTED)
    await settle(a_ledger, third, Standing.UNDELIVERABLE)

    assert await a_ledger.read(caps.sent_by_hour, GMAIL) == {"gmail": {hour: 1}}


async def test_mails_are_counted_by_provider_and_hour(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await admit(a_ledger, *people(2, "gmail.com"), *people(1))
    await intend(a_ledger, await reserve(a_ledger, limit=3))

    hour = caps.hour_of(a_clock.now())
    assert await a_ledger.read(caps.sent_by_hour, GMAIL) == {"gmail": {hour: 2}}


# ── Waves ────────────────────────────────────────────────────────────────────────────────────────


async def test_before_any_wave_everybody_may_leave(a_ledger: Ledger) -> None:
    await admit(a_ledger, *people(2))
    found = await a_ledger.read(waves.state)

    assert (found.wave, found.listed, found.waiting, found.outcomes) == (None, 2, 2, Outcomes())
    assert len(await intend(a_ledger, await reserve(a_ledger))) == 2


async def test_of_a_pilot_only_those_who_were_drawn_may_leave(a_ledger: Ledger) -> None:
    ids = await admit(a_ledger, *people(5), *people(5, "gmail.com"))
    drawn, months = await a_ledger.read(waves.draw, 6, approved_size=EVERYTHING)
    assert set(drawn) < set(ids)
    assert months == {202503: 6}
    await begin(a_ledger, size=6, drawn=drawn, expected_bounces=2)

    first = await reserve(a_ledger, limit=2)
    rest = await reserve(a_ledger)

    assert {one.id for one in (*first, *rest)} == set(drawn)
    await intend(a_ledger, [*first, *rest])
    state = await a_ledger.read(waves.state)
    assert state.wave is not None
    assert (state.wave.mails, state.wave.expected_bounces, state.waiting) == (6, 2, 0)


async def test_who_is_drawn_of_a_capped_provider_waits(a_ledger: Ledger) -> None:
    ids = await admit(a_ledger, *people(5, "gmail.com"), *people(2))
    await begin(a_ledger, size=7, drawn=ids)

    found = await reserve(a_ledger, caps=GMAIL)

    assert Counter(one.provider for one in found) == {"gmail": 3, None: 2}


async def test_a_pilot_does_not_wait_for_who_cannot_be_mailed(a_ledger: Ledger) -> None:
    one, other = await admit(a_ledger, *people(2))
    await a_ledger.write(waves.leave_out, [one])
    await begin(a_ledger, size=2, drawn=[one, other])
    await a_ledger.write(waves.leave_out, [one])

    assert (await a_ledger.read(waves.state)).waiting == 1


async def test_two_senders_together_keep_to_the_size_of_a_wave(a_ledger: Ledger) -> None:
    await admit(a_ledger, *people(6))
    await begin(a_ledger, step=1, size=3)
    mine = await reserve(a_ledger, "mine", limit=2)
    theirs = await reserve(a_ledger, "theirs")
    assert len(theirs) == 3

    left = await intend(a_ledger, mine, "mine") | await intend(a_ledger, theirs, "theirs")

    assert len(left) == 3
    await a_ledger.write(leases.free_leases, ["mine", "theirs"])
    assert await reserve(a_ledger) == []


async def test_between_two_waves_only_those_who_were_put_off_may_leave(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await admit(a_ledger, *people(3))
    await begin(a_ledger, step=1, size=1)
    (first,) = await reserve(a_ledger)
    await intend(a_ledger, [first])
    await settle(a_ledger, first.id, Standing.DEFERRED, try_at=a_clock.now())
    await a_ledger.write(waves.end, 1)

    (again,) = await reserve(a_ledger)
    assert again.id == first.id
    assert await intend(a_ledger, [again]) == {first.id}
    state = await a_ledger.read(waves.state)
    assert state.wave is not None
    assert (state.wave.mails, state.wave.ended_at) == (1, a_clock.now())


async def test_a_wave_is_begun_once(a_ledger: Ledger) -> None:
    assert await begin(a_ledger)
    assert not await begin(a_ledger, size=7)
    state = await a_ledger.read(waves.state)
    assert state.wave is not None
    assert state.wave.size is None


async def test_what_became_of_the_mails_is_counted(a_ledger: Ledger) -> None:
    await admit(a_ledger, *people(3))
    await begin(a_ledger)
    reserved = await reserve(a_ledger)
    await intend(a_ledger, reserved)
    await settle(a_ledger, reserved[0].id, Standing.UNDELIVERABLE, reply="550 5.1.1")
    await settle(a_ledger, reserved[1].id, Standing.UNDELIVERABLE, reply="550 5.7.1")
    await a_ledger.write(suppression.suppress_hashes, [b"h" * 32], source="complaint", reason="")

    state = await a_ledger.read(waves.state)

    assert state.outcomes == Outcomes(since_look=Outcome(3, 1), undeliverable=2)
    assert (state.complaints, state.inbound_at) == (1, None)


async def test_that_what_comes_back_was_read_is_noted(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await a_ledger.write(waves.note_inbound)

    assert (await a_ledger.read(waves.state)).inbound_at == a_clock.now()


async def test_a_count_stays_when_the_row_goes(a_ledger: Ledger) -> None:
    """Whoever is erased, or presses after all, had a mail that came back."""
    ids = await admit(a_ledger, *people(3))
    await ask(a_ledger, *ids)
    await bounce(a_ledger, *ids)
    await press(a_ledger, ids[0], Answer.YES)
    await a_ledger.write(erasing.erase_person, ids[1])

    assert await a_ledger.read(stretches.outcomes) == Outcomes(Outcome(3, 3), undeliverable=3)


async def test_who_is_listed_again_did_not_bounce(a_ledger: Ledger) -> None:
    ids = await admit(a_ledger, *people(2))
    await claim(a_ledger, *ids)
    for id_ in ids:
        await settle(a_ledger, id_, Standing.UNDELIVERABLE, reply="550 5.1.1")

    assert await a_ledger.write(sending.relist, [ids[0]]) == 1

    assert await a_ledger.read(stretches.outcomes) == Outcomes(Outcome(1, 1), undeliverable=1)


async def test_a_full_stretch_is_followed_by_another_and_counted_by_itself(
    a_ledger: Ledger,
) -> None:
    first, second = await admit(a_ledger, *people(2))
    await ask(a_ledger, first)
    await a_ledger.write(stretches.count_mails, 1, 999)
    await ask(a_ledger, second)
    await bounce(a_ledger, second, first)
    await a_ledger.write(stretches.count_mails, 2, 1999)

    found = await a_ledger.read(stretches.outcomes)

    assert found.since_look == Outcome(3000, 2)
    assert found.worst == Outcome(1000, 1)


async def test_after_a_look_what_comes_back_is_told_apart_by_when_its_mail_left(
    a_ledger: Ledger,
) -> None:
    await begin(a_ledger)
    before = await admit(a_ledger, *people(4))
    await ask(a_ledger, *before)
    await bounce(a_ledger, before[0])
    await a_ledger.write(waves.look, by="An Peeters")
    after = await admit(a_ledger, "x@people.example", "y@people.example")
    await ask(a_ledger, *after)

    await bounce(a_ledger, *before[1:3], after[0])

    found = await a_ledger.read(stretches.outcomes)
    assert found == Outcomes(Outcome(2, 1), Outcome(4, 2), undeliverable=4)


# ── Stops ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stop_holds_every_sender_until_a_person_has_looked(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await admit(a_ledger, *people(4))
    await begin(a_ledger)
    first, *rest = await reserve(a_ledger, limit=2)
    await intend(a_ledger, [first])
    await settle(a_ledger, first.id, Standing.UNDELIVERABLE, reply="550 5.1.1")

    await a_ledger.write(waves.stop, {"code": "bounces"})
    await a_ledger.write(waves.stop, {"code": "delays"})

    assert await intend(a_ledger, rest) == set()
    assert await reserve(a_ledger, "other") == []
    assert (await a_ledger.read(waves.state)).stopped_for == {"code": "bounces"}
    assert await a_ledger.write(waves.look, by="An Peeters")
    state = await a_ledger.read(waves.state)
    assert state.stopped_for is None
    assert state.wave is not None
    assert state.outcomes == Outcomes(before_look=Outcome(1, 0), undeliverable=1)
    assert state.wave.looked_at == a_clock.now()
    assert len(await intend(a_ledger, rest)) == 1
    kinds = await a_ledger.read(lambda tx: [row[0] for row in tx.rows("SELECT kind FROM log")])
    assert kinds.count("stopped") == kinds.count("continued") == 1
    assert (await verified(a_ledger)).holds


async def test_a_person_may_look_when_nothing_has_stopped(a_ledger: Ledger) -> None:
    assert not await a_ledger.write(waves.look, by="An Peeters")
    await begin(a_ledger)
    assert await a_ledger.write(waves.look, by="An Peeters")
    assert await begin(a_ledger, 2)


async def test_who_is_listed_is_counted_by_provider_and_month(a_ledger: Ledger) -> None:
    await admit(a_ledger, *people(2, "gmail.com"), "x@people.example")

    found = await a_ledger.read(waiting.listed_by)

    assert sorted(found, key=str) == [("gmail", 202503, 2), (None, 202503, 1)]


@pytest.mark.parametrize("ids", [[], [1, 2]])
async def test_rows_are_given_back_one_by_one(a_ledger: Ledger, ids: list[int]) -> None:
    await admit(a_ledger, *people(3))
    await reserve(a_ledger)

    assert await a_ledger.write(sending.release, "sender", ids) == len(ids)
    assert len(await reserve(a_ledger, "other")) == len(ids)


async def test_a_pilot_is_drawn_and_the_waves_after_it_are_not(a_ledger: Ledger) -> None:
    await admit(a_ledger, *people(9))
    drawn, _ = await a_ledger.read(waves.draw, 4, approved_size=EVERYTHING)
    await begin(a_ledger, size=4, drawn=drawn)
    pilot = (await a_ledger.read(waves.state)).wave
    await begin(a_ledger, 2, step=1)
    second = (await a_ledger.read(waves.state)).wave

    assert pilot is not None
    assert second is not None
    assert (pilot.is_pilot, second.is_pilot) == (True, False)


# ── Who waits, in figures ────────────────────────────────────────────────────────────────────────


async def test_whose_mails_wait_is_known_by_provider(a_ledger: Ledger, a_clock: FakeClock) -> None:
    an, jan = await admit(a_ledger, "an@gmail.com", "jan@people.example")
    drawn = f"[{an}]"
    assert await a_ledger.read(waiting.providers) == [None, "gmail"]
    assert await a_ledger.read(waiting.providers, drawn) == ["gmail"]
    assert await a_ledger.read(waiting.next_tries) == []

    await claim(a_ledger, jan)
    await settle(a_ledger, jan, Standing.DEFERRED, try_at=a_clock.now())
    assert await a_ledger.read(waiting.next_tries) == [(None, a_clock.now())]


async def test_to_claim_and_to_settle_is_one_transaction(a_ledger: Ledger) -> None:
    an, jan = await admit(a_ledger, *people(2))
    due = a_ledger.clock.now() + ANSWER_TIME
    reserved = {one.id: one for one in await reserve(a_ledger)}
    nothing: dict[str, Any] = {"settlements": {}, "intents": [], "caps": NO_CAPS}
    assert await a_ledger.write(sending.exchange, "sender", **nothing) == (set(), set())

    first: dict[str, Any] = {**nothing, "intents": [Intent(reserved[an], due, MAIL)]}
    assert await a_ledger.write(sending.exchange, "sender", **first) == (set(), {an})
    second: dict[str, Any] = {
        "settlements": {an: Settlement(Standing.ASKED, "250")},
        "intents": [Intent(reserved[jan], due, MAIL)],
        "caps": NO_CAPS,
    }
    assert await a_ledger.write(sending.exchange, "sender", **second) == ({an}, {jan})
    assert await standings(a_ledger) == {an: "asked", jan: "claimed"}
