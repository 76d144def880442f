"""The contract with a client has ended: whoever is left is erased, once the client has them all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.domain.due import BY_CLOSE, BY_CONTRACT
from repermit.domain.hold import Why
from repermit.domain.standing import Answer, Standing
from repermit.errors import PurgeRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, closing, elsewhere, holding, reading
from repermit.ledger.store.elsewhere import Written
from repermit.ledger.transaction import Transaction
from repermit.purge.guard import Watch
from repermit.purge.plan import Order
from repermit.purge.run import plan, purge
from tests.builders import ANSWER_TIME, FakeClock, press, standings, verified
from tests.purge.builders import (
    STAY,
    Killed,
    Told,
    address,
    dying,
    fill,
    on_file,
    ordered,
    reopened,
    signed,
)

LEFT = len(STAY) - 1  # by then the one who was asked later is due by their date
LAST_WRITE = 20  # nobody is left to be sealed anew


def quietly(_: str) -> None:
    """Keep nothing of what is told."""


def order(ledger: Ledger, at_most: int | None) -> Order:
    """Return the order to erase everybody who is left."""
    made = ordered(ledger, at_most)
    return replace(made, accepted_outage="", terms=replace(made.terms, reasons=BY_CONTRACT))


def _handed_over(tx: Transaction) -> None:
    """Note a hand-over as it is made now: who said yes, and who needs no question."""
    files = [
        Written(standing, None, "csv", 1, "5e" * 32)
        for standing in (Standing.OPTED_IN, Standing.EXEMPT)
    ]
    elsewhere.note_export(tx, elsewhere.seen(tx), files)


async def hand_over(ledger: Ledger) -> None:
    await ledger.write(_handed_over)


async def ended(ledger: Ledger, clock: FakeClock) -> dict[str, int]:
    """Let a campaign come to its end: purged, handed over, and closed; return the ids."""
    people = await fill(ledger, clock)
    clock.advance(ANSWER_TIME)
    by_date = ordered(ledger, 9)
    await purge(ledger, by_date, Watch(), sign=signed, tell=quietly)
    await hand_over(ledger)
    closes = replace(by_date.terms, moment=clock.now(), reasons=BY_CLOSE)
    await ledger.write(closing.close, closes, by="An", kept=BY_CLOSE)
    return people


async def refused(ledger: Ledger) -> list[str]:
    """Return the codes of what stands against it."""
    return [each.code for each in (await plan(ledger, order(ledger, None), Watch())).refused]


async def test_nobody_goes_before_the_campaign_is_closed_and_handed_over(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await fill(a_ledger, a_clock)

    before = await refused(a_ledger)
    await hand_over(a_ledger)
    handed_over = await refused(a_ledger)

    assert (before, handed_over) == (["open", "handover"], ["open"])
    with pytest.raises(PurgeRefused):
        await purge(a_ledger, order(a_ledger, 99), Watch(), sign=signed, tell=quietly)


async def test_everybody_who_is_left_goes(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    people = await ended(a_ledger, a_clock)

    intended = await plan(a_ledger, order(a_ledger, None), Watch())
    done = await purge(a_ledger, order(a_ledger, LEFT), Watch(), sign=signed, tell=quietly)

    assert (intended.by_reason, intended.refused) == ({"contract_ended": LEFT}, ())
    assert (done.purged, done.traces) == (LEFT, 0)
    assert set((await standings(a_ledger)).values()) == set()
    assert len(people) > LEFT
    figures = await a_ledger.read(campaign.figures)
    assert (figures.purged, figures.to_remove) == (figures.admitted, 0)
    assert (await verified(a_ledger)).holds
    assert [path.name for path in (campaign_folder / "keys" / "burn").iterdir()] == ["3.key"]
    assert await refused(a_ledger) == []
    assert (await plan(a_ledger, order(a_ledger, None), Watch())).due == 0


async def test_more_than_was_said_do_not_go(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await ended(a_ledger, a_clock)

    intended = await plan(a_ledger, order(a_ledger, LEFT - 1), Watch())

    assert [each.code for each in intended.refused] == ["at_most"]


async def test_who_changed_their_mind_since_the_hand_over_stays_until_the_next(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Also between the look and the erasing: the client does not know of that no yet."""
    people = await ended(a_ledger, a_clock)
    killed, told = order(a_ledger, LEFT), Told([], kill_at="erasing")
    with pytest.raises(Killed):
        await purge(a_ledger, killed, Watch(), sign=signed, tell=told)
    await press(a_ledger, people["said-yes"], Answer.NO)

    done = await purge(a_ledger, order(a_ledger, LEFT), Watch(), sign=signed, tell=quietly)

    assert (done.due, done.purged) == (LEFT, LEFT - 1)
    assert await on_file(a_ledger) == {"said-yes"}
    assert await refused(a_ledger) == ["handover"]
    await hand_over(a_ledger)
    assert await refused(a_ledger) == []
    assert await a_ledger.read(reading.find, address("said-yes")) is not None


async def test_who_is_held_for_a_dispute_stays(a_ledger: Ledger, a_clock: FakeClock) -> None:
    people = await ended(a_ledger, a_clock)
    until = a_clock.now() + timedelta(days=9)
    one, why = people["exempt"], Why.DISPUTE
    await a_ledger.write(
        holding.hold, one, kind=why, until=until, by="An", reason="a claim is open"
    )

    intended = await plan(a_ledger, order(a_ledger, None), Watch())

    assert (intended.due, intended.held) == (LEFT - 1, 1)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("writes", range(1, LAST_WRITE + 1))
async def test_one_that_was_killed_at_any_of_its_writes_is_finished_by_the_next(
    a_ledger: Ledger, a_clock: FakeClock, writes: int, *, after: bool
) -> None:
    await ended(a_ledger, a_clock)
    await a_ledger.close()
    killed = dying(a_ledger, a_clock, writes=writes, after=after)
    with pytest.raises(Killed):
        await purge(killed, order(killed, LEFT), Watch(), sign=signed, tell=quietly)
    await killed.close()

    ledger = reopened(a_ledger, a_clock)
    intended = await plan(ledger, order(ledger, LEFT), Watch())
    await purge(ledger, order(ledger, intended.due), Watch(), sign=signed, tell=quietly)

    assert await on_file(ledger) == set()
    figures = await ledger.read(campaign.figures)
    assert figures.purged == figures.admitted
    assert (await verified(ledger)).holds
    await ledger.close()


async def test_there_is_no_write_at_which_it_was_not_killed(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await ended(a_ledger, a_clock)
    await a_ledger.close()
    ledger = dying(a_ledger, a_clock, writes=100, after=False)

    await purge(ledger, order(ledger, LEFT), Watch(), sign=signed, tell=quietly)

    assert 100 - ledger.writes_left == LAST_WRITE
    await ledger.close()
