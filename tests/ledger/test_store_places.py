from datetime import date, timedelta

import pytest

from repermit.errors import PlaceUnknown
from repermit.ledger.engine import Ledger
from repermit.ledger.store import places
from tests.builders import NOW, FakeClock, verified

SHOP, NEWS = "the web shop", "the newsletter tool"
TODAY = date(2026, 11, 21)


async def handed(ledger: Ledger, *names: str, names_anybody: bool = True) -> None:
    """Name places, and hand over who must be removed there."""
    await ledger.write(places.name_places, names)
    await ledger.write(places.hand_over, names_anybody=names_anybody)


async def test_a_place_that_is_named_twice_is_one(a_ledger: Ledger) -> None:
    assert not await a_ledger.read(places.is_told)

    await a_ledger.write(places.name_places, [SHOP, NEWS])
    before = (await verified(a_ledger)).size
    await a_ledger.write(places.name_places, [SHOP])

    known = await a_ledger.read(places.places)
    assert [(each.name, each.named_at, each.is_done) for each in known] == [
        *((SHOP, NOW, False), (NEWS, NOW, False))
    ]
    assert await a_ledger.read(places.is_told)
    found = await verified(a_ledger)
    assert (found.size, found.holds) == (before, True)


async def test_that_the_list_lives_nowhere_else_is_in_the_log(a_ledger: Ledger) -> None:
    await a_ledger.write(places.say_nowhere)

    assert await a_ledger.read(places.is_told)
    assert await a_ledger.read(places.places) == ()
    assert (await verified(a_ledger)).holds


async def test_a_place_is_done_by_somebody_on_a_day(a_ledger: Ledger) -> None:
    await handed(a_ledger, SHOP, NEWS)

    await a_ledger.write(places.note_done, SHOP, by="Jan", on=TODAY)

    shop, news = await a_ledger.read(places.places)
    assert (shop.is_done, shop.done_by, shop.done_on) == (True, "Jan", TODAY)
    assert shop.handed_over_at == NOW
    assert not news.is_done
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("names_anybody", [False, True])
async def test_a_hand_over_that_names_somebody_opens_a_place_again(
    a_ledger: Ledger, a_clock: FakeClock, *, names_anybody: bool
) -> None:
    await handed(a_ledger, SHOP)
    await a_ledger.write(places.note_done, SHOP, by="Jan", on=TODAY)
    a_clock.advance(timedelta(days=1))

    await handed(a_ledger, SHOP, names_anybody=names_anybody)

    (shop,) = await a_ledger.read(places.places)
    assert shop.is_done is not names_anybody
    assert shop.handed_over_at == NOW + timedelta(days=1)
    assert (await verified(a_ledger)).holds


async def test_nothing_is_done_before_it_was_handed_over_or_where_nobody_lives(
    a_ledger: Ledger,
) -> None:
    await a_ledger.write(places.hand_over, names_anybody=True)  # there is no place: no entry
    assert not await a_ledger.read(places.is_told)
    await a_ledger.write(places.name_places, [SHOP])

    with pytest.raises(PlaceUnknown, match="nobody was handed over"):
        await a_ledger.write(places.note_done, SHOP, by="Jan", on=TODAY)
    with pytest.raises(PlaceUnknown, match="no place") as refused:
        await a_ledger.write(places.note_done, "a@b.example", by="Jan", on=TODAY)

    assert refused.value.hint.endswith(f": {SHOP}")
    assert "@" not in str(refused.value)


@pytest.mark.parametrize(
    "by_hand",
    [
        "UPDATE place SET done_at = 1, done_by = 'An'",
        "UPDATE place SET name = 'nowhere'",
        "UPDATE place SET handed_over_at = handed_over_at + 1",
        "UPDATE place SET handed_over_at = handed_over_at + 0.5",
        "DELETE FROM place",
        "INSERT INTO place (id, name, named_at) VALUES (7, 'one more', 0)",
    ],
)
async def test_promise_10_a_place_that_was_changed_by_hand_is_named(
    a_ledger: Ledger, by_hand: str
) -> None:
    await handed(a_ledger, SHOP)
    await a_ledger.write(lambda tx: tx.run(by_hand))

    found = await verified(a_ledger)

    assert [each[:5] for each in found.false_records] == ["place"]
