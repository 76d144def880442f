"""A ledger moves from its file to PostgreSQL whole, once, and wherever the move is cut off."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from repermit.domain.standing import Standing
from repermit.errors import LedgerUnusable, ProofBroken, SendRefused
from repermit.ledger import connect, moving, transfer
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.store import campaign
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, admit, asked, claim, settle, standings, verified
from tests.postgres import Server

pytestmark = pytest.mark.postgres


SEAL = f"UPDATE alembic_version SET version_num = '{connect.SEALED}'"


@pytest.fixture
def a_target(postgres: Server, campaign_folder: Path) -> Iterator[PostgreSQL]:
    """An empty schema, as the database of the campaign in `campaign_folder`."""
    target = PostgreSQL(postgres.schema(), campaign_folder / "ledger.db")
    yield target
    target.close()


@pytest.fixture
def a_file(campaign_folder: Path, a_vault: Vault) -> Path:
    """A ledger in a file: two were asked, one is claimed, one is listed."""

    async def fill() -> None:
        ledger = Ledger.open(campaign_folder / "ledger.db", a_vault, FakeClock())
        await asked(ledger, "a@one.example", "b@one.example")
        (claimed,) = await admit(ledger, "c@one.example")
        await claim(ledger, claimed)
        await admit(ledger, "d@one.example")
        await ledger.close()

    asyncio.run(fill())
    return campaign_folder / "ledger.db"


def move(file: Path, target: PostgreSQL, vault: Vault) -> Path:
    with moving.held(file, vault) as source:
        return moving.move(file, source, target, vault, FakeClock())


def finish(file: Path, target: PostgreSQL, vault: Vault) -> Path | None:
    return moving.finish(file, target, vault, FakeClock())


def altered(target: PostgreSQL, *statements: str) -> None:
    """Change what is in the schema by hand."""
    with closing(target.connect()) as opened:
        for each in statements:
            opened.script(each)


def in_schema(target: PostgreSQL, sql: str) -> list[tuple[object, ...]]:
    with closing(target.connect(read_only=True)) as opened:
        return opened.execute(sql).fetchall()


def seen(target: PostgreSQL, vault: Vault) -> dict[int, str]:
    """Return where everybody stands there, in a ledger that verifies."""

    async def read() -> dict[int, str]:
        ledger = Ledger.open(target, vault, FakeClock())
        assert (await verified(ledger)).holds
        figures = await ledger.read(campaign.figures)
        assert (figures.admitted, sum(figures.standings.values())) == (4, 4)
        found = await standings(ledger)
        await ledger.close()
        return found

    return asyncio.run(read())


WHOLE = {1: "asked", 2: "asked", 3: "claimed", 4: "listed"}


def test_everything_is_there_and_the_file_has_another_name(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    with moving.held(a_file, a_vault) as source:
        before = moving.extent(source)
    aside = move(a_file, a_target, a_vault)

    assert seen(a_target, a_vault) == WHOLE
    assert (before.recipients, before) == (4, moving.extent_of(a_target))
    assert re.fullmatch(r"ledger\.db\.moved-\d{8}T\d{6}Z", aside.name)
    assert [each.name for each in a_file.parent.glob("ledger.db*")] == [aside.name]
    assert [path for (path,) in in_schema(a_target, "SELECT path FROM written")] == [aside.name]


def test_what_has_the_file_in_its_config_finds_no_ledger_and_makes_none(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    move(a_file, a_target, a_vault)

    for create in (False, True):
        with pytest.raises(LedgerUnusable, match="the ledger was moved into PostgreSQL"):
            Ledger.open(a_file, a_vault, FakeClock(), create=create)


def test_a_file_that_somebody_has_open_is_not_moved(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    with closing(connect.connection(a_file, read_only=True)) as reader:
        reader.execute("SELECT size FROM log_head")
        with (
            pytest.raises(LedgerUnusable, match="in use by another process"),
            moving.held(a_file, a_vault, patience=0.1),
        ):
            pass

    assert move(a_file, a_target, a_vault).exists()


def test_nobody_opens_a_file_that_is_being_moved(a_file: Path, a_vault: Vault) -> None:
    with (
        moving.held(a_file, a_vault),
        pytest.raises(LedgerUnusable, match="locked by another process"),
        connect.translated(),
    ):
        connect.connection(a_file, busy_seconds=0)


def test_where_a_ledger_is_already_nothing_is_moved(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    transfer.to_postgres(a_file, a_target)
    with pytest.raises(LedgerUnusable, match="there is a ledger already"):
        move(a_file, a_target, a_vault)

    assert a_file.exists()
    assert finish(a_file, a_target, a_vault) is None


def test_what_is_no_ledger_or_none_yet_is_not_moved(tmp_path: Path, a_vault: Vault) -> None:
    nothing = tmp_path / "nothing.db"
    with pytest.raises(LedgerUnusable, match="no ledger yet"), moving.held(nothing, a_vault):
        pass

    nothing.write_bytes(b"no ledger" * 1_000)
    with pytest.raises(LedgerUnusable, match="not a ledger"), moving.held(nothing, a_vault):
        pass


def test_an_older_copy_is_not_moved(a_file: Path, a_vault: Vault) -> None:
    """It was put back, or there is no mark that says how far the ledger had got."""
    older = a_file.read_bytes()

    async def go_on() -> None:
        ledger = Ledger.open(a_file, a_vault, FakeClock())
        await admit(ledger, "e@one.example")
        await ledger.close()

    asyncio.run(go_on())
    newest = a_file.read_bytes()
    a_file.write_bytes(older)
    with pytest.raises(SendRefused, match="older copy"), moving.held(a_file, a_vault):
        pass

    a_file.write_bytes(newest)
    with moving.held(a_file, a_vault):
        pass
    a_vault.keys.mark.unlink()
    with pytest.raises(SendRefused, match="older copy"), moving.held(a_file, a_vault):
        pass


def test_a_log_that_does_not_verify_there_keeps_the_old_ledger_in_use(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    with closing(connect.connection(a_file)) as raw:
        raw.execute("UPDATE recipient SET standing = 'opted_in' WHERE id = 1")
    with pytest.raises(ProofBroken, match="recipient 1"):
        move(a_file, a_target, a_vault)

    with pytest.raises(LedgerUnusable, match="its move was cut off"):
        Ledger.open(a_target, a_vault, FakeClock())
    with closing(connect.connection(a_file)) as raw:
        raw.execute("UPDATE recipient SET standing = 'asked' WHERE id = 1")
    move(a_file, a_target, a_vault)
    assert seen(a_target, a_vault) == WHOLE


def test_cut_off_before_the_file_has_its_other_name_the_move_begins_anew(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    """The old ledger has gone on meanwhile."""
    move(a_file, a_target, a_vault).rename(a_file)
    altered(a_target, SEAL)

    async def go_on() -> None:
        ledger = Ledger.open(a_file, a_vault, FakeClock())
        assert await settle(ledger, 3, Standing.ASKED)
        await ledger.close()

    asyncio.run(go_on())
    assert finish(a_file, a_target, a_vault) is None
    aside = move(a_file, a_target, a_vault)

    assert seen(a_target, a_vault) == WHOLE | {3: "asked"}
    assert [path for (path,) in in_schema(a_target, "SELECT path FROM written")] == [aside.name]


def test_cut_off_after_the_file_has_its_other_name_the_move_is_finished(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    aside = move(a_file, a_target, a_vault)
    altered(a_target, SEAL)
    a_file.with_name(f"{a_file.name}-wal").touch()
    with pytest.raises(LedgerUnusable, match="its move was cut off"):
        Ledger.open(a_target, a_vault, FakeClock())

    assert finish(a_file, a_target, a_vault) == aside
    assert finish(a_file, a_target, a_vault) == aside, "and again, when nothing is left to do"

    assert seen(a_target, a_vault) == WHOLE
    assert [each.name for each in a_file.parent.glob("ledger.db*")] == [aside.name]


def test_a_move_is_finished_where_its_file_is(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    move(a_file, a_target, a_vault).unlink()
    altered(a_target, SEAL)

    with pytest.raises(LedgerUnusable, match="the ledger that moves is not here"):
        finish(a_file, a_target, a_vault)


def test_the_ledger_of_another_campaign_is_nobody_s_move(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    assert finish(a_file.with_name("gone.db"), a_target, a_vault) is None

    move(a_file, a_target, a_vault)
    altered(a_target, "UPDATE campaign SET uuid = 'another'")

    assert finish(a_file, a_target, a_vault) is None


def test_the_ledger_of_another_campaign_whose_move_was_cut_off_stays(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    move(a_file, a_target, a_vault).rename(a_file)
    altered(a_target, SEAL, "UPDATE campaign SET uuid = 'another'")

    with pytest.raises(LedgerUnusable, match="there is a ledger already"):
        move(a_file, a_target, a_vault)

    assert in_schema(a_target, "SELECT uuid FROM campaign") == [("another",)]
    assert a_file.exists()


def test_a_ledger_that_was_never_moved_has_no_move_to_finish(
    a_file: Path, a_target: PostgreSQL, a_vault: Vault
) -> None:
    transfer.to_postgres(a_file, a_target)
    a_file.unlink()

    assert finish(a_file, a_target, a_vault) is None
