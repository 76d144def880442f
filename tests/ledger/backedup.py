"""What tests of backups share: two folders apart, and a copy of a ledger with its keys in them."""

from __future__ import annotations

from pathlib import Path

from repermit.ledger import backups
from repermit.ledger.backups import Places
from repermit.ledger.engine import Ledger
from repermit.ledger.store import keycopies


def places_in(folder: Path) -> Places:
    """Make two folders in *folder*, for the copies and for the lasting keys, and return them."""
    found = Places(folder / "disk", folder / "stick")
    for one in (found.copies, found.kept):
        one.mkdir(exist_ok=True)
    return found


async def taken(ledger: Ledger, places: Places) -> Path:
    """Take a backup of *ledger* as the command does, and return the path of the copy."""
    kept_by = ledger.vault.keys
    generations = keycopies.there(kept_by.burn)
    await ledger.write(keycopies.note, keycopies.beside(places.copies), generations)
    return backups.take(ledger.database, kept_by, places, ledger.clock.now(), generations)
