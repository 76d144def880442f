"""Copies of vault generations beside backups of the ledger: a purge destroys them, too.

    DIR/burn/N.key   generation N, and the campaign that it is of

Where they were written is on the list of `written`, apart from the files with addresses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repermit.errors import BackupRefused, KeysUnusable
from repermit.files import LONGEST_PATH, shown
from repermit.ledger import keys
from repermit.ledger.folder import read_json
from repermit.ledger.keys import Keys
from repermit.ledger.store import written
from repermit.ledger.store.written import NotedFile
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Fate:
    """What became of the noted copies of destroyed generations: those that are no more, and those
    of which nobody can tell, as their disk is not there or refuses."""

    gone: tuple[Path, ...] = ()
    out_of_reach: tuple[str, ...] = ()


def beside(folder: Path) -> Path:
    """Return where the generations lie in a *folder* of backups."""
    return folder / "burn"


def there(burn: Path) -> list[int]:
    """Return the generations in *burn*, the oldest first."""
    return sorted(number for path in burn.glob("*.key") if (number := _number(path)) is not None)


def copy(kept_by: Keys, numbers: Sequence[int], folder: Path) -> None:
    """Copy generations to *folder*, durably; one that is there already stays as it is.

    Raises: BackupRefused when they are those of another campaign; KeysUnusable; OSError.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    _sweep(folder)
    for number in numbers:
        generation = keys.load_generation(kept_by.burn, number)
        path = folder / f"{number}.key"
        if path.exists():
            _require_same(path, kept_by, generation)
            continue
        content = {
            "campaign": kept_by.campaign,
            "seal": generation.seal.hex(),
            "lookup": generation.lookup.hex(),
        }
        keys.write_durably(path, json.dumps(content).encode())


def note(tx: Transaction, folder: Path, numbers: Sequence[int]) -> None:
    """Put copies of generations in *folder* on the list; call it before they are written.

    Raises: FileRefused when the path holds an address, or is no text.
    """
    for number in numbers:
        written.note_file(tx, folder / f"{number}.key", written.KEYS)


def destroy(noted: Sequence[NotedFile], kept_by: Keys) -> Fate:
    """Destroy those of the *noted* copies whose generation a purge has destroyed, and return what
    became of them; again after a crash. Raises: KeysUnusable when that cannot be read."""
    destroyed = keys.destroyed(kept_by.burn)
    gone, out_of_reach = [], []
    for one in noted:
        if _number(one.path) not in destroyed:
            continue
        if _is_destroyed(one.path, kept_by.campaign):
            gone.append(one.path)
        else:
            out_of_reach.append(shown(one.name, longest=LONGEST_PATH))
    return Fate(tuple(gone), tuple(out_of_reach))


def destroy_in(folder: Path, kept_by: Keys) -> list[int]:
    """Destroy what lies in *folder* of this campaign and was destroyed by a purge: its disk was not
    there then. Return which generations."""
    destroyed = keys.destroyed(kept_by.burn)
    found = [
        number
        for number in there(folder)
        if number in destroyed and campaign_of(folder / f"{number}.key") == kept_by.campaign
    ]
    for number in found:
        keys.destroy_generation(folder, number)
    return found


def forget(tx: Transaction, fate: Fate) -> None:
    """Take off the list what is no more."""
    for path in fate.gone:
        written.forget(tx, path)


def campaign_of(path: Path) -> str | None:
    """Return the campaign that a copy of a generation is of; None when it cannot be read."""
    try:
        return str(read_json(path).get("campaign"))
    except KeysUnusable:
        return None


def _number(path: Path) -> int | None:
    return int(path.stem) if path.stem.isdecimal() else None


def _sweep(folder: Path) -> None:
    """Remove what a backup that was killed left of keys: never a whole file under its name."""
    for leftover in folder.glob(".*.key.*"):
        leftover.unlink()


def _require_same(path: Path, kept_by: Keys, generation: keys.Generation) -> None:
    if (
        campaign_of(path) != kept_by.campaign
        or keys.read_generation(path, generation.number) != generation
    ):
        raise BackupRefused(
            f"burn/{path.name} in that folder is not the key of this campaign",
            hint="name a folder for this campaign alone",
        )


def _is_destroyed(path: Path, campaign: str) -> bool:
    """Return whether a copy is no more: it went now, or its folder is there and it is not."""
    if not path.parent.is_dir():
        return False
    if path.exists() and campaign_of(path) not in (campaign, None):
        return False  # another disk stands in its place
    try:
        _sweep(path.parent)
        keys.destroy_generation(path.parent, int(path.stem))
    except (KeysUnusable, OSError):
        return False
    return True
