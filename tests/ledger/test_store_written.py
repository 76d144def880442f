from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.errors import FileRefused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import written
from tests.builders import FakeClock


async def listed(ledger: Ledger) -> list[tuple[str, str]]:
    """Return what is on the list: kind, and path as it is kept."""
    return [(each.kind, each.name) for each in await ledger.read(written.files)]


async def test_a_file_inside_the_folder_of_the_ledger_moves_with_it(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    await a_ledger.write(written.note_file, campaign_folder / "out" / "yes.csv", "handover")

    assert await listed(a_ledger) == [("handover", "out/yes.csv")]
    (found,) = await a_ledger.read(written.files)
    assert found.path == campaign_folder / "out" / "yes.csv"


async def test_a_file_elsewhere_is_kept_with_its_whole_path(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    await a_ledger.write(written.note_file, tmp_path / "yes.csv", "export")

    assert await listed(a_ledger) == [("export", str(tmp_path / "yes.csv"))]


async def test_a_path_is_kept_as_it_is_found_from_anywhere(
    a_ledger: Ledger, campaign_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given relative to where the command ran, or by way of a link to the folder."""
    monkeypatch.chdir(campaign_folder)
    (campaign_folder.parent / "link").symlink_to(campaign_folder)
    await a_ledger.write(written.note_file, Path("yes.csv"), "export")
    await a_ledger.write(written.note_file, campaign_folder.parent / "link" / "no.csv", "export")

    assert await listed(a_ledger) == [("export", "yes.csv"), ("export", "no.csv")]


async def test_a_file_that_is_written_again_is_on_the_list_once(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await a_ledger.write(written.note_file, campaign_folder / "a.csv", "rejects")
    a_clock.advance(timedelta(days=1))
    await a_ledger.write(written.note_file, campaign_folder / "a.csv", "export")

    (found,) = await a_ledger.read(written.files)
    assert found.kind == "export"


async def test_a_file_that_is_known_to_be_gone_is_taken_off_the_list(
    a_ledger: Ledger, campaign_folder: Path
) -> None:
    for name in ("a.csv", "b.csv"):
        await a_ledger.write(written.note_file, campaign_folder / name, "export")

    await a_ledger.write(written.forget, campaign_folder / "a.csv")

    assert await listed(a_ledger) == [("export", "b.csv")]


@pytest.mark.parametrize(
    "name", ["an@telenet.be.csv", "an%40telenet.be.csv", os.fsdecode(b"caf\xe9.csv")]
)
async def test_promise_12_no_address_comes_into_the_ledger_with_a_path(
    a_ledger: Ledger, campaign_folder: Path, tmp_path: Path, name: str
) -> None:
    """Nor a name that is no text: it could not be kept."""
    for folder in (campaign_folder, tmp_path):
        with pytest.raises(FileRefused) as refused:
            await a_ledger.write(written.note_file, folder / name, "export")
        assert "telenet" not in str(refused.value)

    assert await listed(a_ledger) == []


async def test_a_home_folder_that_is_called_after_its_user_is_left_out(
    tmp_path: Path, empty_campaign: Path, a_clock: FakeClock
) -> None:
    """The ledger and the file both lie in it: the one is found from the other."""
    import shutil

    from repermit.ledger import keys
    from repermit.ledger.vault import Vault

    home = tmp_path / "an@telenet.be"
    folder = shutil.copytree(empty_campaign, home / "campaign")
    ledger = Ledger.open(folder / "ledger.db", Vault(keys.load(folder / "keys")), a_clock)

    await ledger.write(written.note_file, home / "yes.csv", "export")
    (found,) = await ledger.read(written.files)

    assert found.name == "../yes.csv"
    assert found.path.resolve() == home.resolve() / "yes.csv"
    await ledger.close()
