from __future__ import annotations

from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, news, waves
from tests.builders import FakeClock, asked

WHY = {"code": "complaints", "wave": 1, "mails": 200, "count": 9}


async def test_at_the_beginning_there_is_no_news(a_ledger: Ledger) -> None:
    assert await a_ledger.read(news.stop) is None
    assert await a_ledger.read(news.ended) is None
    assert await a_ledger.read(campaign.first_due) is None


async def test_a_stop_is_news_until_a_person_has_looked(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await a_ledger.write(waves.stop, WHY)

    assert await a_ledger.read(news.stop) == (a_clock.now(), WHY)
    await a_ledger.write(waves.look, by="An")
    assert await a_ledger.read(news.stop) is None


async def test_the_newest_wave_that_is_done_is_news(a_ledger: Ledger) -> None:
    for number, mails in ((1, 3), (2, 4), (3, 5)):
        await a_ledger.write(waves.begin, number, step=number - 1, size=None)
        await a_ledger.write(waves.count_mails, mails)
        if number < 3:
            await a_ledger.write(waves.end, number)

    assert await a_ledger.read(news.ended) == (2, 4)


async def test_the_first_date_is_that_of_the_figures(a_ledger: Ledger) -> None:
    await asked(a_ledger, "an@voorbeeld.example")

    first = await a_ledger.read(campaign.first_due)

    assert first is not None
    assert first == (await a_ledger.read(campaign.figures)).first_due
