"""A new campaign on disk: the config, the key folder, and nothing where it fails."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from repermit.cli.begin import left_as_in_the_example, require_new, write_campaign
from repermit.config import load
from repermit.errors import ConfigInvalid, FileRefused, KeysUnusable
from repermit.ledger import keys
from repermit.runtime import example_config

_NOBODY = 65_534


def test_without_a_value_it_is_the_example(tmp_path: Path) -> None:
    write_campaign(tmp_path / "new" / "campaign", {})

    config = load(tmp_path / "new" / "campaign" / "config.toml")
    assert config.path.read_text("utf-8") == example_config()
    assert keys.load(config.keys_dir).campaign


def test_what_names_somebody_as_the_example_does_is_named(tmp_path: Path) -> None:
    write_campaign(tmp_path, {"controller.name": "Zoo", "controller.registration": None})

    assert left_as_in_the_example(tmp_path / "config.toml") == [
        *("controller.postal_address", "controller.email", "controller.privacy_url"),
        *("controller.authority", "policy.reasons.signed_up_no_proof", "relay.from"),
        "web.public_url",
    ]


def test_a_value_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"campaign\.answer_days"):
        write_campaign(tmp_path / "new" / "campaign", {"campaign.answer_days": 1})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["campaign", "link"])
def test_a_synchronised_folder_is_refused_by_name_with_what_to_do(
    tmp_path: Path, what: str
) -> None:
    (tmp_path / "Nextcloud" / "campaign").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "Nextcloud" / "campaign")
    folder = {"campaign": tmp_path / "Nextcloud" / "campaign", "link": tmp_path / "link"}[what]

    with pytest.raises(KeysUnusable, match=r"campaign lies in .*\(Nextcloud\)") as refused:
        require_new(folder)
    assert refused.value.hint.startswith("begin it in a folder of this machine only")
    assert list((tmp_path / "Nextcloud" / "campaign").iterdir()) == []


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("keys.dir", "../Dropbox/keys", "the key folder"),
        ("database.url", "sqlite:///../Dropbox/repermit.db", "the ledger"),
    ],
)
def test_neither_the_keys_nor_the_ledger_may_lie_in_one(
    tmp_path: Path, key: str, value: str, what: str
) -> None:
    with pytest.raises(KeysUnusable, match=rf"{what} lies in .*\(Dropbox\)"):
        write_campaign(tmp_path / "campaign", {key: value})
    assert list(tmp_path.iterdir()) == []


def test_where_a_link_is_in_the_place_of_the_config_no_keys_stay(tmp_path: Path) -> None:
    (tmp_path / "config.toml").symlink_to(tmp_path / "gone" / "config.toml")

    with pytest.raises(FileRefused, match="exists already"):
        write_campaign(tmp_path, {})
    assert not (tmp_path / "keys").exists()


def test_a_file_in_the_way_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "garden").write_text("a file")

    with pytest.raises(FileRefused, match="garden is a file"):
        require_new(tmp_path / "garden" / "campaign")


@contextmanager
def _without_rights() -> Iterator[None]:
    """Be nobody for the length of a block: root may write everywhere."""
    if os.geteuid():
        yield
        return
    os.setresuid(_NOBODY, _NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_folder_that_nobody_may_write_is_told_before_anything_is_asked() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o555)
        with _without_rights(), pytest.raises(FileRefused, match="no right to"):
            require_new(Path(place) / "campaign")


def test_what_a_cut_off_init_left_is_taken_over(tmp_path: Path) -> None:
    there = keys.create(tmp_path / "keys")
    (tmp_path / ".config.toml.7404.part").write_text("half of a con")

    assert write_campaign(tmp_path, {})
    assert keys.load(tmp_path / "keys") == there
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.toml", "keys"]
    assert load(tmp_path / "config.toml").keys_dir == tmp_path / "keys"


@pytest.mark.parametrize("used", ["repermit.db", "keys/keep/mark", "keys/keep/destroyed"])
def test_keys_that_a_campaign_has_used_are_never_taken_over(tmp_path: Path, used: str) -> None:
    there = keys.create(tmp_path / "keys")
    (tmp_path / used).touch(mode=0o600)

    with pytest.raises(KeysUnusable, match="exists already"):
        write_campaign(tmp_path, {})
    assert keys.load(tmp_path / "keys") == there
    assert not (tmp_path / "config.toml").exists()


def test_a_key_folder_without_a_key_may_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "keys" / "keep").mkdir(parents=True)

    with pytest.raises(KeysUnusable, match="not whole, and holds no key") as refused:
        write_campaign(tmp_path, {})
    assert "delete it" in refused.value.hint


def test_a_config_that_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("mine")

    with pytest.raises(FileRefused, match="exists already"):
        write_campaign(tmp_path, {})
    assert (tmp_path / "config.toml").read_text() == "mine"
    assert not (tmp_path / "keys").exists()


def test_two_that_begin_in_one_folder_at_the_same_instant_leave_the_campaign_of_one(
    tmp_path: Path,
) -> None:
    def begin(start: Barrier, folder: Path) -> bool:
        start.wait()
        try:
            write_campaign(folder, {})
        except (FileRefused, KeysUnusable):
            return False
        return True

    for name in map(str, range(20)):
        folder = tmp_path / name / "campaign"
        with ThreadPoolExecutor(4) as pool:
            begun = list(pool.map(begin, [Barrier(4)] * 4, [folder] * 4))
        assert begun.count(True) == 1
        assert keys.load(load(folder / "config.toml").keys_dir).campaign


def test_a_link_in_the_place_of_the_config_stays(tmp_path: Path) -> None:
    """A link that leads nowhere is something, too."""
    (tmp_path / "config.toml").symlink_to(tmp_path / "gone.toml")

    with pytest.raises(FileRefused, match="exists already"):
        write_campaign(tmp_path, {})
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]
