import json
import os
from pathlib import Path

import pytest

from repermit.errors import KeysUnusable
from repermit.ledger import foreign, keys
from repermit.ledger.keys import Keys

THEIRS, OTHERS = b"a" * 32, b"b" * 32


@pytest.fixture
def made(tmp_path: Path) -> Keys:
    """The keys of a folder just made."""
    return keys.create(tmp_path / "keys")


def test_a_new_folder_holds_no_foreign_key(made: Keys) -> None:
    assert made.foreign_suppression == ()


def test_foreign_keys_are_kept_beside_our_own(made: Keys) -> None:
    assert foreign.add(made.folder, [THEIRS, THEIRS]) == 1
    assert foreign.add(made.folder, [OTHERS, THEIRS]) == 1
    kept = keys.load(made.folder)

    assert kept.foreign_suppression == (THEIRS, OTHERS)
    assert (kept.suppression, kept.message, kept.tokens) == (
        made.suppression,
        made.message,
        made.tokens,
    )
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in made.file.parent.iterdir()] == ["keys.json"]


def test_our_own_key_and_known_ones_change_nothing(made: Keys) -> None:
    foreign.add(made.folder, [THEIRS])
    before = foreign.stamp(made.file)

    assert foreign.add(made.folder, [made.suppression, THEIRS]) == 0
    assert foreign.stamp(made.file) == before


def test_a_write_of_the_keys_is_noticed(made: Keys, tmp_path: Path) -> None:
    before = foreign.stamp(made.file)
    foreign.add(made.folder, [THEIRS])

    assert foreign.stamp(made.file) != before
    assert foreign.stamp(tmp_path / "nothing") is None


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="missing or incomplete"):
        foreign.add(tmp_path / "keys", [THEIRS])


def test_a_folder_that_cannot_be_written_is_refused(made: Keys) -> None:
    """A folder lies where the new file would be written."""
    beside = made.file.with_name(f".keys.json.{os.getpid()}")
    beside.mkdir(mode=0o700)

    with pytest.raises(KeysUnusable, match="cannot be written"):
        foreign.add(made.folder, [THEIRS])
    assert keys.load(made.folder) == made


@pytest.mark.parametrize("wrong", ["ab", ["ab"], ["zz" * 32], [7], 7, None])
def test_damaged_foreign_keys_are_refused(made: Keys, wrong: object) -> None:
    """A key cut off would still hash, and find nobody who is suppressed."""
    content = json.loads(made.file.read_bytes()) | {"foreign_suppression": wrong}
    made.file.write_text(json.dumps(content))

    with pytest.raises(KeysUnusable, match="cannot be read"):
        keys.load(made.folder)
