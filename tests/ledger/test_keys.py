import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import KeysUnusable
from repermit.ledger import keys
from tests.ledger.test_linkkeys import no_room

_LONGEST = 4085  # of a path: 4,096 octets are too many, on Linux


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A key folder just made."""
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


def modes(folder: Path) -> set[tuple[str, int]]:
    return {
        (path.relative_to(folder).as_posix(), path.stat().st_mode & 0o777)
        for path in (folder, *folder.rglob("*"))
    }


def test_a_new_folder_is_closed_to_everyone_else(folder: Path) -> None:
    assert modes(folder) == {
        (".", 0o700),
        ("keep", 0o700),
        ("burn", 0o700),
        ("keep/keys.json", 0o600),
        ("burn/1.key", 0o600),
    }


def test_what_was_created_is_what_is_loaded(tmp_path: Path) -> None:
    created = keys.create(tmp_path / "keys")
    loaded = keys.load(tmp_path / "keys")

    assert loaded == created
    assert loaded.mark == tmp_path / "keys" / "keep" / "mark"
    assert loaded.burn == tmp_path / "keys" / "burn"
    assert {len(key) for key in (loaded.suppression, loaded.message, *loaded.tokens)} == {32}


def test_two_campaigns_share_no_key(tmp_path: Path) -> None:
    one, two = keys.create(tmp_path / "one"), keys.create(tmp_path / "two")

    assert one.campaign != two.campaign
    assert not {one.suppression, one.message, *one.tokens} & {
        two.suppression,
        two.message,
        *two.tokens,
    }


def test_a_key_folder_may_lie_deep_or_be_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o755)

    assert keys.create(tmp_path / "empty")
    assert keys.create(tmp_path / "some" / "where" / "keys")
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_holds_something_is_never_written_over(folder: Path) -> None:
    before = (folder / "keep" / "keys.json").read_bytes()

    with pytest.raises(KeysUnusable, match="exists already"):
        keys.create(folder)
    assert (folder / "keep" / "keys.json").read_bytes() == before


def test_a_folder_that_holds_no_key_may_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "keys" / "burn").mkdir(parents=True)

    with pytest.raises(KeysUnusable, match="holds no key") as refused:
        keys.create(tmp_path / "keys")
    assert "delete it" in refused.value.hint


def test_what_was_cut_off_before_goes_when_a_folder_is_made(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f".keys.{ended.pid}.x7.new" / "burn").mkdir(parents=True)
    (tmp_path / f".keys.{os.getpid()}.x7.new" / "burn").mkdir(parents=True)  # is being made

    keys.create(tmp_path / "keys")

    left = {each.name for each in tmp_path.iterdir()}
    assert left == {"keys", f".keys.{os.getpid()}.x7.new"}


def test_a_folder_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with no_room(), pytest.raises(KeysUnusable, match="cannot be used"):
        keys.create(tmp_path / "keys")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_just_made_is_unused(folder: Path) -> None:
    assert keys.is_unused(folder)


@pytest.mark.parametrize("more", ["keep/mark", "keep/destroyed", "burn/2.key", "notes"])
def test_a_folder_with_more_in_it_is_used(folder: Path, more: str) -> None:
    (folder / more).touch(mode=0o600)

    assert not keys.is_unused(folder)


@pytest.mark.parametrize("part", ["keep/keys.json", "burn/1.key"])
def test_a_folder_that_cannot_be_read_is_not_one_just_made(folder: Path, part: str) -> None:
    (folder / part).write_text("{")

    assert not keys.is_unused(folder)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("my notes")

    with pytest.raises(KeysUnusable, match="exists already"):
        keys.create(tmp_path / "keys")


@pytest.mark.parametrize("part", [".", "keep", "burn", "keep/keys.json"])
@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604, 0o701])
def test_what_others_can_open_is_refused(folder: Path, part: str, mode: int) -> None:
    (folder / part).chmod(mode | 0o600)

    with pytest.raises(KeysUnusable, match="open to other users"):
        keys.load(folder)


def test_a_generation_that_others_can_open_is_refused(folder: Path) -> None:
    (folder / "burn" / "1.key").chmod(0o644)

    with pytest.raises(KeysUnusable, match=r"1\.key .* open to other users \(mode 644\)"):
        keys.load_generation(folder / "burn", 1)


@pytest.mark.parametrize(
    "name", ["Dropbox", "OneDrive - Stad Voorbeeld", "Google Drive", "iCloud Drive", "nextcloud"]
)
def test_a_synchronised_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(KeysUnusable, match="synchronised folder"):
        keys.create(tmp_path / name / "keys")
    assert not (tmp_path / name / "keys").exists()
    with pytest.raises(KeysUnusable, match="synchronised folder"):
        keys.load(tmp_path / name / "keys")


def test_a_link_into_a_synchronised_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dropbox" / "keys").mkdir(parents=True)
    (tmp_path / "keys").symlink_to(tmp_path / "Dropbox" / "keys")

    with pytest.raises(KeysUnusable, match="synchronised folder"):
        keys.create(tmp_path / "keys")


def test_what_a_service_leaves_is_looked_for_when_keys_are_made_not_at_each_load(
    folder: Path,
) -> None:
    (folder.parent / ".stfolder").mkdir()

    with pytest.raises(KeysUnusable, match="synchronised folder"):
        keys.create(folder.with_name("others"))
    assert keys.load(folder)


def test_of_several_who_make_keys_at_the_same_instant_one_succeeds(tmp_path: Path) -> None:
    def make(start: Barrier, folder: Path) -> keys.Keys | None:
        start.wait()
        try:
            return keys.create(folder)
        except KeysUnusable:
            return None

    for name in map(str, range(20)):
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(make, [Barrier(4)] * 4, [tmp_path / name] * 4))
        assert [each for each in made if each] == [keys.load(tmp_path / name)]


def test_a_folder_in_which_something_else_lies_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "burn").mkdir()
    (tmp_path / "burn" / "1.key").write_text("of somebody")

    with pytest.raises(KeysUnusable, match="exists already"):
        keys.create(tmp_path)
    assert [each.name for each in tmp_path.rglob("*")] == ["burn", "1.key"]


def test_keys_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    """There is room for the name of a folder in it, and not for that of a key."""
    deep = tmp_path
    while (left := _LONGEST - len(str(deep))) > 250:
        deep /= "d" * 100
    deep /= "d" * (left - 1)
    deep.parent.mkdir(parents=True)

    with pytest.raises(KeysUnusable, match="cannot be used"):
        keys.create(deep)
    assert list(deep.parent.iterdir()) == []


@pytest.mark.parametrize("part", [".", "keep", "burn", "keep/keys.json"])
def test_a_folder_with_a_part_missing_is_refused(folder: Path, part: str) -> None:
    (folder / part).rename(folder.with_name("elsewhere"))

    with pytest.raises(KeysUnusable, match="missing or incomplete"):
        keys.load(folder)


def test_a_file_in_the_place_of_keep_is_refused(folder: Path) -> None:
    (folder / "keep").rename(folder.with_name("elsewhere"))
    (folder / "keep").write_text("")
    (folder / "keep").chmod(0o600)

    with pytest.raises(KeysUnusable, match="cannot be read"):
        keys.load(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"campaign": "c", "suppression": 5, "message": "00", "tokens": []}',
        b'{"campaign": "c", "suppression": "0g", "message": "00", "tokens": []}',
        b'{"campaign": "c", "suppression": "00", "message": "00", "tokens": "abc"}',
    ],
)
def test_damaged_keys_are_refused(folder: Path, content: bytes) -> None:
    (folder / "keep" / "keys.json").write_bytes(content)

    with pytest.raises(KeysUnusable, match=r"keep/keys\.json .* cannot be read"):
        keys.load(folder)


@pytest.mark.parametrize("name", ["suppression", "message", "tokens"])
@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(folder: Path, name: str, size: int) -> None:
    """A key cut off would still hash, and find nobody who is suppressed."""
    path = folder / "keep" / "keys.json"
    wrong = "ab" * size
    content = json.loads(path.read_bytes()) | {name: [wrong] if name == "tokens" else wrong}
    path.write_text(json.dumps(content))

    with pytest.raises(KeysUnusable, match="cannot be read"):
        keys.load(folder)


def test_a_folder_without_a_token_key_is_refused(folder: Path) -> None:
    path = folder / "keep" / "keys.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"tokens": []}))

    with pytest.raises(KeysUnusable, match="cannot be read"):
        keys.load(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b'{"seal": "00"}',
        b'{"seal": "00", "lookup": "00"}',
        b'{"seal": 1, "lookup": 2}',
        b'{"seal": "x", "lookup": "y"}',
    ],
)
def test_a_damaged_generation_is_refused(folder: Path, content: bytes) -> None:
    (folder / "burn" / "1.key").write_bytes(content)

    with pytest.raises(KeysUnusable, match=r"burn/1\.key .* cannot be read"):
        keys.load_generation(folder / "burn", 1)


def test_a_generation_that_is_there_is_returned_as_it_is(folder: Path) -> None:
    """A purge that was killed goes on under the keys that it had made."""
    made = keys.create_generation(folder / "burn", 2)

    assert keys.create_generation(folder / "burn", 2) == made
    assert keys.load_generation(folder / "burn", 1) != made


def test_what_a_killed_purge_left_beside_a_generation_goes_when_it_is_made(folder: Path) -> None:
    burn = folder / "burn"
    (burn / ".2.key.7404").write_text("half of a key")

    keys.create_generation(burn, 2)

    assert sorted(path.name for path in burn.iterdir()) == ["1.key", "2.key"]


def test_a_destroyed_generation_is_gone_and_overwritten(folder: Path) -> None:
    path = folder / "burn" / "1.key"
    with path.open("rb") as still_open:
        before = still_open.read()

        assert keys.destroy_generation(folder / "burn", 1)
        still_open.seek(0)
        after = still_open.read()

    assert len(after) == len(before)
    assert after != before
    assert not path.exists()
    with pytest.raises(KeysUnusable, match="generation 1 is not in the key folder"):
        keys.load_generation(folder / "burn", 1)


def test_destroying_a_generation_twice_says_that_it_was_gone(folder: Path) -> None:
    keys.destroy_generation(folder / "burn", 1)

    assert not keys.destroy_generation(folder / "burn", 1)


def test_a_durable_write_replaces_the_whole_file(tmp_path: Path) -> None:
    keys.write_durably(tmp_path / "file", b"a long text")
    keys.write_durably(tmp_path / "file", b"short")

    assert (tmp_path / "file").read_bytes() == b"short"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - the names, nothing beside them


@given(st.binary(max_size=60))
def test_any_other_content_is_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    burn = tmp_path_factory.mktemp("burn")
    keys.write_durably(burn / "1.key", content)

    with pytest.raises(KeysUnusable):
        keys.load_generation(burn, 1)


def test_a_generation_that_cannot_be_read_is_made_anew_if_nothing_is_sealed_under_it(
    folder: Path,
) -> None:
    cut = folder / "burn" / "1.key"
    cut.write_bytes(b"{")

    with pytest.raises(KeysUnusable, match="cannot be read"):
        keys.create_generation(folder / "burn", 1)
    made = keys.create_generation(folder / "burn", 1, is_unused=True)
    assert made == keys.load_generation(folder / "burn", 1)


def test_a_generation_that_was_destroyed_is_not_made_anew(folder: Path) -> None:
    keys.note_destroyed(folder / "burn", 1, "2026-12-24T10:00:00Z")

    with pytest.raises(KeysUnusable, match="destroyed on 2026-12-24"):
        keys.create_generation(folder / "burn", 1, is_unused=True)


def test_a_folder_that_is_gone_meanwhile_is_named(folder: Path) -> None:
    folder.rename(folder.with_name("away"))

    with pytest.raises(KeysUnusable, match="the key folder cannot be used"):
        keys.create_generation(folder / "burn", 2)


def test_a_durable_write_that_fails_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "in the way").mkdir()

    with pytest.raises(IsADirectoryError):
        keys.write_durably(tmp_path / "in the way", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["in the way"]
