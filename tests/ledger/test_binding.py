"""Promise 10: the address of a yes is the one that the log has, whoever holds the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from repermit.domain.standing import Answer
from repermit.errors import ProofBroken
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import reading
from repermit.ledger.store.consent import standing_consent
from repermit.ledger.transaction import Transaction
from tests.builders import asked, press, verified

AN, JAN, OTHER = (f"{name}@voorbeeld.example" for name in ("an", "jan", "ander"))


@pytest.fixture
async def a_yes(a_ledger: Ledger) -> Ledger:
    """Of two who were asked, the first said yes."""
    one, _ = await asked(a_ledger, AN, JAN)
    await press(a_ledger, one, Answer.YES)
    return a_ledger


def sealed_as(content: Any, *, filed: str | None = None) -> Callable[[Transaction], None]:
    """Return what seals *content* in the row of the first, as whoever has the keys can do, and
    files it under that address, if one is given."""

    def part(tx: Transaction) -> None:
        generation = tx.value("SELECT generation FROM recipient WHERE id = 1")
        sealed = tx.vault.seal(content, generation=generation, recipient_id=1)
        tx.run("UPDATE recipient SET sealed = ? WHERE id = 1", sealed)
        if filed:
            lookup = tx.vault.lookup(filed, generation=generation)
            tx.run("UPDATE recipient SET lookup = ? WHERE id = 1", lookup)

    return part


async def test_a_yes_that_is_sealed_to_another_address_is_named(a_yes: Ledger) -> None:
    assert (await verified(a_yes)).holds
    await a_yes.write(sealed_as({"mailbox": OTHER}, filed=OTHER))

    found = await verified(a_yes)

    assert found.faults == ["recipient 1: its address is not that of the log"]
    with pytest.raises(ProofBroken, match="recipient 1: its address is not that of the log"):
        await a_yes.read(standing_consent, 1)


async def test_no_export_holds_an_address_that_is_not_that_of_the_log(a_yes: Ledger) -> None:
    """Also where whoever reads did not see the ledger verified before."""
    replay = await a_yes.read_proven(lambda _, replay: replay)
    await a_yes.write(sealed_as({"mailbox": OTHER}, filed=OTHER))

    with pytest.raises(ProofBroken, match="recipient 1"):
        await a_yes.read(lambda tx: list(reading.opted_in(tx, replay, None)))


async def test_a_yes_that_is_filed_under_another_address_is_named(a_yes: Ledger) -> None:
    await a_yes.write(sealed_as({"mailbox": AN}, filed=OTHER))

    assert (await verified(a_yes)).faults == ["recipient 1: it is not filed under its address"]


@pytest.mark.parametrize("content", [{}, [], {"mailbox": 1}])
async def test_a_row_that_seals_no_address_is_named(a_yes: Ledger, content: Any) -> None:
    await a_yes.write(sealed_as(content))

    assert (await verified(a_yes)).faults == ["recipient 1: its address is not that of the log"]


async def test_the_address_as_somebody_writes_it_is_theirs(a_yes: Ledger) -> None:
    await a_yes.write(sealed_as({"mailbox": AN.upper()}))

    assert (await verified(a_yes)).holds


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            "sealed = CAST(standing AS BLOB)",
            "cannot be opened: the sealed field of recipient 1 was altered",
        ),
        (
            "generation = 9",
            "cannot be opened: vault generation 9 is not in the key folder",
        ),
    ],
)
async def test_an_address_that_cannot_be_opened_is_named(
    a_yes: Ledger, change: str, named: str
) -> None:
    await a_yes.write(lambda tx: tx.run(f"UPDATE recipient SET {change} WHERE id = 1"))

    *_, fault = (await verified(a_yes)).faults

    assert fault.startswith("recipient 1: its ")
    assert fault.endswith(named)


@pytest.mark.sqlite
async def test_a_generation_that_is_no_number_is_named(a_yes: Ledger) -> None:
    await a_yes.write(lambda tx: tx.run("UPDATE recipient SET generation = 'x' WHERE id = 1"))

    *_, fault = (await verified(a_yes)).faults  # nor can the entry be checked

    assert fault == "recipient 1: its generation is not one"


async def test_a_generation_that_was_destroyed_is_named(a_yes: Ledger) -> None:
    number = await a_yes.read(lambda tx: tx.value("SELECT generation FROM campaign"))
    keys.destroy_generation(a_yes.vault.keys.burn, number)
    a_yes.vault.forget(number)

    entry, *_, fault = (await verified(a_yes)).faults

    assert f"it cannot be checked: vault generation {number}" in entry
    assert fault.startswith(f"recipient 1: its address cannot be opened: vault generation {number}")
