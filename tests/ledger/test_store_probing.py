"""What probes found: kept for as long as the deadlines need it, in few rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from repermit.domain.token import FIRST_PROBE, MONITOR
from repermit.errors import KeysUnusable
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, erasing, probing
from repermit.ledger.store.probing import Looked, Sight, Vantage
from tests.builders import FakeClock

MINUTE = timedelta(minutes=1)


async def rows(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Return (minutes from first to last, probes, code) of each row."""
    sql = "SELECT (until - since) / 60000000, probes, code FROM probe ORDER BY id"
    return [tuple(row) for row in await ledger.read(lambda tx: tx.rows(sql))]


async def note(
    ledger: Ledger, clock: FakeClock, *codes: str, vantage: Vantage = Vantage.HERE
) -> None:
    for code in codes:
        await ledger.write(probing.note, code, vantage)
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


async def test_what_was_found_can_be_read_again(a_ledger: Ledger, a_clock: FakeClock) -> None:
    begin = a_clock.now()
    await note(a_ledger, a_clock, "", "", vantage=Vantage.SERVER)
    await note(a_ledger, a_clock, "refused")

    assert await a_ledger.read(probing.looked) == [
        Looked(begin, begin + MINUTE, 2, Vantage.SERVER),
        Looked(begin + 2 * MINUTE, begin + 2 * MINUTE, 1, Vantage.HERE, "refused"),
    ]


async def test_each_vantage_has_rows_of_its_own(a_ledger: Ledger, a_clock: FakeClock) -> None:
    for _ in range(3):
        await note(a_ledger, a_clock, "refused", vantage=Vantage.SERVER)
        await note(a_ledger, a_clock, "")

    sql = "SELECT vantage, code, probes FROM probe ORDER BY id"
    found = [tuple(row) for row in await a_ledger.read(lambda tx: tx.rows(sql))]
    assert found == [("server", "refused", 3), ("here", "", 3)]


async def test_a_monitor_that_presses_each_minute_for_a_month_adds_one_row(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """What its link leads to is not kept besides; an outage shows as a gap."""
    for _ in range(30 * 24):
        await a_ledger.write(probing.file_press, MONITOR)
        a_clock.advance(10 * MINUTE)
    a_clock.advance(60 * MINUTE)
    await a_ledger.write(probing.file_press, MONITOR)

    assert await rows(a_ledger) == [(30 * 24 * 10 - 10, 30 * 24, ""), (0, 1, "")]
    assert not await a_ledger.read(probing.is_pressed, MONITOR)


async def test_when_the_page_was_last_seen_to_work_is_known_with_the_vantage(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    before = await a_ledger.read(campaign.figures)
    assert (before.page_seen, before.page_failed) == (None, None)
    await note(a_ledger, a_clock, "", vantage=Vantage.ELSEWHERE)
    await note(a_ledger, a_clock, "")
    seen = a_clock.now()
    await note(a_ledger, a_clock, "", vantage=Vantage.ELSEWHERE)
    await note(a_ledger, a_clock, "refused", vantage=Vantage.SERVER)

    found = (await a_ledger.read(campaign.figures)).page_seen
    assert found == Sight(seen, Vantage.ELSEWHERE)
    figures = await a_ledger.read(campaign.figures)
    assert figures.page_failed == Sight(seen + MINUTE, Vantage.SERVER, "refused")
    await note(a_ledger, a_clock, "")
    assert (await a_ledger.read(campaign.figures)).page_failed is None
    assert [vantage.words for vantage in Vantage] == [
        "by the server itself",
        "from this machine",
        "from elsewhere",
    ]


async def test_whether_the_page_ever_answered_is_known(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await note(a_ledger, a_clock, "refused")
    await note(a_ledger, a_clock, "", vantage=Vantage.SERVER)
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


async def test_the_way_to_the_disk_is_tried_without_a_trace(a_ledger: Ledger) -> None:
    await a_ledger.write(probing.try_out)

    assert await a_ledger.read(lambda tx: tx.value("SELECT count(*) FROM probe_press")) == 0
    assert await rows(a_ledger) == []


async def test_promise_7_a_machine_without_the_keys_of_now_is_not_well(a_ledger: Ledger) -> None:
    """A purge on another machine has made new ones: no link could be answered here."""
    await a_ledger.write(probing.try_out)
    await a_ledger.write(erasing.begin_generation, 2)

    with pytest.raises(KeysUnusable, match="vault generation 2 is not in the key folder"):
        await a_ledger.write(probing.try_out)
    with pytest.raises(KeysUnusable, match="vault generation 2 is not in the key folder"):
        await a_ledger.write(probing.file_press, FIRST_PROBE + 1)
