"""Intents and settlements of several connections, in one transaction."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import pytest

from repermit.dispatch.claims import Claims, Written
from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Standing
from repermit.errors import ChangeUnknown, LedgerUnusable
from repermit.ledger.database import Database
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.store import sending
from repermit.ledger.store.sending import Intent, Reserved, Settlement
from tests.builders import EVERYTHING, MAIL, admit, standings

TAKEN = Settlement(Standing.ASKED, "250")


async def intents(ledger: Ledger, count: int) -> list[Intent]:
    """Reserve so many people and return their intents."""
    await admit(ledger, *(f"r{number}@voorbeeld.example" for number in range(count)))
    reserved: list[Reserved] = await ledger.write(
        sending.reserve, "sender", approved_size=EVERYTHING, limit=count, caps=NO_CAPS
    )
    return [Intent(one, ledger.clock.now(), MAIL) for one in reserved]


async def test_what_comes_together_is_one_entry_of_the_log(a_ledger: Ledger) -> None:
    claims, wanted = Claims(a_ledger, "sender"), await intents(a_ledger, 5)
    before = await a_ledger.read(lambda tx: int(tx.value("SELECT size FROM log_head")))
    assert all(await asyncio.gather(*map(claims.intend, wanted)))

    assert set((await standings(a_ledger)).values()) == {"claimed"}
    assert await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head")) == before + 1


async def test_a_settlement_is_on_file_with_the_next_intent(a_ledger: Ledger) -> None:
    claims, (one, two) = Claims(a_ledger, "sender"), await intents(a_ledger, 2)
    assert await claims.intend(one)
    claims.settle(one.reserved.id, TAKEN)
    assert await claims.intend(two)

    stands = await standings(a_ledger)
    assert (stands[one.reserved.id], stands[two.reserved.id]) == ("asked", "claimed")


async def test_what_is_handed_in_does_not_wait_for_connections_that_are_gone(
    a_ledger: Ledger,
) -> None:
    claims = Claims(a_ledger, "sender", live=lambda: 10)
    one, two, three = await intents(a_ledger, 3)
    assert await claims.intend(one)
    assert all(await asyncio.gather(claims.intend(two), claims.intend(three)))
    settled, claimed = await claims.settle(one.reserved.id, TAKEN)

    assert (settled, claimed) == ({one.reserved.id}, set())


async def test_who_is_cancelled_takes_nobody_along(a_ledger: Ledger) -> None:
    """Their intent may be on file all the same: the row is doubtful in the end."""
    claims, (one, two) = Claims(a_ledger, "sender", live=lambda: 2), await intents(a_ledger, 2)
    asking = asyncio.create_task(claims.intend(one))
    await asyncio.sleep(0)
    asking.cancel()

    assert await claims.intend(two)
    assert asking.cancelled()
    assert (await standings(a_ledger))[two.reserved.id] == "claimed"


@pytest.mark.sqlite
async def test_promise_1_after_a_write_that_failed_no_intent_is_granted(
    a_ledger: Ledger,
) -> None:
    """The row of the lost settlement stays claimed: one for that connection, and no second."""
    claims, (one, two) = Claims(a_ledger, "sender"), await intents(a_ledger, 2)
    assert await claims.intend(one)
    moved = a_ledger.path.rename(a_ledger.path.with_name("away.db"))
    written = claims.settle(one.reserved.id, TAKEN)
    with pytest.raises(LedgerUnusable):
        await written
    moved.rename(a_ledger.path)

    with pytest.raises(LedgerUnusable):
        await claims.intend(two)
    stands = await standings(a_ledger)
    assert (stands[one.reserved.id], stands[two.reserved.id]) == ("claimed", "listed")


# ── The database goes away ───────────────────────────────────────────────────────────────────────


def cut(database: Database) -> None:
    """End every other connection to the database, as a restart of the server does."""
    assert isinstance(database, PostgreSQL)
    with closing(database.connect()) as ours:
        ours.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND application_name = 'repermit'"
        )


@pytest.mark.postgres
async def test_an_outage_loses_neither_the_word_of_the_relay_nor_an_intent(
    a_ledger: Ledger,
) -> None:
    claims, (one, two) = Claims(a_ledger, "sender", live=lambda: 2), await intents(a_ledger, 2)
    assert await claims.intend(one)
    held = a_ledger.database.connect()
    a_ledger.database.begin(held)  # so that the group waits, with its connection open
    written = claims.settle(one.reserved.id, TAKEN)
    granted = asyncio.create_task(claims.intend(two))
    await asyncio.sleep(0.2)
    cut(a_ledger.database)
    held.close()

    assert await granted
    assert one.reserved.id in (await written)[0]
    stands = await standings(a_ledger)
    assert (stands[one.reserved.id], stands[two.reserved.id]) == ("asked", "claimed")


class Unsure(Claims):
    """Claims whose first intent is on file although nobody can say so."""

    unsure = 1

    async def _exchange(self, *given: Any) -> Written:
        written = await super()._exchange(*given)
        if given[1] and self.unsure:
            self.unsure -= 1
            raise ChangeUnknown("nobody knows", hint="wait")
        return written


async def test_promise_1_an_intent_of_which_nobody_knows_lets_nothing_leave(
    a_ledger: Ledger,
) -> None:
    """It is on file here; the row may be reserved anew at once, and nobody is in doubt."""
    claims, (one,) = Unsure(a_ledger, "sender"), await intents(a_ledger, 1)

    assert not await claims.intend(one)
    assert (await standings(a_ledger))[one.reserved.id] == "deferred"
    again = await a_ledger.share(
        sending.reserve, "other", approved_size=EVERYTHING, limit=1, caps=NO_CAPS
    )
    assert [each.id for each in again] == [one.reserved.id]
