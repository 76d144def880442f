"""What exports have carried out of the ledger: an erasure can be told to whoever received it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.errors import FileRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, elsewhere, erasing, suppression
from tests.builders import ANSWER_TIME, FakeClock, asked, deliver_outbox, press, verified

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"
MINUTE = timedelta(minutes=1)


async def exported(
    ledger: Ledger, *, standing: Standing = Standing.OPTED_IN, purpose: str | None = None
) -> None:
    """Note an export of everybody who stands so now."""
    sight = await ledger.read(elsewhere.seen)
    await ledger.write(elsewhere.note_export, sight, standing=standing, rows=1, purpose=purpose)


async def erased(ledger: Ledger, recipient_id: int) -> tuple[int, ...]:
    """Erase somebody and return what must be removed elsewhere."""
    done = await ledger.write(erasing.erase_person, recipient_id)
    assert done is not None
    assert (await verified(ledger)).holds
    return done.exported


async def leaves(ledger: Ledger) -> list[int]:
    """Return the entries of all answers, the oldest first."""
    rows = await ledger.read(lambda tx: tx.rows("SELECT leaf FROM answer ORDER BY leaf"))
    return [row[0] for row in rows]


async def test_a_yes_that_was_exported_is_to_be_removed_elsewhere(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Under the proof that the export gave it; whoever was not in it leaves nothing to remove."""
    an, jan = await asked(a_ledger, AN, JAN)
    await press(a_ledger, an, Answer.YES)
    (leaf,) = await leaves(a_ledger)
    await exported(a_ledger)
    await exported(a_ledger)
    await press(a_ledger, jan, Answer.YES)
    a_clock.advance(MINUTE)

    assert await erased(a_ledger, an) == (leaf,)
    assert await erased(a_ledger, jan) == ()

    (gone,) = await a_ledger.read(elsewhere.to_remove)
    assert (gone.proof, gone.erased_at) == (leaf, a_clock.now())


async def test_also_one_that_was_taken_back_since_and_each_that_was_given(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    for answer in (Answer.YES, Answer.NO, Answer.YES, Answer.NO):
        a_clock.advance(MINUTE)
        await press(a_ledger, an, answer)
        await exported(a_ledger)
    first, _, second, _ = await leaves(a_ledger)

    assert await erased(a_ledger, an) == (first, second)


@pytest.mark.parametrize(("purpose", "stands"), [("fair", True), ("newsletter", False)])
async def test_an_export_of_one_purpose_has_only_the_yeses_to_that(
    a_ledger: Ledger, purpose: str, stands: bool
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES, purposes=("fair",))
    await exported(a_ledger, purpose=purpose)

    assert bool(await erased(a_ledger, an)) is stands


@pytest.mark.parametrize("presses", [(Answer.NO, Answer.YES), (Answer.YES, Answer.NO)])
async def test_a_yes_that_void_presses_left_in_force_was_exported_too(
    a_ledger: Ledger, a_clock: FakeClock, presses: tuple[Answer, Answer]
) -> None:
    """Under its own proof, not that of one of the void presses."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES, purposes=("fair",))
    a_clock.advance(MINUTE)
    for answer in presses:
        await press(a_ledger, an, answer, purposes=("newsletter",) if answer is Answer.YES else ())
    await exported(a_ledger, purpose="fair")
    genuine, *_ = await leaves(a_ledger)

    assert await erased(a_ledger, an) == (genuine,)


async def test_a_purge_tells_whom_an_export_of_yeses_still_has(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Who was named since among those who must stop needs no second telling."""
    names = ("an", "jan", "els", "mia")
    an, jan, els, _ = await asked(a_ledger, *(f"{name}@voorbeeld.example" for name in names))
    for one in (an, jan, els):
        await press(a_ledger, one, Answer.YES)
    first, *_ = await leaves(a_ledger)
    await exported(a_ledger)
    a_clock.advance(MINUTE)
    await press(a_ledger, jan, Answer.NO)
    await exported(a_ledger, standing=Standing.OPTED_OUT)
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(ANSWER_TIME)
    assert await deliver_outbox(a_ledger) == 2  # the two noes are acknowledged

    purge = await a_ledger.write(erasing.begin_purge, by="An", due=3, by_reason={})
    assert await a_ledger.write(erasing.erase_due, purge, slice_rows=10) == 3

    assert [one.proof for one in await a_ledger.read(elsewhere.to_remove)] == [first]
    assert (await verified(a_ledger)).holds


async def test_an_export_during_which_somebody_was_purged_is_not_noted(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN)
    a_clock.advance(ANSWER_TIME)
    sight = await a_ledger.read(elsewhere.seen)
    purge = await a_ledger.write(erasing.begin_purge, by="An", due=1, by_reason={})
    await a_ledger.write(erasing.erase_due, purge, slice_rows=10)

    with pytest.raises(FileRefused, match="erased while"):
        await a_ledger.write(
            elsewhere.note_export, sight, standing=Standing.OPTED_IN, rows=1, purpose=None
        )


@pytest.mark.parametrize("way", ["none", "no", "suppressed"])
async def test_who_stood_in_no_export_leaves_nothing_to_remove(
    a_ledger: Ledger, a_clock: FakeClock, way: str
) -> None:
    (an,) = await asked(a_ledger, AN)
    if way != "none":
        await press(a_ledger, an, Answer.YES)
        a_clock.advance(MINUTE)
    if way == "no":
        await press(a_ledger, an, Answer.NO)
    if way == "suppressed":
        await a_ledger.write(suppression.suppress, [parse(AN)], source="list", reason="")
    await exported(a_ledger)
    await exported(a_ledger, standing=Standing.OPTED_OUT)

    assert await erased(a_ledger, an) == ()


async def test_it_is_told_until_an_export_of_who_must_stop_has_said_so(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES)
    await exported(a_ledger, standing=Standing.OPTED_OUT)
    await exported(a_ledger)
    a_clock.advance(MINUTE)
    await erased(a_ledger, an)
    assert (await a_ledger.read(campaign.figures)).to_remove == 1
    a_clock.advance(MINUTE)
    await exported(a_ledger)
    assert (await a_ledger.read(campaign.figures)).to_remove == 1

    await exported(a_ledger, standing=Standing.OPTED_OUT)

    assert (await a_ledger.read(campaign.figures)).to_remove == 0
    assert len(await a_ledger.read(elsewhere.to_remove)) == 1


async def test_an_export_during_which_somebody_was_erased_is_not_noted(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await press(a_ledger, an, Answer.YES)
    sight = await a_ledger.read(elsewhere.seen)
    await erased(a_ledger, an)

    with pytest.raises(FileRefused, match="was erased"):
        await a_ledger.write(
            elsewhere.note_export, sight, standing=Standing.OPTED_IN, rows=1, purpose=None
        )
    await a_ledger.write(
        elsewhere.note_export, sight, standing=Standing.OPTED_OUT, rows=0, purpose=None
    )
    assert await erased(a_ledger, jan) == ()
