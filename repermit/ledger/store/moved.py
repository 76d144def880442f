"""Whether the keys of a generation may be destroyed: nothing is sealed under it any more, and what
is there opens under the keys of the next one, read anew from the disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from repermit.errors import KeysUnusable, LedgerUnusable, SealBroken
from repermit.ledger.connect import translated
from repermit.ledger.database import Connection
from repermit.ledger.keys import Keys, load_generation
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault

_SEALED: Final = frozenset(("verify", "backup", "destroy", "clean", "report"))
_DESTROYED: Final = frozenset(("clean", "report"))
_MOVED = (
    "SELECT (SELECT generation FROM campaign) IS :following"
    " AND NOT EXISTS (SELECT 1 FROM recipient WHERE generation IS NOT :following)"
    " AND NOT EXISTS (SELECT 1 FROM origin WHERE generation IS NOT :following)"
    " AND NOT EXISTS (SELECT 1 FROM reply WHERE generation IS NOT :following)"
)
_ENDS = (
    "SELECT id, sealed FROM recipient WHERE id IN"
    " (SELECT min(id) FROM recipient UNION SELECT max(id) FROM recipient)"
)
_AGAIN = "run `repermit purge` again: nothing was destroyed"


def is_used(tx: Transaction, generation: int) -> bool:
    """Return whether anything is sealed under *generation*."""
    return bool(
        tx.value(
            "SELECT EXISTS (SELECT 1 FROM recipient WHERE generation = ?)"
            " OR EXISTS (SELECT 1 FROM origin WHERE generation = ?)"
            " OR EXISTS (SELECT 1 FROM reply WHERE generation = ?)",
            *(generation, generation, generation),
        )
    )


def contradicted(tx: Transaction, phase: str, *, generation: int, manifest: int) -> str | None:
    """Return the phase that a purge of *generation* must go back to because the rows are not what
    its *phase* says; None when they fit it. *manifest* is the entry that it began with."""
    if phase in _SEALED and not _is_moved(tx.connection, generation):
        return "erase"
    if phase in _DESTROYED and not tx.one(
        "SELECT 1 FROM log WHERE kind = 'resealed' AND \"index\" > ? LIMIT 1", manifest
    ):
        return "verify"
    return None


def require_moved(tx: Transaction, keys: Keys, generation: int) -> None:
    """Raise unless everybody in the ledger stands under the generation after *generation*, and its
    keys, read anew from *keys*' folder, open the first row and the last.

    Raises: LedgerUnusable; KeysUnusable. Nothing was destroyed then.
    """
    _require(tx.connection, keys, generation, "ledger")


def require_moved_backup(backup: Path, keys: Keys, generation: int) -> None:
    """Raise unless the same holds of the *backup*; raises as `require_moved` does."""
    if not backup.is_file():
        raise LedgerUnusable("the fresh backup of the ledger is not there", hint=_AGAIN)
    uri = f"{backup.absolute().as_uri()}?mode=ro&immutable=1"
    with translated(), closing(sqlite3.connect(uri, uri=True)) as opened:
        _require(opened, keys, generation, "fresh backup")


def _is_moved(opened: Connection, generation: int) -> bool:
    return bool(opened.execute(_MOVED, {"following": generation + 1}).fetchone()[0])


def _require(opened: Connection, keys: Keys, generation: int, what: str) -> None:
    following = generation + 1
    if not _is_moved(opened, generation):
        raise LedgerUnusable(
            f"the {what} still needs the keys of generation {generation}", hint=_AGAIN
        )
    load_generation(keys.burn, following)
    fresh = Vault(keys)
    for recipient_id, sealed in opened.execute(_ENDS):
        try:
            fresh.open_text(sealed, generation=following, recipient_id=recipient_id)
        except SealBroken as failure:
            raise KeysUnusable(
                f"generation {following} in the key folder does not open recipient"
                f" {recipient_id} in the {what}",
                hint="put back the key folder as it was in this purge, its newest copy; then"
                f" {_AGAIN}",
            ) from failure
