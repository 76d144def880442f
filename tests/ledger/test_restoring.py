"""Which copy is put back, with which keys, and what is passed over."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.errors import KeysUnusable, LedgerUnusable, RestoreRefused, SealBroken
from repermit.ledger import copying, keys, restoring
from repermit.ledger.backups import Places
from repermit.ledger.engine import Ledger
from repermit.ledger.keys import Keys
from repermit.ledger.mark import Mark, MarkFile
from repermit.ledger.restoring import Copy, Wanted
from repermit.ledger.sqlite import SQLite
from repermit.ledger.store import keycopies, written
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, admit, mark_of
from tests.ledger.backedup import places_in, taken
from tests.ledger.test_leftovers import resealed

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Two folders apart."""
    return places_in(tmp_path)


@pytest.fixture
async def two(a_ledger: Ledger, a_clock: FakeClock, places: Places) -> list[Path]:
    """Two copies of the ledger, the older first; it has moved on since."""
    found = []
    for address in (AN, JAN):
        await admit(a_ledger, address)
        found.append(await taken(a_ledger, places))
        a_clock.advance(timedelta(days=1))
    return found


def wanted_of(ledger: Ledger, places: Places) -> Wanted:
    """Return what a copy must be, with the keys of *ledger*."""
    kept_by = ledger.vault.keys
    return Wanted(kept_by, places.copies, restoring.destroyed(kept_by.folder, ledger.database))


def newest(wanted: Wanted, folder: Path) -> tuple[str, dict[str, str]]:
    """Return the name of the copy that is chosen, and what was passed over and why."""
    copy, passed = restoring.newest(wanted, folder / "staged")
    return copy.path.name, {each.name: each.why for each in passed}


