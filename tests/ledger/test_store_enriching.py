"""Somebody on several lists, and imports that are undone."""

from datetime import date
from typing import Any

import pytest

from repermit.domain.address import parse
from repermit.errors import ImportRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing, reading, undoing
from repermit.ledger.store.admission import Tally
from repermit.ledger.store.reading import OnFile
from tests.builders import a_newcomer, ask, standings, take_in, verified

AN = "an@voorbeeld.example"


async def take(ledger: Ledger, address: str = AN, **known: Any) -> Tally:
    """Import a list of one person."""
    return await ledger.write(take_in, [a_newcomer(address, **known)])


async def undo(ledger: Ledger, intake_id: int) -> undoing.Undoing:
    """Take an import back, one row at a time."""
    meant = await ledger.write(undoing.begin_undoing, intake_id)
    while await ledger.write(undoing.take_back, intake_id, slice_rows=1):
        pass
    return meant


async def on_file(ledger: Ledger, address: str = AN) -> OnFile | None:
    """Return what is on file of a person."""
    return await ledger.read(reading.find, parse(address))


async def source_of(ledger: Ledger, address: str = AN) -> str | None:
    """Return where a person's evidence says that the address came from."""
    found = await on_file(ledger, address)
    assert found is not None
    return found.person.evidence.source


async def test_the_row_that_says_more_counts_and_is_screened(a_ledger: Ledger) -> None:
    await take(a_ledger, country=None, source="an old list")
    assert list((await standings(a_ledger)).values()) == ["withheld"]
    tally = await take(a_ledger, source="the shop")

    assert (tally.admitted, tally.duplicates, tally.richer) == (0, 1, 1)
    assert list((await standings(a_ledger)).values()) == ["listed"]
    assert await source_of(a_ledger) == "the shop"
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize("country", [None, "BE"])
async def test_a_row_that_says_less_or_as_much_changes_nothing(
    a_ledger: Ledger, country: str | None
) -> None:
    await take(a_ledger)
    tally = await take(a_ledger, country=country, source="the shop")

    assert (tally.duplicates, tally.richer) == (1, 0)
    assert await source_of(a_ledger) == "the stand at the fair"


async def test_a_sensitive_list_wins_however_little_it_says(a_ledger: Ledger) -> None:
    """Being on it says something intimate, whatever another list says of the same person."""
    await take(a_ledger)
    assert (await take(a_ledger, sensitive=True, source=None)).richer == 1
    assert (await take(a_ledger, last_contact=date(2026, 1, 1), proof_ref="7")).richer == 0
    found = await on_file(a_ledger)
    assert found is not None
    assert found.person.evidence.sensitive
    assert found.standing == "withheld"


async def test_whoever_had_a_mail_stays_as_they_were(a_ledger: Ledger) -> None:
    await take(a_ledger)
    await ask(a_ledger, 1)
    tally = await take(a_ledger, last_contact=date(2026, 1, 1))

    assert (tally.duplicates, tally.richer) == (1, 0)


async def test_who_became_richer_is_not_covered_by_an_earlier_approval(a_ledger: Ledger) -> None:
    await take(a_ledger)
    size = await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head"))
    await take(a_ledger, last_contact=date(2026, 1, 1))

    leaf = await a_ledger.read(lambda tx: tx.value("SELECT listed_at_leaf FROM recipient"))
    assert leaf >= size


async def test_undoing_an_import_takes_its_people_and_leaves_the_others(a_ledger: Ledger) -> None:
    await take(a_ledger, "els@voorbeeld.example")
    await a_ledger.write(take_in, [a_newcomer(f"r{n}@voorbeeld.example") for n in range(3)])
    meant = await undo(a_ledger, 2)

    assert (meant.leaving, meant.restored) == (3, 0)
    assert await standings(a_ledger) == {1: "listed"}
    assert (await verified(a_ledger)).holds


async def test_undoing_gives_back_what_was_known_before(a_ledger: Ledger) -> None:
    await take(a_ledger, source="first", country=None)
    await take(a_ledger, source="second")
    meant = await undo(a_ledger, 2)

    assert (meant.leaving, meant.restored) == (0, 1)
    assert await source_of(a_ledger) == "first"
    assert list((await standings(a_ledger)).values()) == ["withheld"]
    assert (await verified(a_ledger)).holds


async def test_undoing_gives_back_what_was_known_also_where_nobody_moves(
    a_ledger: Ledger,
) -> None:
    await take(a_ledger, source="first")
    await take(a_ledger, source="second", last_contact=date(2026, 1, 1))
    await undo(a_ledger, 2)

    assert await source_of(a_ledger) == "first"
    assert await standings(a_ledger) == {1: "listed"}


async def test_undoing_the_first_import_leaves_whom_a_later_one_made_richer(
    a_ledger: Ledger,
) -> None:
    await take(a_ledger, source="first", country=None)
    await take(a_ledger, source="second")
    await undo(a_ledger, 1)

    assert await source_of(a_ledger) == "second"
    await undo(a_ledger, 2)
    assert await on_file(a_ledger) is None
    assert (await verified(a_ledger)).holds


async def test_undoing_an_import_in_the_middle_is_as_if_it_had_never_been(
    a_ledger: Ledger,
) -> None:
    await take(a_ledger, source="first", country=None)
    await take(a_ledger, source="second")
    await take(a_ledger, source="third", last_contact=date(2026, 1, 1))
    await undo(a_ledger, 2)
    assert await source_of(a_ledger) == "third"

    await undo(a_ledger, 3)
    assert await source_of(a_ledger) == "first"
    assert (await verified(a_ledger)).holds


async def test_an_import_can_be_undone_until_its_first_mail(a_ledger: Ledger) -> None:
    await take(a_ledger, "els@voorbeeld.example")
    await take(a_ledger)
    await ask(a_ledger, 2)

    with pytest.raises(ImportRefused, match="1 of its people had a mail"):
        await undo(a_ledger, 2)
    await undo(a_ledger, 1)
    assert await standings(a_ledger) == {2: "asked"}


async def test_there_is_nothing_to_undo_twice_or_of_an_import_that_never_was(
    a_ledger: Ledger,
) -> None:
    await take(a_ledger)
    await undo(a_ledger, 1)

    for number, why in ((1, "nothing is left"), (2, "there is no import 2")):
        with pytest.raises(ImportRefused, match=why):
            await undo(a_ledger, number)


async def test_who_opted_out_meanwhile_stays_so_when_an_import_is_undone(
    a_ledger: Ledger,
) -> None:
    await take(a_ledger, source="first", country=None)
    await take(a_ledger, source="second")
    await a_ledger.write(
        lambda tx: tx.run("UPDATE recipient SET standing = 'opted_out' WHERE id = 1")
    )
    await undo(a_ledger, 2)

    assert await standings(a_ledger) == {1: "opted_out"}


async def test_promise_8_what_was_replaced_goes_with_the_person(a_ledger: Ledger) -> None:
    await take(a_ledger, source="first", country=None)
    await take(a_ledger, source="second")
    await a_ledger.write(erasing.erase_person, 1)

    assert await a_ledger.read(lambda tx: tx.value("SELECT count(*) FROM replaced")) == 0


async def test_promise_8_what_was_replaced_goes_when_a_purge_begins_a_generation(
    a_ledger: Ledger,
) -> None:
    await take(a_ledger, source="first", country=None)
    await take(a_ledger, source="second")
    await a_ledger.write(erasing.begin_generation, 1)

    assert await a_ledger.read(lambda tx: tx.value("SELECT count(*) FROM replaced")) == 0
