"""Finding people by a part of their address."""

from __future__ import annotations

from repermit.ledger.engine import Ledger
from repermit.ledger.store import searching
from tests.builders import admit

PEETERS, ANDERS = "An.Peeters@telenet.example", "jan.anders@telenet.example"


async def found(ledger: Ledger, *parts: str, slice_rows: int = 10) -> list[int]:
    """Return the numbers of whose addresses hold all of *parts*."""
    ids, last = list[int](), 0
    while True:
        last, opened, matches = await ledger.read(
            searching.search, parts, after_id=last, slice_rows=slice_rows
        )
        assert opened <= slice_rows
        ids += [each.id for each in matches]
        if not last:
            return ids


async def test_everybody_is_found_whose_address_holds_every_part(a_ledger: Ledger) -> None:
    an, jan = await admit(a_ledger, PEETERS, ANDERS)

    assert await a_ledger.read(searching.count) == 2
    assert await found(a_ledger, "an") == [an, jan]
    assert await found(a_ledger, "peeters", "an") == [an]
    assert await found(a_ledger, "telenet", slice_rows=1) == [an, jan]
    assert await found(a_ledger, "nobody") == []


async def test_a_match_says_who_and_where_they_stand(a_ledger: Ledger) -> None:
    await admit(a_ledger, PEETERS)

    _, _, (one,) = await a_ledger.read(searching.search, ["peet"], after_id=0, slice_rows=10)

    assert (one.id, one.address.masked, one.standing) == (1, "An•••@telenet.example", "listed")