async def test_the_newest_copy_is_put_back(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    """Whatever it is called; what is no ledger is left alone."""
    named = two[1].rename(places.copies / "a-name-of-their-own")
    (places.copies / "notes.txt").write_text("bought at the corner shop")
    (places.copies / ".ledger-20270101T000000Z.db.new").write_text("half")

    assert newest(wanted_of(a_ledger, places), tmp_path) == ("a-name-of-their-own", {})
    assert (tmp_path / "staged").read_bytes() == named.read_bytes()


def cut(path: Path) -> None:
    """Leave half of it."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def falsify(statement: str) -> Callable[[Path], None]:
    """Return what changes a copy by hand."""

    def change(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as opened:
            opened.execute("PRAGMA journal_mode = delete")
            opened.execute(statement)

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (cut, ""),
        (lambda path: path.write_text("not any more"), "it is no ledger, or damaged"),
        (lambda path: path.write_text(""), "it is no ledger, or damaged"),
        (falsify("UPDATE campaign SET uuid = 'x'"), "it is of another campaign than the keys"),
        (falsify("UPDATE log SET hash = x'00' WHERE \"index\" = 1"), "it is not whole"),
        (falsify("UPDATE log_head SET frontier = x'00'"), "it is no ledger, or damaged"),
        (falsify("UPDATE log_head SET size = 'x'"), "it is no ledger, or damaged"),
        (falsify("DELETE FROM campaign"), "it is no ledger, or damaged"),
        (
            falsify("UPDATE alembic_version SET version_num = '9'"),
            "it is of another release (schema 9)",
        ),
        (
            falsify("UPDATE campaign SET generation = 3"),
            "the keys of its generation 3 are neither beside it nor in place",
        ),
    ],
)
async def test_what_is_damaged_or_foreign_is_passed_over_and_named(
    a_ledger: Ledger,
    places: Places,
    two: list[Path],
    tmp_path: Path,
    change: Callable[[Path], None],
    why: str,
) -> None:
    change(two[1])

    name, passed = newest(wanted_of(a_ledger, places), tmp_path)
    assert name == two[0].name
    assert list(passed) == [two[1].name]
    assert why in passed[two[1].name]


async def test_a_ledger_that_was_moved_is_no_copy_to_put_back(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    two[1].rename(places.copies / "repermit.db.moved-20261122T101500Z")

    assert newest(wanted_of(a_ledger, places), tmp_path) == (two[0].name, {})


async def test_a_damaged_page_in_the_middle_is_found(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    octets = bytearray(two[1].read_bytes())
    octets[-5 * 4096 :] = b"\xff" * (5 * 4096)
    two[1].write_bytes(octets)

    assert newest(wanted_of(a_ledger, places), tmp_path)[0] == two[0].name


async def test_promise_8_a_copy_from_before_a_purge_is_passed_over(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    """The log of the ledger in place says so; the key folder may be lost. Its keys are there."""
    await resealed(a_ledger)

    with pytest.raises(RestoreRefused) as refused:
        newest(wanted_of(a_ledger, places), tmp_path)
    assert str(refused.value) == (
        f"no copy in disk can be put back; {two[1].name}:"
        " it is from before the purge of 2026-11-23: nobody in it can be read"
    )


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1_000])
def test_promise_8_the_key_folder_says_so_when_the_ledger_is_lost(
    a_vault: Vault, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ledger.db"
    if content is not None:
        path.write_bytes(content)
    keys.note_destroyed(a_vault.keys.burn, 1, "2026-11-23T09:30:00Z")

    found = restoring.destroyed(a_vault.keys.folder, SQLite(path))
    assert found == {1: "2026-11-23T09:30:00Z"}


def test_a_folder_without_a_copy_is_refused(a_vault: Vault, tmp_path: Path) -> None:
    wanted = Wanted(a_vault.keys, tmp_path, {})

    with pytest.raises(RestoreRefused, match=r"no copy in .* can be put back$"):
        newest(wanted, tmp_path)


@pytest.mark.parametrize("name", ["none", "file"])
def test_a_folder_that_is_none_is_refused(a_vault: Vault, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("a file")

    with pytest.raises(RestoreRefused, match="cannot be read"):
        newest(Wanted(a_vault.keys, tmp_path / name, {}), tmp_path)


async def test_a_copy_with_its_keys_beside_it_only_can_be_put_back(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    (a_ledger.vault.keys.burn / "1.key").unlink()
    wanted = wanted_of(a_ledger, places)
    copy, _ = restoring.newest(wanted, tmp_path / "staged")

    restoring.put_back_generations(wanted, copy)

    key = a_ledger.vault.keys.burn / "1.key"
    assert (copy.path, key.stat().st_mode & 0o777) == (two[1], 0o600)
    assert keys.load_generation(key.parent, 1) == keys.read_generation(key, 1)


async def test_a_key_in_place_stays(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    key = a_ledger.vault.keys.burn / "1.key"
    before = key.read_bytes()
    wanted = wanted_of(a_ledger, places)

    restoring.put_back_generations(wanted, restoring.newest(wanted, tmp_path / "staged")[0])

    assert (key.read_bytes(), len(two)) == (before, 2)


async def test_a_key_beside_a_copy_that_is_damaged_is_not_put_back(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    wanted = wanted_of(a_ledger, places)
    copy, _ = restoring.newest(wanted, tmp_path / "staged")
    (a_ledger.vault.keys.burn / "1.key").unlink()
    (places.copies / "burn" / "1.key").write_text("{}")

    with pytest.raises(KeysUnusable):
        restoring.put_back_generations(wanted, copy)
    assert (list(a_ledger.vault.keys.burn.iterdir()), len(two)) == ([], 2)


def put_back(places: Places, folder: Path, copy: Path) -> Keys:
    """Put the lasting keys and the generations back into a key *folder*; return the keys."""
    found = restoring.look(copy)
    restoring.put_back_kept(places.kept / "keep", folder, found)
    kept_by = keys.read(folder / "keep" / "keys.json", folder)
    restoring.put_back_generations(Wanted(kept_by, places.copies, {}), found)
    return keys.load(folder)


async def test_a_lost_key_folder_comes_back_with_a_mark_ahead_of_every_id(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    """What a restore that was killed left of one is no matter."""
    keys.note_destroyed(a_ledger.vault.keys.burn, 9, "2026-01-01T00:00:00Z")
    await taken(a_ledger, places)
    (tmp_path / "keys" / ".keep.new").mkdir(parents=True)
    (tmp_path / "keys" / ".keep.new" / ".keys.json.4711").write_text("half")

    found = put_back(places, tmp_path / "keys", two[1])

    assert replace(found, folder=a_ledger.vault.keys.folder) == a_ledger.vault.keys
    assert keys.destroyed(found.burn) == {9: "2026-01-01T00:00:00Z"}
    known, before = MarkFile(found.mark).read(), mark_of(a_ledger)
    assert known is not None
    assert before is not None
    assert known.next_recipient == before.next_recipient + 10_000_000
    assert sorted(path.name for path in found.folder.rglob("*") if path.is_file()) == [
        *("1.key", "destroyed", "keys.json", "mark")
    ]


@pytest.mark.parametrize("content", [None, "damaged"])
async def test_without_a_mark_beside_the_keys_one_is_made_of_the_copy(
    places: Places, two: list[Path], tmp_path: Path, content: str | None
) -> None:
    (places.kept / "keep" / "mark").unlink()
    if content:
        (places.kept / "keep" / "mark").write_text(content)

    found = put_back(places, tmp_path / "keys", two[1])

    log = restoring.look(two[1]).log
    assert MarkFile(found.mark).read() == Mark(log, log, 10_000_003)


async def test_keys_are_never_put_into_a_synchronised_folder(
    places: Places, two: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(KeysUnusable, match="synchronised"):
        put_back(places, tmp_path / "Dropbox" / "keys", two[1])
    assert not (tmp_path / "Dropbox").exists()


async def test_what_is_put_back_knows_that_it_is_an_older_copy_and_where_its_keys_lie(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    """Even with a mark that says nothing of it; and with a folder that is mounted elsewhere now."""
    moved = places.copies.rename(tmp_path / "elsewhere")
    staged = a_ledger.path.with_name("staged")
    shutil.copy(moved / two[1].name, staged)
    other = '{"campaign": "another", "seal": "", "lookup": ""}'
    (moved / "burn" / "2.key").write_text(other)

    restoring.make_ready(staged, a_ledger.vault, moved, a_ledger.clock.now())

    mark = tmp_path / "mark"
    copy = Ledger.open(staged, a_ledger.vault, FakeClock(), mark=mark)
    assert await copy.read(copy.older_copy)
    noted = [each.path for each in await copy.read(written.key_copies)]
    assert noted == [places.copies / "burn" / "1.key", moved / "burn" / "1.key"]
    await copy.close()


async def test_keys_that_do_not_open_the_copy_are_found_before_it_is_in_place(
    a_ledger: Ledger, places: Places, two: list[Path], tmp_path: Path
) -> None:
    shutil.copy(two[1], tmp_path / "staged")
    (a_ledger.vault.keys.burn / "1.key").unlink()
    keys.create_generation(a_ledger.vault.keys.burn, 1)
    fresh = Vault(keys.load(a_ledger.vault.keys.folder))

    with pytest.raises(SealBroken):
        restoring.make_ready(tmp_path / "staged", fresh, places.copies, a_ledger.clock.now())


def test_nothing_is_left_of_what_was_made_ready(tmp_path: Path) -> None:
    """Nor of what a restore left that was killed."""
    left = tmp_path / ".ledger.db.restored"
    left.write_text("half")

    with restoring.staging(tmp_path / "ledger.db") as staged:
        assert not left.exists()
        staged.write_text("a ledger")
        Path(f"{staged}-wal").write_text("its log")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".ledger.db.restored").mkdir()

    with pytest.raises(LedgerUnusable), restoring.staging(tmp_path / "ledger.db"):
        pass


async def test_a_backup_that_a_purge_left_can_be_put_back(a_ledger: Ledger, tmp_path: Path) -> None:
    """It has the name of the ledger, and its keys are those in place."""
    await admit(a_ledger, AN)
    left = copying.backup(a_ledger.database)
    wanted = Wanted(a_ledger.vault.keys, left.parent, {})

    assert newest(wanted, tmp_path) == ("ledger.db", {})
    found: Copy = restoring.look(left)
    assert found.generations == {1}
    assert keycopies.there(left.parent / "burn") == []
