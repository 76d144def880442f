"""What two key folders are compared by."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repermit.ledger import foreign, keys, linkkeys
from repermit.ledger.keyfacts import generations, key_facts
from repermit.ledger.log import Kind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A key folder just made."""
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


def changed(name: str, value: Any) -> Callable[[Path], None]:
    """Return what changes one of the lasting keys."""

    def change(folder: Path) -> None:
        file = keys.load(folder).file
        content = json.loads(file.read_bytes())
        keys.write_durably(file, json.dumps(content | {name: value}).encode())

    return change


def other_vault(folder: Path) -> None:
    """Another generation 1, and a generation 2."""
    keys.destroy_generation(folder / "burn", 1)
    keys.create_generation(folder / "burn", 1)
    keys.create_generation(folder / "burn", 2)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (changed("campaign", "another"), {"campaign of the keys"}),
        (changed("suppression", "00" * 32), {"suppression keys"}),
        (lambda folder: foreign.add(folder, [bytes(32)]), {"suppression keys"}),
        (changed("message", "00" * 32), {"key of the message ids"}),
        (lambda folder: linkkeys.change(folder, Kind.ROTATED), {"keys of the links"}),
        (changed("signing", "00" * 32), {"signing key"}),
        (other_vault, {"vault generation 1", "vault generation 2"}),
    ],
)
def test_each_set_of_keys_has_a_fingerprint(
    folder: Path, change: Callable[[Path], None], parts: set[str]
) -> None:
    other = shutil.copytree(folder, folder.with_name("other"))
    assert key_facts(keys.load(folder)) == key_facts(keys.load(other))

    change(other)

    one, two = key_facts(keys.load(folder)), key_facts(keys.load(other))
    assert {part for part in one | two if one.get(part) != two.get(part)} == parts


def test_a_fingerprint_tells_nothing_of_a_key(folder: Path) -> None:
    secret = (folder / "keep" / "keys.json").read_text() + (folder / "burn" / "1.key").read_text()
    facts = key_facts(keys.load(folder))

    assert all(len(each) == 16 and each not in secret for each in facts.values())


def test_the_generations_that_are_held_come_in_their_order(folder: Path) -> None:
    keys.create_generation(folder / "burn", 10)
    keys.create_generation(folder / "burn", 2)
    (folder / "burn" / "notes.key").write_text("mine")

    assert generations(folder / "burn") == [1, 2, 10]
