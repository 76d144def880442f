"""The keys that sign the links: changed in the folder, and taken over by whoever reads links."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from repermit.domain.token import Scope, Tokens, fingerprint
from repermit.errors import KeysUnusable, TokenRejected
from repermit.ledger import keys, linkkeys
from repermit.ledger.linkkeys import Change, LiveTokens
from repermit.ledger.log import Kind

ANSWER = Scope.ANSWER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A key folder just made."""
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file of this process grow for the length of a block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def made(folder: Path, kind: Kind) -> Change:
    """Change the keys, and let the log have it."""
    change = linkkeys.change(folder, kind)
    linkkeys.note_logged(folder, change)
    return change


def test_a_rotation_adds_a_key_and_changes_nothing_else(folder: Path) -> None:
    before = keys.load(folder)

    change = made(folder, Kind.ROTATED)

    after = keys.load(folder)
    old, new = after.tokens
    assert (old,) == before.tokens
    assert change == Change(Kind.ROTATED, (fingerprint(old),), fingerprint(new))
    kept = json.loads(after.file.read_bytes())
    assert "unlogged" not in kept
    assert [after.campaign, after.suppression, after.message, after.signing] == [
        *(before.campaign, before.suppression, before.message, before.signing)
    ]
    assert after.file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in after.file.parent.iterdir()] == ["keys.json"]


def test_a_revocation_leaves_none_but_a_new_key(folder: Path) -> None:
    made(folder, Kind.ROTATED)
    before = keys.load(folder)

    change = made(folder, Kind.REVOKED)

    (new,) = keys.load(folder).tokens
    assert new not in before.tokens
    assert change.before == tuple(map(fingerprint, before.tokens))


@pytest.mark.parametrize("then", [Kind.ROTATED, Kind.REVOKED])
def test_no_other_change_is_made_until_the_log_has_the_first(folder: Path, then: Kind) -> None:
    first = linkkeys.change(folder, Kind.ROTATED)

    assert linkkeys.unlogged(keys.load(folder)) == first
    assert linkkeys.change(folder, then) == first
    assert len(keys.load(folder).tokens) == 2
    linkkeys.note_logged(folder, Change(Kind.ROTATED, (), "another"))
    assert linkkeys.unlogged(keys.load(folder)) == first
    linkkeys.note_logged(folder, first)
    assert linkkeys.unlogged(keys.load(folder)) is None


@pytest.mark.parametrize("note", [1, {}, {"kind": "poem", "before": []}, {"kind": "rotated"}])
def test_a_note_that_cannot_be_read_is_named(folder: Path, note: object) -> None:
    known = keys.load(folder)
    content = json.loads(known.file.read_bytes())
    keys.write_durably(known.file, json.dumps(content | {"unlogged": note}).encode())

    with pytest.raises(KeysUnusable, match=r"keys\.json in the key folder cannot be read"):
        linkkeys.unlogged(known)


def test_a_change_on_a_full_disk_leaves_the_keys_as_they_were(folder: Path) -> None:
    before = keys.load(folder)

    with no_room(), pytest.raises(KeysUnusable, match="cannot be written"):
        linkkeys.change(folder, Kind.REVOKED)

    assert keys.load(folder) == before
    assert linkkeys.unlogged(before) is None


def test_a_reader_takes_over_what_another_process_has_changed(folder: Path) -> None:
    """Old links are read after a rotation, and none of them after a revocation."""
    live = LiveTokens(keys.load(folder))
    old = live.issue(ANSWER, 7)
    made(folder, Kind.ROTATED)
    new = Tokens(keys.load(folder).tokens).issue(ANSWER, 7)

    assert old != new
    assert (live.read(ANSWER, old), live.read(ANSWER, new)) == (7, 7)
    assert live.issue(ANSWER, 7) == new
    change = made(folder, Kind.REVOKED)
    for link in (old, new):
        with pytest.raises(TokenRejected):
            live.read(ANSWER, link)
    assert live.held() == (change.new,)


def test_a_reader_goes_on_while_the_file_cannot_be_read(folder: Path) -> None:
    live = LiveTokens(keys.load(folder))
    link, file = live.issue(ANSWER, 7), keys.load(folder).file
    content = file.read_bytes()

    file.write_bytes(b"{")
    assert live.read(ANSWER, link) == 7
    file.unlink()
    assert live.read(ANSWER, link) == 7
    keys.write_durably(file, content)
    change = made(folder, Kind.ROTATED)
    assert live.held()[-1] == change.new


def test_what_a_sender_signs_with_does_not_change(folder: Path) -> None:
    live = LiveTokens(keys.load(folder))
    fixed, change = live.as_they_are(), made(folder, Kind.ROTATED)

    assert live.held() == (*fixed.fingerprints, change.new)
    assert live.as_they_are().fingerprints == live.held()
