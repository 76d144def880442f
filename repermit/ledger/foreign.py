"""The suppression keys of other campaigns, which came with the lists that they suppress.

They stand in `keys/keep/keys.json` beside our own: an address is checked under every one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from repermit.ledger import keys
from repermit.ledger.folder import alone

Stamp: TypeAlias = tuple[int, int, int]


def add(folder: Path, foreign: Sequence[bytes]) -> int:
    """Keep the keys *foreign* durably and return how many were new: neither ours nor there.

    Raises: KeysUnusable when the folder is damaged, or cannot be written.
    Crash: the old file or the new one.
    """
    with alone(folder / "keep"):
        known = keys.load(folder)
        have = (known.suppression, *known.foreign_suppression)
        new = [key for key in dict.fromkeys(foreign) if key not in have]
        if new:
            content = json.loads(known.file.read_bytes())
            kept = (*known.foreign_suppression, *new)
            content["foreign_suppression"] = [key.hex() for key in kept]
            keys.write_durably(known.file, json.dumps(content, indent=1).encode())
    return len(new)


def stamp(file: Path) -> Stamp | None:
    """Return what changes whenever a process writes the keys in *file*; None without it."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
