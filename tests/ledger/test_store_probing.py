"""What probes found: kept for as long as the deadlines need it, in few rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from repermit.domain.token import FIRST_PROBE
from repermit.ledger.engine import Ledger
from repermit.ledger.store import probing
from tests.builders import FakeClock

MINUTE = timedelta(minutes=1)


async def rows(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Return (minutes from first to last, probes, code) of each row."""
    sql = "SELECT (until - since) / 60000000, probes, code FROM probe ORDER BY id"
    return [tuple(row) for row in await ledger.read(lambda tx: tx.rows(sql))]


async def note(ledger: Ledger, clock: FakeClock, *codes: str) -> None:
    for code in codes:
        await ledger.write(probing.note, code)
        clock.advance(MINUTE)


async def test_the_same_outcome_minute_after_minute_is_one_row(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await note(a_ledger, a_clock, "", "", "", "refused", "refused", "status", "")

    assert await rows(a_ledger) == [(2, 3, ""), (1, 2, "refused"), (0, 1, "status"), (0, 1, "")]


async def test_what_nobody_looked_at_is_in_no_row(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Nor does a clock that was turned back make a row longer."""
    await note(a_ledger, a_clock, "", "")
    a_clock.advance(2 * probing.TOGETHER)
    await note(a_ledger, a_clock, "")
    a_clock.advance(-3 * MINUTE)
    await note(a_ledger, a_clock, "")

    assert await rows(a_ledger) == [(1, 2, ""), (0, 1, ""), (0, 1, "")]


async def test_whether_the_page_ever_answered_is_known(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await note(a_ledger, a_clock, "refused")
    assert not await a_ledger.read(probing.has_answered)
    await note(a_ledger, a_clock, "", "refused")
    assert await a_ledger.read(probing.has_answered)


async def test_presses_of_probes_are_kept_for_an_hour(a_ledger: Ledger, a_clock: FakeClock) -> None:
    first, second = FIRST_PROBE + 1, FIRST_PROBE + 2
    await a_ledger.write(probing.file_press, first)
    await a_ledger.write(probing.file_press, first)
    assert await a_ledger.read(probing.is_pressed, first)
    a_clock.advance(61 * MINUTE)
    await a_ledger.write(probing.file_press, second)

    assert not await a_ledger.read(probing.is_pressed, first)
    assert await a_ledger.read(probing.is_pressed, second)
