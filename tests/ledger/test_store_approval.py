from datetime import timedelta

import pytest

from repermit.domain.provider import NO_CAPS
from repermit.errors import ApprovalRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import admission, approval, campaign, sending
from tests.builders import NOW, FakeClock, admit, verified


async def approve(ledger: Ledger, digest: str = "d") -> int:
    if not await ledger.read(campaign.knows_opt_outs):
        await ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    given = await ledger.write(
        approval.approve, by="An", informed="the board", digest=digest, facts={"mail": "abc"}
    )
    return given.number


async def test_nothing_is_approved_at_first(a_ledger: Ledger) -> None:
    assert await a_ledger.read(approval.latest_approval) is None


async def test_the_latest_approval_counts(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
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
    assert found.facts == ('{"counts":{"BE.signed_up_no_proof/listed/allowed":1},"mail":"abc"}')
    assert (await verified(a_ledger)).holds


async def test_whoever_is_added_after_an_approval_is_not_approved(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (before,) = await admit(a_ledger, "an@voorbeeld.example")
    await approve(a_ledger)
    a_clock.advance(timedelta(seconds=1))
    (after,) = await admit(a_ledger, "jan@voorbeeld.example")
    approved = await a_ledger.read(approval.latest_approval)
    assert approved is not None

    async def may_leave(size: int) -> list[int]:
        reserved = await a_ledger.write(
            sending.reserve, "sender", approved_size=size, limit=9, caps=NO_CAPS
        )
        await a_ledger.write(sending.release, "sender")
        return sorted(one.id for one in reserved)

    assert await may_leave(approved.log_size) == [before]
    assert await a_ledger.read(approval.listed_since, approved) == {2: 1}
    await approve(a_ledger)
    again = await a_ledger.read(approval.latest_approval)
    assert again is not None
    assert await may_leave(again.log_size) == [before, after]
    assert await a_ledger.read(approval.listed_since, again) == {}


async def test_nobody_listed_is_nobody_to_approve(a_ledger: Ledger) -> None:
    with pytest.raises(ApprovalRefused, match="nobody is listed"):
        await approve(a_ledger)


async def test_nothing_is_approved_while_an_import_is_not_complete(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(admission.begin_intake, "abc")
    with pytest.raises(ApprovalRefused, match="an import is running"):
        await approve(a_ledger)
    assert await a_ledger.read(approval.latest_approval) is None


async def test_nothing_is_approved_before_it_was_said_who_opted_out(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")

    with pytest.raises(ApprovalRefused, match="who opted out before") as refused:
        await a_ledger.write(approval.approve, by="An", informed="Jan", digest="d", facts={})
    assert "suppress --none" in refused.value.hint
    assert await a_ledger.read(approval.latest_approval) is None
