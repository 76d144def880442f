import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Answer, Standing
from repermit.errors import SendRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import approval, campaign, leases, sending
from repermit.ledger.store.sending import LEASE, Reserved, Settlement
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    EVERYTHING,
    MAIL,
    NOW,
    FakeClock,
    admit,
    ask,
    asked,
    claim,
    intend_one,
    press,
    settle,
    standings,
    verified,
)

MOMENT = timedelta(microseconds=1)


async def reserve(ledger: Ledger, owner: str = "sender", *, limit: int = 9) -> list[Reserved]:
    return await ledger.write(
        sending.reserve, owner, approved_size=EVERYTHING, limit=limit, caps=NO_CAPS
    )


async def intend(ledger: Ledger, reserved: Reserved, owner: str = "sender") -> bool:
    return await ledger.write(intend_one, reserved, owner, due=ledger.clock.now() + ANSWER_TIME)


async def test_a_reserved_row_keeps_its_standing_and_says_who_it_is(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, "An@voorbeeld.example")
    (reserved,) = await reserve(a_ledger)

    assert reserved.id == one
    assert reserved.person.address.mailbox == "An@voorbeeld.example"
    assert (reserved.language, reserved.attempts, reserved.first_try_at) == ("nl", 0, None)
    assert await standings(a_ledger) == {one: "listed"}
    assert await a_ledger.read(leases.lease_owners) == ["sender"]


async def test_a_row_is_reserved_by_one_sender(a_ledger: Ledger) -> None:
    await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(5)))
    first = await reserve(a_ledger, "first", limit=3)
    second = await reserve(a_ledger, "second")

    assert (len(first), len(second)) == (3, 2)
    assert not {one.id for one in first} & {one.id for one in second}
    assert await reserve(a_ledger, "third") == []


@pytest.mark.sqlite
async def test_an_older_copy_neither_reserves_nor_claims(a_ledger: Ledger) -> None:
    """Also one that was put back into the file while a sender held rows of it."""
    await admit(a_ledger, "an@voorbeeld.example")
    with closing(sqlite3.connect(":memory:")) as copy:
        with closing(sqlite3.connect(a_ledger.path)) as file:
            file.backup(copy)
        await admit(a_ledger, "jan@voorbeeld.example")
        (held, _) = await reserve(a_ledger)
        with closing(sqlite3.connect(a_ledger.path)) as file:
            copy.backup(file)

    for refused in (reserve(a_ledger), intend(a_ledger, held)):
        with pytest.raises(SendRefused, match="older copy"):
            await refused
    assert set((await standings(a_ledger)).values()) == {"listed"}


