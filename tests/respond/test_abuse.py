"""Who tries out links, who lies about where they come from, and where a yes comes from."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from repermit.cli.answers import owed
from repermit.domain.token import Scope, Tokens
from repermit.ledger.store.origin import Origin, forget_origins, origins
from tests.builders import FakeClock, asked
from tests.hindrances import locked
from tests.respond.builders import ONE_CLICK, Site, served, text_of_tables

ADDRESS = "an@voorbeeld.example"
FORGED, AT_ONCE, MOST_AT_ONCE = 3_000, 30, 512
TRUSTED = {"trusted_proxy": 'trusted_proxy = "127.0.0.1"'}
ORIGIN = {"origin_days": "origin_days = 90"}


async def statuses(site: Site, paths: Sequence[str], **headers: str) -> list[int]:
    """Return how each of *paths* is answered."""
    return [(await site.client.get(path, headers=headers)).status_code for path in paths]


def forged(count: int) -> list[str]:
    """Return the paths of links that another campaign signed."""
    tokens = Tokens([b"x" * 32])
    return [f"/yes/{tokens.issue(Scope.ANSWER, number)}" for number in range(1, count + 1)]


@pytest.mark.sqlite
async def test_forged_links_are_rejected_without_a_look_at_the_ledger(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    away = a_site.ledger.path.with_name("away.db")
    a_site.ledger.path.rename(away)
    try:
        seen = await statuses(a_site, forged(FORGED))
        assert await statuses(a_site, [a_site.link("yes", an)]) == [503]
    finally:
        away.rename(a_site.ledger.path)

    assert seen[:AT_ONCE] == [404] * AT_ONCE
    assert seen.count(429) > FORGED // 2  # each six seconds one more may come


async def test_a_good_link_from_beside_many_bad_ones_is_never_slowed_down(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await statuses(a_site, forged(AT_ONCE * 3))

    slowed = await a_site.client.get(forged(1)[0])
    assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "6")
    assert "This link no longer works" in slowed.text
    assert set(await statuses(a_site, [a_site.link("yes", an)] * 50)) == {200}
    await a_site.press(a_site.link("yes", an), "yes")
    assert await a_site.standing(an) == "opted_in"


async def test_an_erased_or_unknown_link_with_a_good_signature_is_not_counted(
    a_site: Site,
) -> None:
    unknown = a_site.link("yes", 999)

    assert set(await statuses(a_site, [unknown] * AT_ONCE * 2)) == {404}


async def test_a_forwarded_address_is_ignored_unless_a_proxy_is_trusted(a_site: Site) -> None:
    for number, path in enumerate(forged(AT_ONCE)):
        await statuses(a_site, [path], **{"X-Forwarded-For": f"198.51.{number}.1"})

    assert await statuses(a_site, forged(1), **{"X-Forwarded-For": "192.0.2.1"}) == [429]


async def test_behind_a_trusted_proxy_each_network_counts_for_itself(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """Whatever they write left of what the proxy adds."""
    async with served(campaign_folder, a_clock, **TRUSTED) as site:
        mine = {"X-Forwarded-For": "6.6.6.6, 198.51.100.1"}
        assert set(await statuses(site, forged(AT_ONCE), **mine)) == {404}

        same = {"X-Forwarded-For": "7.7.7.7, 198.51.100.250"}
        assert await statuses(site, forged(1), **same) == [429]
        other = {"X-Forwarded-For": "198.51.100.1, 198.51.101.1"}
        assert await statuses(site, forged(1), **other) == [404]


# Where a yes comes from


@pytest.mark.parametrize("several", [False, True])
async def test_where_a_yes_comes_from_is_not_kept_unless_the_config_says_so(
    campaign_folder: Path, a_clock: FakeClock, several: bool
) -> None:
    async with served(campaign_folder, a_clock, several=several) as site:
        (an,) = await asked(site.ledger, ADDRESS)
        await site.press(site.link("yes", an), "yes", tick=["fair"])

        assert await site.standing(an) == "opted_in"
        assert await site.ledger.read(origins, an) == ()


async def test_where_a_yes_comes_from_is_kept_coarsely_and_for_a_time(
    campaign_folder: Path, a_clock: FakeClock, a_database_url: str
) -> None:
    config = {"database": a_database_url, **TRUSTED, **ORIGIN}
    async with served(campaign_folder, a_clock, **config) as site:
        an, jan = await asked(site.ledger, ADDRESS, "jan@voorbeeld.example")
        site.client.headers["X-Forwarded-For"] = "198.51.100.77"
        site.client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"

        await site.press(site.link("yes", an), "yes")
        await site.press(site.link("yes", jan), "no")
        await site.post(site.link("u", jan), ONE_CLICK)

        until = a_clock.now() + timedelta(days=90)
        kept = Origin("198.51.100.0/24", "Mozilla/5.0", until)
        assert await site.ledger.read(origins, an) == (kept,)
        assert await site.ledger.read(origins, jan) == ()
        assert "198.51" not in await site.ledger.read(text_of_tables)
        a_clock.advance(timedelta(days=90))
        assert await site.ledger.write(forget_origins) == 1


@pytest.mark.parametrize("agent", ["", "(", "\xff", "x" * 5_000, "a/b/c d"])
async def test_whatever_a_browser_calls_itself_a_yes_is_a_yes(
    campaign_folder: Path, a_clock: FakeClock, agent: str
) -> None:
    async with served(campaign_folder, a_clock, **ORIGIN) as site:
        (an,) = await asked(site.ledger, ADDRESS)
        page = await site.page(site.link("yes", an))
        body = "&".join(f"{name}={value}" for name, value in page.hidden.items()) + "&answer=yes"
        headers = {
            b"User-Agent": agent.encode("latin-1"),
            b"Content-Type": b"application/x-www-form-urlencoded",
        }
        response = await site.client.post(site.link("yes", an), content=body, headers=headers)

        assert response.status_code == 200
        assert await site.standing(an) == "opted_in"
        (kept,) = await site.ledger.read(origins, an)
        assert len(kept.agent) <= 81
        assert " " not in kept.agent


# Promise 6: a yes needs a page of ours, however long ago and wherever it was opened


async def test_promise_6_a_page_opened_at_one_server_can_be_answered_at_another(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """A day later, after a restart, at two servers that share keys; without a cookie."""
    async with served(campaign_folder, a_clock) as site:
        an, jan = await asked(site.ledger, ADDRESS, "jan@voorbeeld.example")
        page = await site.page(site.link("yes", an))
        its = await site.page(site.link("yes", jan))
    a_clock.advance(timedelta(days=1))
    async with served(campaign_folder, a_clock) as one, served(campaign_folder, a_clock) as other:
        its.hidden["nonce"] = page.hidden["nonce"]
        await other.press_on(its, other.link("yes", jan), "yes")
        await other.press_on(page, other.link("yes", an), "yes")

        assert await one.standing(an) == "opted_in"
        assert await one.standing(jan) == "asked"


# Too many at once


async def test_who_comes_when_too_many_wait_is_told_to_try_again(a_site: Site) -> None:
    """The ledger is held by another process; each of those who wait holds a place."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    with locked(a_site.ledger):
        presses = [
            asyncio.create_task(a_site.post(a_site.link("u", an), ONE_CLICK))
            for _ in range(MOST_AT_ONCE + 1)
        ]
        done, waiting = await asyncio.wait(presses, return_when=asyncio.FIRST_COMPLETED)
        opened = await a_site.client.get(a_site.link("yes", an))
    answered = await asyncio.gather(*waiting)

    (last,) = [one.result() for one in done]
    assert (last.status_code, last.headers["retry-after"]) == (503, "120")
    assert "Not saved yet" in last.text
    assert opened.status_code == 200
    assert {one.status_code for one in answered} == {200}
    assert await a_site.standing(an) == "opted_out"


# What the pages are still needed for


def test_serve_says_what_it_still_owes() -> None:
    today, later = date(2026, 11, 21), date(2026, 12, 22)

    assert owed(0, None, None, today) == []
    assert owed(0, later, None, today) == ["people may answer until 2026-12-22"]
    assert owed(2, later, date(2029, 12, 31), today) == [
        "people may answer until 2026-12-22",
        "2 people said yes and may withdraw until 2029-12-31",
    ]
    assert owed(1, date(2026, 11, 1), None, today) == [
        "1 person said yes and may withdraw for as long as you mail them"
    ]
    for passed in (date(2026, 11, 20), date(2026, 10, 1)):  # "stop" would be bad advice
        assert owed(1, later, passed, today)[-1].endswith("before the last deadline; put it later")
    assert "stop serving for good" in owed(1, date(2026, 11, 20), date(2026, 11, 20), today)[-1]
    assert owed(0, None, None, today, waiting=1) == [
        "1 mail in the outbox waits for `repermit send`"
    ]
    assert "2 mails in the outbox wait for" in owed(0, None, None, today, waiting=2)[0]
    assert "before the last deadline" in owed(1, later, date(2026, 12, 21), today)[-1]
