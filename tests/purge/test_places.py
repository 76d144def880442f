"""A purge and the places elsewhere: it is complete once its own people are removed there, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from repermit.cli.status import status_content
from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, due, extending, guarding, places
from repermit.purge.guard import Watch
from repermit.purge.plan import Purged
from repermit.purge.run import purge
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    asked,
    deliver_outbox,
    press,
    terms,
)
from tests.purge.builders import DUE, fill, mailbox, ordered, signed

SHOP = "the web shop"


async def purged(ledger: Ledger, at_most: int | None = None) -> Purged:
    """Purge whoever is due now."""
    return await purge(ledger, ordered(ledger, at_most), Watch(), sign=signed, tell=lambda _: None)


async def last_purge(ledger: Ledger) -> dict[str, Any]:
    """Return what `status` says of the last purge."""
    told: dict[str, Any] = status_content(await ledger.read(campaign.figures))["last_purge"]
    return told


async def cleaned(ledger: Ledger, name: str = SHOP) -> None:
    """Hand over everybody who must be removed, and note that it is done."""
    await ledger.write(places.hand_over, names_anybody=True)
    await ledger.write(places.note_done, name, by="Jan", on=ledger.clock.now().date())


async def test_a_purge_is_complete_once_its_people_are_removed_in_each_place(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await a_ledger.write(places.name_places, [SHOP])
    await cleaned(a_ledger)

    done = await purged(a_ledger, DUE)

    told = await last_purge(a_ledger)
    assert (told["complete"], told["named_nowhere"]) == (True, [])
    (place,) = done.report["places"]
    day = a_clock.now().date().isoformat()
    assert (place["name"], place["named"], place["done"], place["on"]) == (SHOP, True, True, day)


async def test_a_purge_is_not_complete_when_its_people_fell_due_after_the_hand_over(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await a_ledger.write(places.name_places, [SHOP])
    await cleaned(a_ledger)
    await purged(a_ledger, DUE)
    a_clock.advance(ANSWER_TIME)

    done = await purged(a_ledger)

    assert done.purged == 1
    assert [each["named"] for each in done.report["places"]] == [False]
    told = await last_purge(a_ledger)
    assert (told["complete"], told["named_nowhere"]) == (False, [SHOP])
    await cleaned(a_ledger)  # too late: nobody can say any more who they were
    assert (await last_purge(a_ledger))["named_nowhere"] == [SHOP]


async def test_a_place_that_is_named_after_the_purge_was_told_of_nobody(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await purged(a_ledger, DUE)
    assert (await last_purge(a_ledger))["complete"] is True

    await a_ledger.write(places.name_places, [SHOP])

    told = await last_purge(a_ledger)
    assert (told["complete"], told["named_nowhere"]) == (False, [SHOP])


async def test_a_yes_that_is_withdrawn_after_the_hand_over_was_handed_over_nowhere(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, mailbox("an"))
    await press(a_ledger, an, Answer.YES)
    await a_ledger.write(places.name_places, [SHOP])
    a_clock.advance(ANSWER_TIME + timedelta(days=1))
    await a_ledger.write(places.hand_over, names_anybody=True)
    a_clock.advance(timedelta(days=5))
    await press(a_ledger, an, Answer.NO)
    a_clock.advance(timedelta(days=1))
    await deliver_outbox(a_ledger)

    assert await a_ledger.read(due.counts, terms(a_clock.now())) == {"withdrawn": 1}
    assert await a_ledger.read(guarding.unlisted_places, terms(a_clock.now())) == 1


async def test_a_hand_over_before_the_date_to_which_the_deadline_was_moved_named_nobody(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)
    await a_ledger.write(places.name_places, [SHOP])
    until = a_clock.now() + timedelta(days=10)
    await a_ledger.write(
        extending.extend, until, reason="strike", by="An", informed="Jan", approval=1
    )
    a_clock.advance(timedelta(days=2))
    await a_ledger.write(places.hand_over, names_anybody=False)
    a_clock.advance(timedelta(days=9))

    assert await a_ledger.read(guarding.unlisted_places, terms(a_clock.now())) == 1