async def test_a_lease_that_ran_out_frees_the_row_and_binds_the_sender(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    (late,) = await reserve(a_ledger, "late")
    a_clock.advance(LEASE)
    assert await reserve(a_ledger, "next") == []
    a_clock.advance(MOMENT)
    (taken,) = await reserve(a_ledger, "next")

    assert not await intend(a_ledger, late, "late")
    assert await intend(a_ledger, taken, "next")


async def test_a_lease_holds_to_its_last_moment(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    (reserved,) = await reserve(a_ledger)
    a_clock.advance(LEASE)

    assert await intend(a_ledger, reserved)


async def test_a_sender_that_is_late_may_not_intend(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    (reserved,) = await reserve(a_ledger)
    a_clock.advance(LEASE + MOMENT)

    assert not await intend(a_ledger, reserved)
    assert await standings(a_ledger) == {one: "listed"}


async def test_nothing_is_reserved_while_the_campaign_is_paused(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(campaign.pause)

    assert await reserve(a_ledger) == []
    await a_ledger.write(campaign.resume)
    assert len(await reserve(a_ledger)) == 1


async def test_a_pause_holds_what_is_reserved_already(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    (reserved,) = await reserve(a_ledger)
    await a_ledger.write(campaign.pause)

    assert not await intend(a_ledger, reserved)
    await a_ledger.write(campaign.resume)
    assert await intend(a_ledger, reserved)


async def test_only_approved_rows_are_reserved(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    size = await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head"))
    await a_ledger.write(approval.approve, by="a", informed="b", digest="d", facts={})
    await admit(a_ledger, "jan@voorbeeld.example")

    found = await a_ledger.write(
        sending.reserve, "sender", approved_size=size, limit=9, caps=NO_CAPS
    )
    assert [one.id for one in found] == [1]


async def test_an_intent_fixes_what_the_mail_says(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    (reserved,) = await reserve(a_ledger)
    assert await intend(a_ledger, reserved)
    row = await a_ledger.read(
        lambda tx: tx.one(
            "SELECT standing, claimed_by, intent_at, due_at, mail, attempts, first_try_at"
            " FROM recipient"
        )
    )
    micros = int(NOW.timestamp()) * 1_000_000
    due = int((NOW + ANSWER_TIME).timestamp()) * 1_000_000

    assert row == ("claimed", "sender", micros, due, MAIL, 1, micros)
    assert await a_ledger.read(leases.claim_owners) == ["sender"]
    assert (await verified(a_ledger)).holds
    assert one == 1


async def test_promise_1_a_claimed_row_is_intended_by_nobody_again(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    (reserved,) = await reserve(a_ledger)
    assert await intend(a_ledger, reserved)

    assert not await intend(a_ledger, reserved)
    assert not await intend(a_ledger, reserved, "another")
    assert await reserve(a_ledger, "another") == []


async def test_promise_1_two_senders_at_once_send_one_mail(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    (reserved,) = await reserve(a_ledger)

    def both(tx: Transaction) -> list[bool]:
        return [
            intend_one(tx, reserved, owner, due=tx.now) for owner in ("sender", "other", "sender")
        ]

    assert await a_ledger.write(both) == [True, False, False]


@pytest.mark.parametrize(
    "standing", [Standing.ASKED, Standing.UNDELIVERABLE, Standing.DOUBTFUL, Standing.LISTED]
)
async def test_the_relays_word_settles_a_claimed_row(a_ledger: Ledger, standing: Standing) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await claim(a_ledger, one)
    assert await settle(a_ledger, one, standing)
    due, reply = await a_ledger.read(lambda tx: tx.one("SELECT due_at, relay_reply FROM recipient"))

    assert await standings(a_ledger) == {one: str(standing)}
    assert (due is None) == (standing is Standing.LISTED)
    assert reply == "250"
    assert (await verified(a_ledger)).holds


async def test_a_deferred_row_waits_for_its_next_try(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await claim(a_ledger, one)
    await settle(a_ledger, one, Standing.DEFERRED, try_at=NOW + timedelta(minutes=10))
    assert await reserve(a_ledger) == []
    a_clock.advance(timedelta(minutes=10))
    (again,) = await reserve(a_ledger)

    assert (again.attempts, again.first_try_at) == (1, NOW)
    assert await intend(a_ledger, again)
    first_try, try_at = await a_ledger.read(
        lambda tx: tx.one("SELECT first_try_at, try_at FROM recipient")
    )
    assert first_try == int(NOW.timestamp()) * 1_000_000
    assert try_at is None


async def test_a_deferred_row_is_reserved_by_one_sender(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await claim(a_ledger, one)
    await settle(a_ledger, one, Standing.DEFERRED, try_at=NOW)

    assert len(await reserve(a_ledger, "first")) == 1
    assert await reserve(a_ledger, "second") == []
    assert await a_ledger.write(sending.release, "first") == 1
    assert len(await reserve(a_ledger, "second")) == 1


@pytest.mark.parametrize("answer", Answer)
async def test_an_answer_that_came_before_the_relays_word_wins(
    a_ledger: Ledger, answer: Answer
) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await claim(a_ledger, one)
    await press(a_ledger, one, answer)

    assert not await settle(a_ledger, one, Standing.ASKED)
    wanted = "opted_in" if answer is Answer.YES else "opted_out"
    assert await standings(a_ledger) == {one: wanted}


async def test_only_the_owner_settles_a_claim(a_ledger: Ledger) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await claim(a_ledger, one, owner="sender")

    assert not await settle(a_ledger, one, Standing.ASKED, owner="other")
    assert await standings(a_ledger) == {one: "claimed"}


async def test_a_row_is_settled_once(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, "an@voorbeeld.example")

    assert not await settle(a_ledger, one, Standing.UNDELIVERABLE)
    assert await standings(a_ledger) == {one: "asked"}


async def test_releasing_gives_back_what_was_not_claimed(a_ledger: Ledger) -> None:
    await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(3)))
    reserved = await reserve(a_ledger)
    await intend(a_ledger, reserved[0])

    assert await a_ledger.write(sending.release, "sender") == 2
    assert await a_ledger.read(leases.lease_owners) == []
    assert len(await reserve(a_ledger, "other")) == 2


async def test_promise_1_what_a_dead_sender_had_claimed_becomes_doubtful(
    a_ledger: Ledger,
) -> None:
    dead, alive, reserved = await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(3)))
    await claim(a_ledger, dead, owner="dead")
    await claim(a_ledger, alive, owner="alive")
    await reserve(a_ledger, "dead")
    moved = await a_ledger.write(leases.doubt_claims, ["dead", "long gone"])
    await a_ledger.write(leases.free_leases, ["dead"])

    assert moved == 1
    assert await standings(a_ledger) == {dead: "doubtful", alive: "claimed", reserved: "listed"}
    assert [one.id for one in await reserve(a_ledger, "other")] == [reserved]
    assert not await settle(a_ledger, dead, Standing.ASKED, owner="dead")
    assert (await verified(a_ledger)).holds


async def test_promise_1_a_claim_whose_lease_ran_out_becomes_doubtful(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """On another machine no lock tells whether its sender is alive."""
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await claim(a_ledger, one)
    a_clock.advance(LEASE)
    assert await a_ledger.write(leases.doubt_claims, []) == 0
    a_clock.advance(MOMENT)

    assert await a_ledger.write(leases.doubt_claims, []) == 1
    assert await standings(a_ledger) == {one: "doubtful"}
    assert await reserve(a_ledger) == []


async def test_whom_the_relay_refused_because_of_us_is_listed_again(a_ledger: Ledger) -> None:
    ours, theirs, said_yes = await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(3)))
    for recipient_id in (ours, said_yes):
        await claim(a_ledger, recipient_id)
        await settle(a_ledger, recipient_id, Standing.UNDELIVERABLE)
    await ask(a_ledger, theirs)
    await press(a_ledger, said_yes, Answer.YES)

    assert await a_ledger.write(sending.relist, [ours, theirs, said_yes]) == 1
    assert await standings(a_ledger) == {ours: "listed", theirs: "asked", said_yes: "opted_in"}
    (again,) = await reserve(a_ledger)
    assert (again.id, again.first_try_at) == (ours, None)
    assert (await verified(a_ledger)).holds


@pytest.mark.sqlite
async def test_a_claim_and_its_settlement_find_their_rows_by_id(a_ledger: Ledger) -> None:
    """Not by going through all who are listed: a run over a million would never end."""
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    plans: list[str] = []

    def part(tx: Transaction) -> None:
        (reserved,) = sending.reserve(tx, "sender", approved_size=EVERYTHING, limit=1, caps=NO_CAPS)
        said: list[str] = []
        assert isinstance(tx.connection, sqlite3.Connection)
        tx.connection.set_trace_callback(said.append)
        intend_one(tx, reserved, "sender", due=tx.now)
        sending.settle(tx, "sender", {one: Settlement(Standing.ASKED, "250")})
        tx.connection.set_trace_callback(None)
        for statement in said:
            if statement.startswith("UPDATE recipient"):
                plans.extend(row[3] for row in tx.rows(f"EXPLAIN QUERY PLAN {statement}"))

    await a_ledger.write(part)
    found = [plan for plan in plans if "recipient" in plan]
    assert len(found) == 2
    assert all("PRIMARY KEY" in plan for plan in found), found


async def test_a_fresh_claim_of_a_sender_that_seems_gone_is_given_its_time(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A minute here: its mail may be under way while the database starts again."""
    minute = timedelta(minutes=1)
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await claim(a_ledger, one, owner="lost")
    a_clock.advance(minute - MOMENT)
    assert await a_ledger.write(leases.doubt_claims, ["lost"], grace=minute) == 0
    a_clock.advance(MOMENT)

    assert await a_ledger.write(leases.doubt_claims, ["lost"], grace=minute) == 1
