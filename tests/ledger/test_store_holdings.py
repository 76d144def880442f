from __future__ import annotations

from datetime import timedelta

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import elsewhere, holdings, suppression
from repermit.ledger.store.holdings import Exported, Holdings
from repermit.ledger.transaction import Transaction
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from tests.builders import (
    NOW,
    FakeClock,
    admit,
    asked,
    deliver_outbox,
    press,
    verified,
)
from tests.purge.builders import ordered, signed

FAIR, CARD = "the fair", "a card"


async def held(ledger: Ledger) -> Holdings:
    """Return what is held."""
    return await ledger.read(holdings.holdings)


def people(*numbers: int) -> list[str]:
    """Return addresses."""
    return [f"lid-{number}@voorbeeld.example" for number in numbers]


async def test_an_empty_ledger_holds_nobody(a_ledger: Ledger) -> None:
    found = await held(a_ledger)

    assert sum(found.figures.standings.values()) == 0
    assert (found.groups, dict(found.fields), found.sources, found.in_use) == ((), {}, (), ())
    assert (found.imports, found.first_import_at, found.suppressed_since) == (0, None, None)
    assert (found.begun_at, found.generation, found.purges) == (NOW, 1, 0)


async def test_it_counts_what_is_sealed_and_where_people_come_from(a_ledger: Ledger) -> None:
    await admit(a_ledger, *people(1, 2, 3), source=FAIR, sale_ref="4711")
    await admit(a_ledger, *people(4), source=None, country="NL")

    found = await held(a_ledger)

    assert found.fields == {"mailbox": 4, "source": 3, "collected": 4, "sale_ref": 3}
    assert (found.sources, found.other_sources) == (((FAIR, 3),), 0)
    assert found.groups == (("signed_up_no_proof", "BE", 3), ("signed_up_no_proof", "NL", 1))
    assert (found.imports, found.first_import_at, found.in_use) == (2, NOW, (1,))


@pytest.mark.parametrize("source", ["gekregen van an@voorbeeld.example", "an＠voorbeeld.example"])
async def test_a_source_that_may_point_to_somebody_is_not_named(
    a_ledger: Ledger, source: str
) -> None:
    """Few share it, or an address is in it."""
    await admit(a_ledger, *people(1, 2), source=CARD)
    await admit(a_ledger, *people(3, 4, 5), source=source)

    found = await held(a_ledger)

    assert (found.sources, found.other_sources) == ((), 5)


async def test_a_list_with_another_source_in_every_row_is_counted_all_the_same(
    a_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "_KNOWN_SOURCES", 2)
    for number in range(1, 5):
        await admit(a_ledger, *people(number), source=f"form {number}")
    await admit(a_ledger, *people(5, 6), source="form 1")

    found = await held(a_ledger)

    assert (found.sources, found.other_sources) == ((("form 1", 3),), 3)


async def test_it_counts_answers_by_purpose_suppressions_and_exports(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await asked(a_ledger, *people(1, 2, 3))
    await press(a_ledger, ids[0], Answer.YES, purposes=("newsletter", "fair"))
    await press(a_ledger, ids[1], Answer.YES)
    await press(a_ledger, ids[2], Answer.NO)
    gone = [parse("weg@voorbeeld.example")]
    await a_ledger.write(suppression.suppress, gone, source="list", reason="")

    def export(tx: Transaction) -> None:
        file = elsewhere.Written(Standing.OPTED_IN, None, "csv", 2, "0" * 64)
        elsewhere.note_export(tx, elsewhere.seen(tx), [file])

    await a_ledger.write(export)

    found = await held(a_ledger)

    assert dict(found.agreed) == {"newsletter": 2, "fair": 1}
    assert dict(found.suppressed) == {"answer": 1, "list": 1}
    assert (found.suppressed_since, found.answers) == (NOW, 3)
    assert found.exports == (Exported(NOW, "opted_in", "csv", 2),)
    assert (await verified(a_ledger)).holds


async def test_after_a_purge_the_survivors_stand_under_the_new_keys(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    ids = await asked(a_ledger, *people(1, 2, 3))
    await press(a_ledger, ids[0], Answer.YES)
    await deliver_outbox(a_ledger)
    a_clock.advance(timedelta(days=40))
    await purge(a_ledger, ordered(a_ledger, 2), Watch(), sign=signed, tell=lambda _: None)

    found = await held(a_ledger)

    assert (found.purges, found.last_purge_at) == (1, a_clock.now())
    assert (found.generation, found.in_use, dict(found.fields)["mailbox"]) == (2, (2,), 1)
    assert found.figures.purged == 2


async def test_what_cannot_be_opened_is_counted(a_ledger: Ledger) -> None:
    """One was altered, one holds something else, and the key of a third is gone."""
    await admit(a_ledger, *people(1, 2, 3, 4), source=FAIR)

    def damage(tx: Transaction) -> None:
        tx.run("UPDATE recipient SET sealed = CAST(standing AS BLOB) WHERE id = 1")
        tx.run("UPDATE recipient SET sealed = ? WHERE id = 2", b"\xff\xfeA")
        tx.run("UPDATE recipient SET generation = 7 WHERE id = 3")

    await a_ledger.write(damage)

    found = await held(a_ledger)

    assert (found.altered, found.keyless) == (2, 1)
    assert found.fields == {"mailbox": 1, "source": 1, "collected": 1}
    assert sum(found.figures.standings.values()) == 4
