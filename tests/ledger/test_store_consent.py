"""The yes that stands, and only that."""

from __future__ import annotations

from datetime import timedelta

from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign
from repermit.ledger.store.consent import standing_consent
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


async def test_it_is_the_last_yes_that_counts_never_a_void_one(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """A yes and a no at once leave the consent as it was before both."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES, button="one")
    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.YES, button="two", purposes=("fair",))
    a_clock.advance(MINUTE)
    await press(a_ledger, an, Answer.NO)
    await press(a_ledger, an, Answer.YES, button="void")
    found = await a_ledger.read(standing_consent, an)

    assert found is not None
    assert (found.button, found.purposes) == ("two", ("fair",))
