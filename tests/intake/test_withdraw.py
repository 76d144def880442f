from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.domain.standing import Answer
from repermit.errors import ListUnreadable
from repermit.intake.listfile import ListFile, Reading, open_lists
from repermit.intake.withdraw import WithdrawnList, _different, heard, withdraw
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, suppression
from tests.builders import FakeClock, admit, asked, claim, press, standings, verified

AN, JAN, ELS = "an@voorbeeld.example", "jan@voorbeeld.example", "els@voorbeeld.example"


def a_list(folder: Path, text: str) -> ListFile:
    path = folder / "list.csv"
    path.write_text(text, "utf-8")
    (opened,) = open_lists(path, Reading())
    return opened


async def test_a_yes_falls_by_a_leaf_of_its_own_and_the_address_is_suppressed(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.YES)

    with a_list(tmp_path, f"email\n{AN.upper()}\n") as source:
        done = await withdraw(a_ledger, source)

    assert (done.withdrawn, done.suppressed, done.unknown) == (1, 1, 0)
    assert await standings(a_ledger) == {an: "opted_out"}
    assert await a_ledger.read(suppression.is_suppressed, AN)
    sql = "SELECT recipient_id, payload FROM log WHERE kind = 'opted_out'"
    ((whose, payload),) = await a_ledger.read(lambda tx: tx.rows(sql))
    assert whose == an
    assert json.loads(payload) == {
        "recipient": an,
        "standing": "opted_out",
        "source": "elsewhere",
    }
    assert (await verified(a_ledger)).holds


async def test_the_count_comes_first_and_changes_nothing(a_ledger: Ledger, tmp_path: Path) -> None:
    """A repeated address counts once; who never said yes, opted out before, or is unknown here
    counts apart."""
    an, jan, leaving = await asked(a_ledger, AN, JAN) + await admit(a_ledger, ELS)
    await press(a_ledger, an, Answer.YES)
    await press(a_ledger, jan, Answer.NO)
    await claim(a_ledger, leaving)
    before = await standings(a_ledger)
    text = f"email\n{AN}\n{AN}\n{JAN}\n{ELS}\nnobody@voorbeeld.example\nno one\n"

    with a_list(tmp_path, text) as source:
        found = await heard(a_ledger, source)
        assert await standings(a_ledger) == before
        done = await withdraw(a_ledger, source)

    assert found.stood == done.stood == Counter(opted_in=1, opted_out=1, claimed=1)
    assert (found.addresses, found.unknown, found.suppressed) == (4, 1, 0)
    assert (done.withdrawn, done.never_said_yes, done.known, done.unknown) == (1, 1, 1, 1)
    assert (done.leaving, done.suppressed, done.rejected, done.lines_named) == (1, 3, 1, "7")
    assert set((await standings(a_ledger)).values()) == {"opted_out"}


async def test_it_says_nothing_of_who_opted_out_before_the_campaign(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """That nobody ever had may still be true."""
    await a_ledger.write(campaign.state_no_opt_outs, "nobody did")

    with a_list(tmp_path, f"email\n{AN}\n") as source:
        await withdraw(a_ledger, source)

    said = await a_ledger.read(campaign.earlier_opt_outs)
    assert (said.statement, said.named) == ("nobody did", 0)


async def test_a_yes_that_is_given_again_afterwards_counts(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """It is the person's latest word."""
    (an,) = await asked(a_ledger, AN)
    with a_list(tmp_path, f"email\n{AN}\n") as source:
        await withdraw(a_ledger, source)

    a_clock.advance(timedelta(minutes=1))  # at once it would be doubt
    await press(a_ledger, an, Answer.YES)

    assert await standings(a_ledger) == {an: "opted_in"}
    assert not await a_ledger.read(suppression.is_suppressed, AN)


async def test_a_long_list_is_taken_in_parts(a_ledger: Ledger, tmp_path: Path) -> None:
    rows = "\n".join(f"r{n % 650}@voorbeeld.example" for n in range(700))

    with a_list(tmp_path, f"email\n{rows}\n") as source:
        done = await withdraw(a_ledger, source)

    assert (done.addresses, done.suppressed, done.unknown) == (650, 650, 650)


def peak(part: Callable[[], object]) -> int:
    """Return how many bytes of Python's memory *part* took at the most."""
    tracemalloc.start()
    try:
        part()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_list_of_many_takes_few_bytes_for_each_address(tmp_path: Path) -> None:
    rows = 100_000
    text = "".join(f"somebody.{number}@voorbeeld.example\n" for number in range(rows))
    source, found = a_list(tmp_path, f"email\n{text}"), WithdrawnList()

    def read() -> None:
        with source:
            for _ in _different(source, found):
                pass

    assert peak(read) < 110 * rows
    assert found.addresses == rows


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("email\nno one\n", "holds no address"),
        (f"email;status\n{AN};subscribed\n", "says of nobody that they stopped"),
    ],
)
async def test_a_list_of_nobody_is_refused(
    a_ledger: Ledger, tmp_path: Path, text: str, why: str
) -> None:
    with a_list(tmp_path, text) as source, pytest.raises(ListUnreadable, match=why):
        await heard(a_ledger, source)
