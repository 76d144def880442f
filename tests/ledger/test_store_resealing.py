from __future__ import annotations

from repermit.domain.policy import Rules
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.purged import false_phases
from repermit.ledger.store import correcting, due, erasing, lapsing
from repermit.ledger.store.resealing import mailbox_in
from tests.builders import NOW, a_newcomer, admit, begin_purge, take_in, terms

AN = "an@voorbeeld.example"


def test_a_mailbox_is_found_wherever_it_stands() -> None:
    assert mailbox_in('{"mailbox":"an@voorbeeld.example","x":1}') == AN
    assert mailbox_in('{"x":1,"mailbox":"an@voorbeeld.example"}') == AN


async def test_whoever_is_corrected_while_a_purge_is_under_way_is_sealed_under_the_new_keys(
    a_ledger: Ledger,
) -> None:
    await a_ledger.write(take_in, [a_newcomer(AN)])
    keys.create_generation(a_ledger.vault.keys.burn, 2)
    await a_ledger.write(erasing.begin_generation, 2)

    await a_ledger.write(correcting.correct, 1, "language", "fr", rules=Rules(), today=NOW.date())

    generation = await a_ledger.read(lambda tx: tx.value("SELECT generation FROM recipient"))
    assert generation == 2


async def test_whoever_no_reason_is_about_never_falls_due(a_ledger: Ledger) -> None:
    (an,) = await admit(a_ledger, AN)

    assert await a_ledger.read(due.of, terms(NOW), an) is None


async def test_a_purge_that_has_just_begun_is_as_far_as_it_says(a_ledger: Ledger) -> None:
    await begin_purge(a_ledger)

    assert await a_ledger.read(lambda tx: list(false_phases(tx))) == []


async def test_a_code_that_went_meanwhile_is_not_counted(a_ledger: Ledger) -> None:
    before = await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head"))

    assert await a_ledger.write(lapsing.lapse, terms(NOW), [b"7"], purge=None) == 0
    assert await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head")) == before
