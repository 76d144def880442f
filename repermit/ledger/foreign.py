"""The suppression keys of other campaigns, which came with the lists that they suppress.

They stand in `keys/keep/keys.json` beside our own: an address is checked under every one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from repermit.errors import KeysUnusable
from repermit.ledger import keys

Stamp: TypeAlias = tuple[int, int, int]


def add(folder: Path, foreign: Sequence[bytes]) -> int:
    """Keep the keys *foreign* durably and return how many were new: neither ours nor there.

    Raises: KeysUnusable when the folder is damaged, or cannot be written.
    Crash: the old file or the new one.
    """
    with _alone(folder / "keep"):
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


@contextmanager
def _alone(keep: Path) -> Iterator[None]:
    """Keep other processes waiting that add a key. Raises: KeysUnusable."""
    try:
        descriptor = os.open(keep, os.O_RDONLY)
    except OSError as failure:
        raise KeysUnusable(
            "the key folder is missing or incomplete", hint="put back your copy of it"
        ) from failure
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    except OSError as failure:
        raise KeysUnusable(
            f"the key folder cannot be written ({failure.strerror})",
            hint="make room there, or correct its rights; then run the same command again",
        ) from failure
    finally:
        os.close(descriptor)
