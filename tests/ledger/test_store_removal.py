from datetime import timedelta

import pytest

from repermit.domain import hold
from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import elsewhere, erasing, holding, leases, removal
from repermit.ledger.store.elsewhere import Written
from repermit.ledger.store.removal import MustGo, Why
from repermit.ledger.transaction import Transaction
from tests.builders import ANSWER_TIME, FakeClock, admit, ask, asked, claim, press, settle

NAMES = ("no", "silent", "yes", "void", "gone")
AT = "voorbeeld.example"


@pytest.fixture
async def people(a_ledger: Ledger) -> dict[str, int]:
    """Somebody of every kind, and an export that has the yeses."""
    ids = dict(zip(NAMES, await asked(a_ledger, *(f"{one}@{AT}" for one in NAMES)), strict=True))
    (ids["lost"],) = await admit(a_ledger, f"lost@{AT}")
    await claim(a_ledger, ids["lost"], owner="lost")
    await a_ledger.write(leases.doubt_claims, ["lost"])
    (ids["away"],) = await admit(a_ledger, f"away@{AT}")
    await claim(a_ledger, ids["away"])
    await settle(a_ledger, ids["away"], Standing.UNDELIVERABLE, reply="550 5.1.1")
    (ids["held"],) = await admit(a_ledger, f"held@{AT}")
    await ask(a_ledger, ids["held"])
    await admit(a_ledger, f"withheld@{AT}", relationship="bought_or_unknown")
    await admit(a_ledger, f"exempt@{AT}", relationship="signed_up_with_proof", proof_ref="7")
    for name in ("yes", "void", "gone"):
        await press(a_ledger, ids[name], Answer.YES)
    sight = await a_ledger.read(elsewhere.seen)
    written = [Written(Standing.OPTED_IN, None, "csv", 3, "a" * 64)]
    await a_ledger.write(elsewhere.note_export, sight, written)
    await press(a_ledger, ids["no"], Answer.NO)
    await press(a_ledger, ids["void"], Answer.NO)  # at once: both are void
    await a_ledger.write(erasing.erase_person, ids["gone"])
    await a_ledger.write(_hold, ids["held"])
    return ids


def _hold(tx: Transaction, recipient_id: int) -> None:
    until, why = tx.now + timedelta(days=365), hold.Why.DISPUTE
    holding.hold(tx, recipient_id, kind=why, until=until, by="An", reason="as agreed")


async def must_go(ledger: Ledger) -> list[tuple[str, Why]]:
    """Return who must be removed elsewhere, and why."""
    found: list[MustGo] = await ledger.read(lambda tx: list(removal.must_go(tx)))
    return [(one.mailbox.partition("@")[0], one.why) for one in found]


async def test_before_their_date_only_a_no_counts_and_a_yes_that_stands_no_more(
    a_ledger: Ledger, people: dict[str, int]
) -> None:
    assert await must_go(a_ledger) == [
        *(("no", Why.OPTED_OUT), ("void", Why.NO_MORE), ("", Why.ERASED)),
    ]


async def test_promise_6_silence_counts_from_the_date_in_the_mail_once_each(
    a_ledger: Ledger, a_clock: FakeClock, people: dict[str, int]
) -> None:
    """Who is held, withheld or exempt, and whose yes stands, is never among them."""
    a_clock.advance(ANSWER_TIME - timedelta(microseconds=1))
    assert len(await must_go(a_ledger)) == 3
    a_clock.advance(timedelta(microseconds=1))

    found: list[MustGo] = await a_ledger.read(lambda tx: list(removal.must_go(tx)))

    assert [(one.mailbox.partition("@")[0], one.why) for one in found] == [
        *(("no", Why.OPTED_OUT), ("silent", Why.SILENT), ("void", Why.SILENT)),
        *(("lost", Why.DOUBTFUL), ("away", Why.UNDELIVERABLE), ("", Why.ERASED)),
    ]
    assert [one.since for one in found if one.why in ("silent", "doubtful", "undeliverable")] == [
        a_clock.now()
    ] * 4
    assert [one.proof is not None for one in found] == [True, *[False] * 4, True]
