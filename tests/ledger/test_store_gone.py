from __future__ import annotations

import pytest

from repermit.domain.address import parse
from repermit.domain.standing import Answer
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing, suppression
from repermit.ledger.store.gone import gone, own_words
from tests.builders import ANSWER_TIME, FakeClock, admit, asked, begin_purge, keep_shown, press

AN, BO, CY = "an@telenet.be", "bo@telenet.be", "cy@telenet.be"


async def is_gone(ledger: Ledger, *canonicals: str, own: frozenset[str] = frozenset()) -> bool:
    """Return whether a text of which these are the readings names somebody who is gone."""
    return await ledger.read(gone, canonicals, own) is not None


async def test_whoever_is_purged_is_gone_and_whoever_remains_is_not(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await asked(a_ledger, AN)
    a_clock.advance(ANSWER_TIME)
    await asked(a_ledger, BO)
    current = await begin_purge(a_ledger)
    await a_ledger.write(erasing.erase_due, current, slice_rows=10)

    assert [await is_gone(a_ledger, each) for each in (AN, BO, CY)] == [True, False, False]


async def test_whoever_is_erased_is_gone(a_ledger: Ledger) -> None:
    (an,) = await admit(a_ledger, AN)
    await a_ledger.write(erasing.erase_person, an)

    assert await is_gone(a_ledger, AN)


async def test_whoever_said_no_is_gone_only_once_they_are_purged(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO)

    assert not await is_gone(a_ledger, AN)


async def test_whoever_is_on_a_list_of_earlier_opt_outs_has_no_business_in_a_file(
    a_ledger: Ledger,
) -> None:
    """It cannot be told from somebody who was opted out by that list, and purged."""
    await a_ledger.write(suppression.suppress, [parse(AN)], source="list", reason="")

    assert await is_gone(a_ledger, AN)


async def test_two_people_have_two_numbers_and_one_person_always_the_same(
    a_ledger: Ledger,
) -> None:
    people = [parse(each) for each in (AN, BO)]
    await a_ledger.write(suppression.suppress, people, source="list", reason="")

    first, again, other = [await a_ledger.read(gone, [each]) for each in (AN, AN, BO)]

    assert first == again != other


@pytest.mark.parametrize(
    ("readings", "own", "expected"),
    [
        ((CY, AN), frozenset(), True),
        ((BO, AN), frozenset(), False),
        ((CY, AN), frozenset({CY}), False),
        ((CY,), frozenset(), False),
    ],
    ids=["nobody knows the longer", "the longer remains", "the longer is our own", "nobody"],
)
async def test_the_longest_reading_that_is_known_counts(
    a_ledger: Ledger, readings: tuple[str, ...], own: frozenset[str], *, expected: bool
) -> None:
    """`jan.peeters@x.be` names Jan Peeters, not `peeters@x.be`."""
    await admit(a_ledger, BO)
    await a_ledger.write(suppression.suppress, [parse(AN)], source="list", reason="")

    assert await is_gone(a_ledger, *readings, own=own) is expected


async def test_the_words_of_the_campaign_are_what_everybody_is_shown(a_ledger: Ledger) -> None:
    await a_ledger.write(keep_shown)

    assert set(await a_ledger.read(lambda tx: list(own_words(tx)))) == {"the mail", "the page"}
