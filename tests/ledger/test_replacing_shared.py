"""The same in PostgreSQL, where the ledger is filled from the file of a backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from repermit.errors import LedgerUnusable, RestoreRefused
from repermit.ledger import copying, replacing, restoring
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from tests.builders import admit, standings
from tests.ledger.backedup import places_in, taken
from tests.postgres import Server

pytestmark = pytest.mark.postgres


async def test_promise_1_a_ledger_that_is_put_back_knows_that_it_is_an_older_copy(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """The one that was there is a file aside, which is a ledger as any backup."""
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    places = places_in(tmp_path)
    copy = await taken(a_ledger, places)
    await admit(a_ledger, "jan@voorbeeld.example")
    there, aside = replacing.entries(a_ledger.database), tmp_path / "aside"
    staged = tmp_path / "staged"
    staged.write_bytes(copy.read_bytes())
    restoring.make_ready(staged, a_ledger.vault, places.copies, a_ledger.clock.now())

    assert replacing.replace(a_ledger.database, staged, aside=aside, instead=there)

    assert await standings(a_ledger) == {one: "listed"}
    assert await a_ledger.read(a_ledger.older_copy)
    assert replacing.entries(a_ledger.database) < there
    assert restoring.look(aside).log.size == there
    assert aside.stat().st_mode & 0o777 == 0o600


async def test_a_shared_ledger_that_has_grown_meanwhile_stays(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    copying.copy(a_ledger.database, tmp_path / "staged")
    there = replacing.entries(a_ledger.database)
    await admit(a_ledger, "jan@voorbeeld.example")

    with pytest.raises(LedgerUnusable, match="another number of entries by now"):
        replacing.replace(
            *(a_ledger.database, tmp_path / "staged"), aside=tmp_path / "aside", instead=there
        )
    assert len(await standings(a_ledger)) == 2


async def test_a_shared_ledger_is_put_where_none_is(
    a_ledger: Ledger, tmp_path: Path, postgres: Server
) -> None:
    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    copying.copy(a_ledger.database, tmp_path / "staged")
    empty = PostgreSQL(postgres.schema(), tmp_path / "ledger.db")

    assert replacing.entries(empty) == 0
    assert not replacing.replace(empty, tmp_path / "staged", aside=tmp_path / "aside", instead=0)

    again = Ledger.open(empty, a_ledger.vault, a_ledger.clock, mark=tmp_path / "mark")
    assert await standings(again) == {one: "listed"}
    await again.close()
    assert not (tmp_path / "aside").exists()


async def test_a_lock_of_another_machine_is_seen(a_ledger: Ledger) -> None:
    replacing.require_unused(a_ledger.database)
    lock = a_ledger.lock("sender-1")
    assert lock.acquire()

    with pytest.raises(RestoreRefused, match="in use"):
        replacing.require_unused(a_ledger.database)
    lock.release()
