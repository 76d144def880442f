"""Somebody on several lists, and imports that are undone."""

import asyncio
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repermit.domain.address import parse
from repermit.errors import ApprovalRefused, ImportRefused
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import approval, erasing, reading, undoing
from repermit.ledger.store.admission import Tally
from repermit.ledger.store.reading import OnFile
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, a_newcomer, ask, begin_purge, standings, take_in, verified

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


async def test_who_is_on_a_list_that_was_not_undone_stays(a_ledger: Ledger) -> None:
    """The wrong list came first, the right one said no more; that one counts now."""
    await take(a_ledger, source="wrong", last_contact=date(2026, 1, 1))
    await take(a_ledger, source="right")
    meant = await undo(a_ledger, 1)

    assert (meant.leaving, meant.restored) == (0, 1)
    assert await source_of(a_ledger) == "right"
    await undo(a_ledger, 2)
    assert await on_file(a_ledger) is None
    assert (await verified(a_ledger)).holds


async def test_an_undoing_that_was_cut_off_goes_on_with_the_next_import(a_ledger: Ledger) -> None:
    """Until then nothing is approved."""
    await a_ledger.write(take_in, [a_newcomer(f"r{n}@voorbeeld.example") for n in range(3)])
    await a_ledger.write(undoing.begin_undoing, 1)
    await a_ledger.write(undoing.take_back, 1, slice_rows=2)

    assert await a_ledger.read(undoing.unfinished_intakes) == [1]
    with pytest.raises(ApprovalRefused, match="cut off"):
        await a_ledger.read(approval.require_ready)
    assert (await undo(a_ledger, 1)).leaving == 1
    assert await standings(a_ledger) == {}


async def test_after_a_purge_an_import_from_before_it_cannot_be_undone(a_ledger: Ledger) -> None:
    await take(a_ledger)
    await begin_purge(a_ledger)

    with pytest.raises(ImportRefused, match="a purge has run since"):
        await undo(a_ledger, 1)


@settings(max_examples=60)
@given(data=st.data())
def test_undoing_is_as_if_the_list_had_never_been(
    data: st.DataObject, empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Lists of overlapping people, imported and undone in any order."""
    says = st.tuples(st.sampled_from([None, "BE", "NL"]), st.booleans(), st.booleans())
    people = st.dictionaries(st.integers(0, 2), says, min_size=1)
    steps = data.draw(st.lists(st.one_of(people, st.integers(1, 4)), max_size=7))
    folder = shutil.copytree(empty_campaign, tmp_path_factory.mktemp("model") / "campaign")
    counts: dict[int, dict[int, tuple[str | None, bool, bool]]] = {}

    async def live() -> None:
        ledger = Ledger.open(folder / "ledger.db", Vault(keys.load(folder / "keys")), FakeClock())
        try:
            for step in steps:
                if isinstance(step, int):
                    if counts.pop(step, None) is not None:
                        await undo(ledger, step)
                    continue
                known = [
                    a_newcomer(
                        f"r{who}@x.be",
                        country=country,
                        proof_ref="7" if rich else None,
                        sensitive=sensitive,
                    )
                    for who, (country, rich, sensitive) in step.items()
                ]
                await ledger.write(take_in, known)
                number = await ledger.read(lambda tx: int(tx.value("SELECT max(id) FROM intake")))
                counts[number] = step
            await _as_imported(ledger, counts)
            assert (await verified(ledger)).holds
        finally:
            await ledger.close()

    asyncio.run(live())


async def _as_imported(
    ledger: Ledger, lists: dict[int, dict[int, tuple[str | None, bool, bool]]]
) -> None:
    """Everybody on a list that counts is there, by what the list that says most says of them."""
    for who in range(3):
        said = [each[who] for _, each in sorted(lists.items()) if who in each]
        found = await on_file(ledger, f"r{who}@x.be")
        assert (found is not None) == bool(said)
        if found is not None:
            weights = [(each[2], bool(each[0]) + each[1]) for each in said]
            evidence = found.person.evidence
            kept = (evidence.country, evidence.proof_ref == "7", evidence.sensitive)
            assert (kept[2], bool(kept[0]) + kept[1]) == max(weights)


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

    assert await a_ledger.read(lambda tx: tx.value("SELECT count(*) FROM also_said")) == 0


async def test_promise_8_what_was_replaced_goes_when_a_purge_begins_a_generation(
    a_ledger: Ledger,
) -> None:
    await take(a_ledger, source="first", country=None)
    await take(a_ledger, source="second")
    await a_ledger.write(erasing.begin_generation, 1)

    assert await a_ledger.read(lambda tx: tx.value("SELECT count(*) FROM also_said")) == 0
