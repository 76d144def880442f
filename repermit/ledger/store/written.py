"""Which files with addresses were written, so that a purge can look into them.

A path is kept relative to the ledger's folder when it lies inside, so that the folder may be moved.
No path with an address in it is kept: the ledger would name a person for ever.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from repermit.domain.address import holds_at
from repermit.errors import FileRefused
from repermit.ledger.instants import to_micros
from repermit.ledger.transaction import Transaction

REMOVAL = "removal"  # what a file is that names who must be removed elsewhere
KEYS = "keys"  # a copy of a vault generation: on the list, but no file with addresses


@dataclass(frozen=True)
class NotedFile:
    """A file with addresses that a command wrote: where, under which name it is kept in the list,
    and what it is."""

    path: Path
    name: str
    kind: str


def note_file(tx: Transaction, path: Path, kind: str) -> None:
    """Put *path* on the list, once; call it before the file gets its name.

    Raises: FileRefused when the path holds an address, or is no text.
    """
    tx.run(
        "INSERT INTO written (at, kind, path) VALUES (?, ?, ?)"
        " ON CONFLICT (path) DO UPDATE SET at = excluded.at, kind = excluded.kind",
        *(to_micros(tx.now), kind, _kept(tx, path)),
    )


def files(tx: Transaction) -> list[NotedFile]:
    """Return every file with addresses on the list, the oldest first; they need not be there any
    more."""
    return [each for each in _listed(tx) if each.kind != KEYS]


def key_copies(tx: Transaction) -> list[NotedFile]:
    """Return every copy of a vault generation on the list, the oldest first."""
    return [each for each in _listed(tx) if each.kind == KEYS]


def _listed(tx: Transaction) -> list[NotedFile]:
    folder = _folder(tx)
    rows = tx.rows(
        "SELECT CAST(path AS BLOB), CAST(kind AS BLOB) FROM written ORDER BY at, id"
    )  # whatever somebody wrote there by hand, it is a file that a purge could not read
    texts = ((os.fsdecode(path), os.fsdecode(kind)) for path, kind in rows)
    return [NotedFile(folder / path, path, kind) for path, kind in texts]


def forget(tx: Transaction, path: Path) -> None:
    """Take *path* off the list: it is known that nothing is there."""
    tx.run("DELETE FROM written WHERE path = ?", _kept(tx, path))


def _kept(tx: Transaction, path: Path) -> str:
    """Return *path* as it is kept. Raises: FileRefused."""
    whole, folder = path.parent.resolve() / path.name, _folder(tx)
    inside = whole.is_relative_to(folder)
    kept = str(whole.relative_to(folder)) if inside else str(whole)
    if holds_at(kept) and not inside:  # as of a home folder that is called after its user
        kept = os.path.relpath(whole, folder)
    if holds_at(kept) or not _is_text(kept):
        raise FileRefused(
            "that file cannot be put on the list of files with addresses, because of its path",
            hint="name one without an address and without broken letters in its path",
        )
    return kept


def _folder(tx: Transaction) -> Path:
    """Return the folder of the ledger."""
    return tx.place.resolve().parent


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
