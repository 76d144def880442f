"""What is on record for or against a purge."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from repermit.domain.due import BY_CLOSE, Reason
from repermit.domain.standing import Answer, Way
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import to_micros
from repermit.ledger.store import campaign, guarding
from repermit.ledger.store.due import Terms
from repermit.ledger.store.guarding import Dated
from repermit.ledger.store.probing import Looked, Vantage
from repermit.purge.reachable import Stretch, stretches
from tests.builders import ANSWER_TIME, NOW, FakeClock, asked, press, terms

DAY = timedelta(days=1)
DUE = NOW + ANSWER_TIME


async def run(ledger: Ledger, sql: str, *values: object) -> None:
    await ledger.write(lambda tx: tx.run(sql, *values))


async def test_the_dates_of_those_who_are_due(a_ledger: Ledger, a_clock: FakeClock) -> None:
    """Whatever they are due for; not of those who said yes, nor whose day is still to come."""
    silent, undeliverable, yes, _ = await asked(
        a_ledger, *(f"{name}@voorbeeld.example" for name in ("an", "bo", "cy", "di"))
    )
    a_clock.advance(DAY)
    await asked(a_ledger, "ed@voorbeeld.example")
    a_clock.advance(DAY)
    await asked(a_ledger, "fi@voorbeeld.example")
    await press(a_ledger, yes, Answer.YES)
    sql = "UPDATE recipient SET standing = ? WHERE id = ?"
    await run(a_ledger, sql, "undeliverable", undeliverable)
    await run(a_ledger, sql, "doubtful", silent)

    assert await a_ledger.read(guarding.dates, terms(DUE + DAY)) == [
        Dated(DUE, DUE, 3),
        Dated(DUE + DAY, DUE + DAY, 1),
    ]
    silent_only = replace(terms(DUE + DAY), reasons=(Reason.SILENT,))
    assert [each.people for each in await a_ledger.read(guarding.dates, silent_only)] == [1, 1]
    by_close = replace(terms(DUE + DAY), reasons=BY_CLOSE)
    assert await a_ledger.read(guarding.dates, by_close) == []


async def test_a_date_that_was_put_off(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(3 * DAY)
    await asked(a_ledger, "bo@voorbeeld.example")
    until = DUE + DAY
    await run(a_ledger, "UPDATE campaign SET extended_until = ?", to_micros(until))

    assert await a_ledger.read(guarding.dates, terms(DUE + 3 * DAY)) == [
        Dated(DUE, until, 1),
        Dated(DUE + 3 * DAY, DUE + 3 * DAY, 1),
    ]


async def test_who_said_no_without_a_mail_has_no_date(a_ledger: Ledger) -> None:
    (one,) = await asked(a_ledger, "an@voorbeeld.example")
    await run(
        a_ledger,
        "UPDATE recipient SET standing = 'opted_out', due_at = NULL, no_at = ? WHERE id = ?",
        *(to_micros(NOW), one),
    )

    assert await a_ledger.read(guarding.dates, terms(DUE)) == []


async def test_when_people_answered(a_ledger: Ledger, a_clock: FakeClock) -> None:
    first, second = await asked(a_ledger, "an@voorbeeld.example", "bo@voorbeeld.example")
    await press(a_ledger, first, Answer.YES)
    a_clock.advance(DAY)
    await press(a_ledger, first, Answer.NO)
    await press(a_ledger, second, Answer.NO, way=Way.ONE_CLICK)

    assert await a_ledger.read(guarding.pressed, NOW) == [NOW, NOW + DAY]
    assert await a_ledger.read(guarding.pressed, NOW + timedelta(seconds=1)) == [NOW + DAY]


async def test_of_many_answers_only_those_that_bridge_a_gap_are_read(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """However many there are, it is two for each quarter of an hour; they show the same."""
    (one,) = await asked(a_ledger, "an@voorbeeld.example")
    times = [NOW]
    for second in (0, 1, 60, 300, 899, 900, 901, 1_800, 2_000, 9_000):
        a_clock.advance(timedelta(seconds=second))
        times.append(a_clock.now())
        await press(a_ledger, one, Answer.NO if len(times) % 2 else Answer.YES)
    told = await a_ledger.read(guarding.pressed, NOW)

    def shown(answers: list[datetime]) -> list[Stretch]:
        fails = [Looked(at, at, 1, Vantage.SERVER, "refused") for at in times]
        return stretches(fails, answers, begin=NOW, end=a_clock.now())

    assert len(told) < len(times) - 1
    assert set(told) < set(times)
    assert shown(told) == shown(times[1:])


async def name_place(ledger: Ledger, name: str, handed_over: datetime | None) -> None:
    sql = "INSERT INTO place (name, named_at, handed_over_at) VALUES (?, ?, ?)"
    await run(ledger, sql, name, to_micros(NOW), to_micros(handed_over))


async def test_places_that_do_not_know_yet_who_is_due(a_ledger: Ledger, a_clock: FakeClock) -> None:
    await asked(a_ledger, "an@voorbeeld.example")
    a_clock.advance(DAY)
    await asked(a_ledger, "bo@voorbeeld.example")
    await name_place(a_ledger, "the newsletter tool", None)
    await name_place(a_ledger, "the shop", DUE)
    await name_place(a_ledger, "the paper file", DUE + DAY)

    assert await unlisted(a_ledger, terms(DUE - DAY)) == 0
    assert await unlisted(a_ledger, terms(DUE)) == 1
    assert await unlisted(a_ledger, terms(DUE + DAY)) == 2
    assert await unlisted(a_ledger, replace(terms(DUE + DAY), reasons=BY_CLOSE)) == 0


async def unlisted(ledger: Ledger, due: Terms) -> int:
    return await ledger.read(guarding.unlisted_places, due)


async def owe_notice(
    ledger: Ledger,
    receiver: str,
    settled: datetime,
    *reasons: Reason,
    about: str = "purge",
    standing: str = "sent",
) -> None:
    await run(
        ledger,
        "INSERT INTO outbox (kind, receiver, said, language, created_at, not_before, standing,"
        " attempts, settled_at) VALUES ('notice', ?, ?, 'nl', 0, 0, ?, 1, ?)",
        *(receiver, json.dumps({"about": about, "reasons": reasons}), standing, to_micros(settled)),
    )


async def test_who_was_told_of_a_purge(a_ledger: Ledger) -> None:
    """Twice told is told once, and what the relay did not take has told nobody."""
    silent = [Reason.SILENT]
    assert await a_ledger.read(guarding.told, silent) == []
    await owe_notice(a_ledger, "1", NOW + DAY, Reason.SILENT)
    await owe_notice(a_ledger, "1", NOW, Reason.SILENT)
    await owe_notice(a_ledger, "0", NOW + 2 * DAY, Reason.SILENT)
    await owe_notice(a_ledger, "2", NOW, Reason.SILENT, standing="waiting")
    await owe_notice(a_ledger, "3", NOW, Reason.SILENT, about="wave")

    assert await a_ledger.read(guarding.told, silent) == [NOW, NOW + 2 * DAY]


async def test_a_notice_counts_for_the_reasons_that_it_named(a_ledger: Ledger) -> None:
    """The config gained a reason after two people were told."""
    await owe_notice(a_ledger, "0", NOW, Reason.SILENT)
    await owe_notice(a_ledger, "1", NOW)
    both = [Reason.SILENT, Reason.OPTED_OUT]
    assert await a_ledger.read(guarding.told, both) == []
    assert await a_ledger.read(guarding.told, [Reason.SILENT]) == [NOW]
    await owe_notice(a_ledger, "0", NOW + DAY, Reason.OPTED_OUT, Reason.DOUBTFUL, Reason.SILENT)

    assert await a_ledger.read(guarding.told, both) == [NOW + DAY]
    assert await a_ledger.read(guarding.told, [Reason.SILENT]) == [NOW]


async def test_whether_the_campaign_is_paused(a_ledger: Ledger) -> None:
    assert not await a_ledger.read(guarding.is_paused)
    await a_ledger.write(campaign.pause)
    assert await a_ledger.read(guarding.is_paused)
