"""The yes that stands, and only that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.store import answering, approval, campaign
from repermit.ledger.store.consent import standing_consent
from repermit.ledger.store.reading import opted_in, opted_out
from tests.builders import MAIL, PAGE, FakeClock, asked, press

AN = "an@voorbeeld.example"
MINUTE = timedelta(minutes=1)


async def test_a_yes_is_told_with_what_proves_it(a_ledger: Ledger, a_clock: FakeClock) -> None:
    (an,) = await asked(a_ledger, AN)
    asked_at = a_clock.now()
    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.YES, button="Ja, graag")
    found = await a_ledger.read(standing_consent, an)
    figures = await a_ledger.read(campaign.figures)

    assert found is not None
    assert (found.asked_at, found.answered_at) == (asked_at, a_clock.now())
    assert (found.button, found.language, found.way) == ("Ja, graag", "nl", "form")
    assert (found.page, found.mail, found.release) == (PAGE, MAIL, "0.1.0")
    assert (found.purposes, found.country, found.masked) == (
        ("newsletter",),
        "BE",
        "a•••@voorbeeld.example",
    )
    assert (found.log_size, found.log_root) == (figures.log_size, figures.log_root)
    leaf = await a_ledger.read(
        lambda tx: tx.one('SELECT kind, hash FROM log WHERE "index" = ?', found.leaf)
    )
    assert (leaf[0], leaf[1].hex()) == ("answered", found.leaf_hash)


async def test_there_is_none_before_a_yes_and_none_after_it_is_withdrawn(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    assert await a_ledger.read(standing_consent, an) is None
    await press(a_ledger, an, Answer.YES)
    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.NO)

    assert await a_ledger.read(standing_consent, an) is None
    assert await a_ledger.read(standing_consent, 99) is None


async def test_it_carries_what_was_approved_last_before_it(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    an, jan = await asked(a_ledger, AN, "jan@voorbeeld.example")
    await press(a_ledger, an, Answer.YES)
    await approve(a_ledger, "first")
    await approve(a_ledger, "second")
    await press(a_ledger, jan, Answer.YES)
    await approve(a_ledger, "third")

    found = [await a_ledger.read(standing_consent, one) for one in (an, jan)]

    assert [one and one.approved and one.approved["mail"] for one in found] == [None, "second"]


async def approve(ledger: Ledger, mail: str) -> None:
    """Approve everything, with this as what the mail says."""
    if not await ledger.read(campaign.knows_opt_outs):
        await ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    facts = {"mail": mail}
    await ledger.write(approval.approve, by="An", informed="Jan", digest="0" * 64, facts=facts)


@pytest.mark.parametrize("presses", [(Answer.NO, Answer.YES), (Answer.YES, Answer.NO)])
async def test_it_is_the_last_yes_that_counts_never_a_void_one(
    a_ledger: Ledger, a_clock: FakeClock, presses: tuple[Answer, Answer]
) -> None:
    """A yes and a no at once leave the consent as it was before both."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES, button="one")
    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.YES, button="two", purposes=("fair",))
    given_at = a_clock.now()
    a_clock.advance(MINUTE)
    for answer in presses:
        await press(a_ledger, an, answer, button="void")
    found = await a_ledger.read(standing_consent, an)
    (row,) = await a_ledger.read_proven(lambda tx, replay: list(opted_in(tx, replay, None)))
    shown = await a_ledger.read(answering.asked, an)

    assert found is not None
    assert shown is not None
    assert (found.button, found.purposes) == ("two", ("fair",))
    assert (found.answered_at, found.leaf) == (given_at, row.leaf)
    assert given_at == row.confirmed_at == shown.answered_at


async def test_what_is_told_of_a_no_is_the_genuine_one(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)
    given_at = a_clock.now()
    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.YES)
    await press(a_ledger, an, Answer.NO)
    (row,) = await a_ledger.read(lambda tx: list(opted_out(tx)))

    assert row.confirmed_at == given_at
