from repermit.ledger.engine import Ledger
from repermit.ledger.store import approval, sending
from tests.builders import NOW, admit, verified


async def approve(ledger: Ledger, digest: str = "d") -> int:
    return await ledger.write(
        approval.approve, by="An", informed="the board", digest=digest, facts={"cells": {"BE": 2}}
    )


async def test_nothing_is_approved_at_first(a_ledger: Ledger) -> None:
    assert await a_ledger.read(approval.latest_approval) is None


async def test_the_latest_approval_counts(a_ledger: Ledger) -> None:
    await approve(a_ledger, "first")
    number = await approve(a_ledger, "second")
    found = await a_ledger.read(approval.latest_approval)

    assert found is not None
    assert (found.id, found.digest, found.by, found.informed) == (
        number,
        "second",
        "An",
        "the board",
    )
    assert found.at == int(NOW.timestamp() * 1_000_000)
    assert found.facts == '{"cells":{"BE":2}}'
    assert (await verified(a_ledger)).holds


async def test_whoever_is_added_after_an_approval_is_not_approved(a_ledger: Ledger) -> None:
    (before,) = await admit(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger)
    (after,) = await admit(a_ledger, "jan@voorbeeld.example")
    approved = await a_ledger.read(approval.latest_approval)
    assert approved is not None

    async def may_leave(size: int) -> list[int]:
        reserved = await a_ledger.write(sending.reserve, "sender", approved_size=size, limit=9)
        await a_ledger.write(sending.release, "sender")
        return [one.id for one in reserved]

    assert await may_leave(approved.log_size) == [before]
    assert await a_ledger.read(approval.listed_since, approved) == 1
    await approve(a_ledger)
    again = await a_ledger.read(approval.latest_approval)
    assert again is not None
    assert await may_leave(again.log_size) == [before, after]
    assert await a_ledger.read(approval.listed_since, again) == 0
