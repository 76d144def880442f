"""What exports have carried out of the ledger: an erasure can be told to whoever received it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing, Way
from repermit.errors import FileRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, elsewhere, erasing, suppression
from repermit.ledger.store.elsewhere import Changes, Written
from repermit.ledger.transaction import Transaction
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    asked,
    begin_purge,
    deliver_outbox,
    press,
    terms,
    verified,
)

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"
MINUTE = timedelta(minutes=1)


async def exported(
    ledger: Ledger, *, standing: Standing = Standing.OPTED_IN, purpose: str | None = None
) -> None:
    """Note an export of everybody who stands so now."""
    sight = await ledger.read(elsewhere.seen)
    await ledger.write(elsewhere.note_export, sight, [written(standing, purpose)])


def written(standing: Standing, purpose: str | None = None) -> Written:
    """Return what was written, as it goes into the ledger."""
    return Written(standing, purpose, "csv", 1, "f" * 64)


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

    purge = await begin_purge(a_ledger)
    assert await a_ledger.write(erasing.erase_due, purge, slice_rows=10) == 3

    assert [one.proof for one in await a_ledger.read(elsewhere.to_remove)] == [first]
    assert (await verified(a_ledger)).holds


async def test_an_export_during_which_somebody_was_purged_is_not_noted(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN)
    a_clock.advance(ANSWER_TIME)
    sight = await a_ledger.read(elsewhere.seen)
    purge = await begin_purge(a_ledger)
    await a_ledger.write(erasing.erase_due, purge, slice_rows=10)

    written = Written(Standing.OPTED_IN, None, "csv", 1, "f" * 64)
    with pytest.raises(FileRefused, match="erased while"):
        await a_ledger.write(elsewhere.note_export, sight, [written])


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
        await a_ledger.write(elsewhere.note_export, sight, [written(Standing.OPTED_IN)])
    await a_ledger.write(elsewhere.note_export, sight, [written(Standing.OPTED_OUT)])
    assert await erased(a_ledger, jan) == ()


async def purged(ledger: Ledger, clock: FakeClock) -> list[int]:
    """Let everybody's time be over, purge, and return the proofs that must be removed elsewhere."""
    clock.advance(2 * ANSWER_TIME)

    def part(tx: Transaction) -> None:
        purge = erasing.begin_purge(tx, terms(tx.now), by="An", facts={})
        while erasing.erase_due(tx, purge, slice_rows=1):
            pass

    await ledger.write(part)
    assert (await verified(ledger)).holds
    return [each.proof for each in await ledger.read(elsewhere.to_remove)]


async def no(ledger: Ledger, clock: FakeClock, recipient_id: int) -> None:
    """Let somebody say no, a minute later; a minute after it its acknowledgement has left."""
    clock.advance(MINUTE)
    await press(ledger, recipient_id, Answer.NO, way=Way.ONE_CLICK)
    clock.advance(MINUTE)
    assert await deliver_outbox(ledger) == 1


