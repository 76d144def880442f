"""Which messages that came in were handled, by their digests."""

from __future__ import annotations

from repermit.ledger.engine import Ledger
from repermit.ledger.store import handled


async def test_what_stays_where_it_is_is_known_from_then_on(a_ledger: Ledger) -> None:
    one, two = b"1" * 32, b"2" * 32
    assert await a_ledger.read(handled.unknown, [one, two]) == [True, True]

    await a_ledger.write(handled.leave, [one], "not_ours")
    await a_ledger.write(handled.leave, [one], "forged")

    assert await a_ledger.read(handled.unknown, [one, two]) == [False, True]
    assert await a_ledger.read(handled.outcome_of, one) == "not_ours"
    assert await a_ledger.read(handled.outcome_of, two) is None
