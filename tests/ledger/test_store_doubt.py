from datetime import timedelta

import pytest

from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import doubt, due, leases, screening, sending
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    EVERYTHING,
    NOW,
    RULES,
    admit,
    ask,
    claim,
    press,
    settle,
    standings,
    terms,
    verified,
)


def withhold(tx: Transaction, recipient_id: int) -> None:
    tx.run("UPDATE recipient SET standing = 'withheld' WHERE id = ?", recipient_id)
    tx.log.moved([recipient_id], Standing.WITHHELD)


async def doubtful(ledger: Ledger, count: int = 3) -> list[int]:
    """Return the ids of rows whose sender was lost."""
    ids = await admit(ledger, *(f"r{n}@voorbeeld.example" for n in range(count)))
    await claim(ledger, *ids, owner="lost")
    await ledger.write(leases.doubt_claims, ["lost"])
    return ids


async def test_the_doubtful_are_listed_in_order(a_ledger: Ledger) -> None:
    ids = await doubtful(a_ledger)
    found = await a_ledger.read(doubt.doubtful, limit=2)
    rest = await a_ledger.read(doubt.doubtful, after=ids[1], limit=2)

    assert [one.id for one in (*found, *rest)] == ids
    assert found[0].mailbox == "r0@voorbeeld.example"
    assert "voorbeeld" not in repr(found)
    assert {(one.intent_at, one.due_at) for one in found} == {(NOW, NOW + ANSWER_TIME)}


async def test_a_person_decides_that_mails_were_sent(a_ledger: Ledger) -> None:
    ids = await doubtful(a_ledger)
    moved = await a_ledger.write(doubt.decide_doubt, ids, resend=False)

    assert moved == 3
    assert await standings(a_ledger) == dict.fromkeys(ids, "asked")
    assert await a_ledger.read(due.counts, terms(NOW + ANSWER_TIME)) == {"silent": 3}
    assert (await verified(a_ledger)).holds


async def test_a_person_decides_to_send_again(a_ledger: Ledger) -> None:
    one, two, three = await doubtful(a_ledger)
    moved = await a_ledger.write(doubt.decide_doubt, [three, one, one], resend=True)

    assert moved == 2
    assert await standings(a_ledger) == {one: "listed", two: "doubtful", three: "listed"}
    assert await a_ledger.read(due.counts, terms(NOW + ANSWER_TIME)) == {"doubtful": 1}
    again = await a_ledger.write(
        sending.reserve, "sender", approved_size=EVERYTHING, limit=9, caps=NO_CAPS
    )
    assert {reserved.id for reserved in again} == {one, three}
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("resend", [True, False])
async def test_only_what_is_doubtful_is_counted_and_moved(a_ledger: Ledger, resend: bool) -> None:
    lost = await doubtful(a_ledger)
    (fine,) = await admit(a_ledger, "an@voorbeeld.example")
    await ask(a_ledger, fine)

    assert await a_ledger.read(doubt.count_doubtful) == 3
    assert await a_ledger.read(doubt.count_doubtful, [lost[0], fine, 99]) == 1
    assert await a_ledger.write(doubt.decide_doubt, [fine, 99], resend=resend) == 0
    assert await standings(a_ledger) == {**dict.fromkeys(lost, "doubtful"), fine: "asked"}


async def test_an_answer_ends_the_doubt(a_ledger: Ledger) -> None:
    one, two, _ = await doubtful(a_ledger)
    await press(a_ledger, one, Answer.YES)
    await press(a_ledger, two, Answer.NO)

    assert len(await a_ledger.read(doubt.doubtful, limit=9)) == 1


async def test_promise_1_in_a_restored_copy_whoever_may_have_been_mailed_is_doubtful(
    a_ledger: Ledger,
) -> None:
    listed, claimed, deferred, taken, withheld, said_yes = await admit(
        a_ledger, *(f"r{n}@voorbeeld.example" for n in range(6))
    )
    await a_ledger.write(withhold, withheld)
    await ask(a_ledger, taken, said_yes)
    await press(a_ledger, said_yes, Answer.YES)
    await claim(a_ledger, claimed, deferred)
    await settle(a_ledger, deferred, Standing.DEFERRED, try_at=NOW)
    due = NOW + timedelta(days=40)
    slices = [await a_ledger.write(doubt.doubt_unsettled, slice_rows=2, due=due) for _ in range(3)]

    assert slices == [2, 1, 0]
    assert await standings(a_ledger) == {
        listed: "doubtful",
        claimed: "doubtful",
        deferred: "doubtful",
        taken: "asked",
        withheld: "withheld",
        said_yes: "opted_in",
    }
    found = {one.id: one.due_at for one in await a_ledger.read(doubt.doubtful, limit=9)}
    assert found == {listed: due, claimed: NOW + ANSWER_TIME, deferred: due}
    assert (
        await a_ledger.write(
            sending.reserve, "sender", approved_size=EVERYTHING, limit=9, caps=NO_CAPS
        )
        == []
    )
    assert (await verified(a_ledger)).holds


async def test_promise_1_whoever_is_withheld_in_a_copy_is_never_listed_again(
    a_ledger: Ledger,
) -> None:
    """After the copy was made they may have been screened "ask", and been asked."""
    (one, two) = await admit(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    await a_ledger.write(withhold, one)
    assert await a_ledger.write(doubt.set_aside_restored) == 1
    await a_ledger.write(screening.screen_slice, RULES, today=NOW.date(), after_id=0, slice_rows=10)

    assert await standings(a_ledger) == {one: "withheld", two: "listed"}
    assert await press(a_ledger, one, Answer.NO) is not None
    assert await standings(a_ledger) == {one: "opted_out", two: "listed"}