async def test_who_is_purged_after_an_export_of_their_yes_is_to_be_removed_elsewhere(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Nobody ran an export of who must stop between their no and the purge; who never said yes,
    or stood in no export, leaves nothing."""
    an, jan, _ = await asked(a_ledger, AN, JAN, "els@voorbeeld.example")
    await press(a_ledger, an, Answer.YES)
    await exported(a_ledger)
    (leaf,) = await leaves(a_ledger)
    await no(a_ledger, a_clock, an)
    await no(a_ledger, a_clock, jan)

    assert await purged(a_ledger, a_clock) == [leaf]
    assert (await a_ledger.read(campaign.figures)).to_remove == 1


@pytest.mark.parametrize("by", ["press", "list"])
async def test_who_was_named_as_who_must_stop_before_the_purge_is_not_told_again(
    a_ledger: Ledger, a_clock: FakeClock, by: str
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES)
    await exported(a_ledger, standing=Standing.OPTED_OUT)
    await exported(a_ledger)
    if by == "press":
        await no(a_ledger, a_clock, an)
    else:
        await a_ledger.write(suppression.suppress, [parse(AN)], source="elsewhere", reason="")
    await exported(a_ledger, standing=Standing.OPTED_OUT)

    assert await purged(a_ledger, a_clock) == []
    assert (await a_ledger.read(campaign.figures)).to_remove == 0


def holding(*ids: int) -> bytearray:
    """Return what says that an export holds *ids*."""
    holds = bytearray(10)
    for one in ids:
        holds[one] = 1
    return holds


async def changed(ledger: Ledger, *ids: int, purpose: str | None = None) -> tuple[int, int] | None:
    """Return how many an export of *ids* would add, and how many are gone; None if it is the
    first."""
    found = await ledger.read(elsewhere.changes, holding(*ids), purpose=purpose)
    return (found.added, found.gone) if found else None


async def test_an_export_tells_what_changed_since_the_last(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Who said no, was erased, or was purged, also once they were named as who must stop."""
    names = (AN, JAN, "els@voorbeeld.example", "piet@voorbeeld.example", "mia@voorbeeld.example")
    an, jan, els, piet, mia = await asked(a_ledger, *names)
    for one in (an, jan, els, piet):
        await press(a_ledger, one, Answer.YES)
    assert await changed(a_ledger, an, jan, els, piet) is None
    await exported(a_ledger)
    at = a_clock.now()
    assert await changed(a_ledger, an, jan, els, piet) == (0, 0)

    await no(a_ledger, a_clock, jan)
    await erased(a_ledger, els)
    await press(a_ledger, mia, Answer.YES)

    assert await changed(a_ledger, an, piet, mia) == (1, 2)
    await exported(a_ledger, standing=Standing.OPTED_OUT)
    await purged(a_ledger, a_clock)
    found = await a_ledger.read(elsewhere.changes, holding(an, piet, mia), purpose=None)
    assert found == Changes(at, added=1, gone=2)


async def test_what_changed_is_told_of_each_purpose_by_itself(a_ledger: Ledger) -> None:
    an, jan = await asked(a_ledger, AN, JAN)
    await press(a_ledger, an, Answer.YES, purposes=("fair",))
    await press(a_ledger, jan, Answer.YES)
    await exported(a_ledger, purpose="fair")

    assert await changed(a_ledger, an, jan, purpose="fair") == (1, 0)
    assert await changed(a_ledger, an, jan, purpose="newsletter") is None
    assert await changed(a_ledger, an, jan) is None


async def narrowed(ledger: Ledger, purpose: str | None = None) -> list[tuple[str, tuple[str, ...]]]:
    """Return who agrees no more to what an export carried them out for, and to what they do."""
    found = await ledger.read(lambda tx: list(elsewhere.no_more(tx, purpose)))
    return [(one.mailbox, one.purposes) for one in found]


BOTH = ("newsletter", "fair")


@pytest.mark.parametrize("exported_for", [None, "fair"])
async def test_a_yes_to_less_than_an_export_carried_out_is_told_to_the_list_of_that_purpose(
    a_ledger: Ledger, a_clock: FakeClock, exported_for: str | None
) -> None:
    """Not who agrees to it still, nor who never did; nor who opted out of all, who is named
    anyway. They are never gone from an export of all purposes."""
    names = (AN, JAN, "els@voorbeeld.example", "piet@voorbeeld.example")
    an, jan, els, piet = await asked(a_ledger, *names)
    for one in (an, jan, piet):
        await press(a_ledger, one, Answer.YES, purposes=BOTH)
    await press(a_ledger, els, Answer.YES)
    await exported(a_ledger, purpose=exported_for)
    assert await narrowed(a_ledger, "fair") == []

    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.YES)
    await press(a_ledger, piet, Answer.NO)

    assert await narrowed(a_ledger, "fair") == [(AN, ("newsletter",))]
    assert await narrowed(a_ledger, "newsletter") == await narrowed(a_ledger) == []
    (found,) = await a_ledger.read(lambda tx: list(elsewhere.no_more(tx, "fair")))
    assert (found.id, found.language, found.since) == (an, "nl", a_clock.now())
    assert found.leaf == (await leaves(a_ledger))[-2]
    if exported_for:
        assert await changed(a_ledger, jan, purpose="fair") == (0, 2)
    else:
        assert await changed(a_ledger, an, jan, els) == (0, 1)


@pytest.mark.parametrize("exported_for", ["newsletter", None])
async def test_who_no_export_carried_out_for_that_purpose_is_not_told(
    a_ledger: Ledger, a_clock: FakeClock, exported_for: str | None
) -> None:
    """It was made for another, or after they had said that they agree to less."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES, purposes=BOTH)
    if exported_for:
        await exported(a_ledger, purpose=exported_for)
    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.YES)
    await exported(a_ledger)

    assert await narrowed(a_ledger, "fair") == []


@pytest.mark.parametrize("purpose", [None, "newsletter"])
async def test_a_yes_that_a_contrary_press_made_void_after_an_export_is_told(
    a_ledger: Ledger, a_clock: FakeClock, purpose: str | None
) -> None:
    """They stand where they stood before it: neither a yes nor a no."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES)
    await exported(a_ledger)
    a_clock.advance(timedelta(seconds=1))
    await press(a_ledger, an, Answer.NO)

    assert await narrowed(a_ledger, purpose) == [(AN, ())]
    assert await changed(a_ledger) == (0, 1)


@pytest.mark.parametrize(("told", "left"), [(None, 0), ("fair", 0), ("newsletter", 1)])
async def test_to_have_told_the_list_of_another_purpose_is_not_enough(
    a_ledger: Ledger, a_clock: FakeClock, told: str | None, left: int
) -> None:
    """Neither of a no before the purge, nor of an erasure."""
    an, jan = await asked(a_ledger, AN, JAN)
    for one in (an, jan):
        await press(a_ledger, one, Answer.YES, purposes=("fair",))
    await exported(a_ledger, purpose="fair")
    await erased(a_ledger, jan)
    await no(a_ledger, a_clock, an)

    sight = await a_ledger.read(elsewhere.seen)
    await a_ledger.write(elsewhere.note_export, sight, [written(Standing.OPTED_OUT, told)])
    assert await a_ledger.read(elsewhere.untold) == left
    assert len(await purged(a_ledger, a_clock)) == 1 + left
