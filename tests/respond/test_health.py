"""What the server says of itself: it is well only when an answer could be put on file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from repermit.respond.health import Health
from tests.builders import asked
from tests.hindrances import locked, read_only, soon
from tests.respond.builders import Site

ILL = (503, "answers cannot be saved\n", "120")
AGAIN_SECONDS = 10


def changed_at(file: Path) -> int:
    """Return when *file* was last written to, in nanoseconds."""
    return file.stat().st_mtime_ns


async def told(site: Site) -> tuple[int, str, str | None]:
    """Return what the server says of itself."""
    response = await site.client.get("/healthz")
    return response.status_code, response.text, response.headers.get("retry-after")


async def test_the_server_is_well_when_it_can_write_and_that_changes_nothing(a_site: Site) -> None:
    await asked(a_site.ledger, "an@voorbeeld.example")  # a mark is there from the first change on
    before = await a_site.everything()

    assert await told(a_site) == (200, "ok\n", None)
    assert await a_site.everything() == before


@pytest.mark.sqlite
async def test_what_is_tried_out_takes_the_way_of_an_answer(a_site: Site) -> None:
    """Into the write-ahead log, and to the mark: what is set to what it is would reach neither."""
    await asked(a_site.ledger, "an@voorbeeld.example")
    files = (a_site.ledger.vault.keys.mark, Path(f"{a_site.ledger.path}-wal"))
    before = [changed_at(file) for file in files]
    await told(a_site)

    assert all(changed_at(file) > was for file, was in zip(files, before, strict=True))


async def test_a_server_whose_ledger_is_locked_is_not_well(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, "an@voorbeeld.example")
    await a_site.ledger.write(soon)

    with locked(a_site.ledger):
        assert (await a_site.client.get(a_site.link("yes", an))).status_code == 200
        assert await told(a_site) == ILL


async def test_a_server_whose_ledger_is_locked_for_long_does_not_wait_for_it(a_site: Site) -> None:
    """The writer would, for half a minute."""
    health = Health(a_site.ledger, patience=0.01)

    with locked(a_site.ledger):
        assert not await health.is_well()
        assert not await health.is_well()


async def test_a_server_whose_ledger_is_read_only_is_not_well(a_site: Site) -> None:
    await a_site.ledger.write(read_only)

    assert await told(a_site) == ILL


def gone(site: Site, _: Path) -> None:
    """Delete the ledger."""
    site.ledger.path.unlink()


def replaced(site: Site, empty: Path) -> None:
    """Put another file in the ledger's place."""
    copy = site.ledger.path.with_name("copy.db")
    copy.write_bytes((empty / "ledger.db").read_bytes())
    copy.replace(site.ledger.path)


@pytest.mark.sqlite
@pytest.mark.parametrize("happens", [gone, replaced])
async def test_a_server_whose_ledger_is_not_there_is_not_well(
    a_site: Site, empty_campaign: Path, happens: Callable[[Site, Path], None]
) -> None:
    happens(a_site, empty_campaign)

    assert await told(a_site) == ILL


async def test_a_server_of_an_older_copy_is_well(a_site: Site) -> None:
    """An answer counts there, too: a balancer that took the pages away would take the no away."""
    await a_site.ledger.write(lambda tx: tx.run("UPDATE campaign SET older_copy = TRUE"))

    assert await told(a_site) == (200, "ok\n", None)


async def test_however_often_it_is_asked_the_server_writes_once_in_ten_seconds(
    a_site: Site,
) -> None:
    watch = [1_000.0]
    health = Health(a_site.ledger, seconds=lambda: watch[0])
    assert all(await asyncio.gather(*(health.is_well() for _ in range(100))))
    await a_site.ledger.write(read_only)

    assert await health.is_well()  # as it was found
    watch[0] += AGAIN_SECONDS
    assert not await health.is_well()
