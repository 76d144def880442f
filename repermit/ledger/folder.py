"""What must hold of the key folder and of each file in it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repermit.errors import KeysUnusable
from repermit.files import is_full
from repermit.ledger.synchronised import service_of


@contextmanager
def usable() -> Iterator[None]:
    """Turn what the disk raises inside the block into what the operator can act on."""
    try:
        yield
    except OSError as failure:
        do = "put it back in its place, or check its rights"
        do = "make room there" if is_full(failure) else do
        raise KeysUnusable(
            f"the key folder cannot be used ({failure.strerror})",
            hint=f"{do}; then run the same command again",
        ) from failure


@contextmanager
def alone(keep: Path) -> Iterator[None]:
    """Keep other processes waiting that change the lasting keys. Raises: KeysUnusable."""
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


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in *path*. Raises: KeysUnusable."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as failure:
        raise damaged(path) from failure
    if not isinstance(content, dict):
        raise damaged(path)
    return content


def damaged(path: Path) -> KeysUnusable:
    """Return the failure to read *path*."""
    return KeysUnusable(
        f"{path.parent.name}/{path.name} in the key folder cannot be read",
        hint="put back the copy that you keep of the key folder",
    )


def refuse_open(path: Path) -> None:
    """Raise KeysUnusable when *path* is missing, or open to other users."""
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError as failure:
        raise KeysUnusable(
            "the key folder is missing or incomplete",
            hint="put back your copy of it; a new campaign begins with `repermit init` in an empty"
            " folder",
        ) from failure
    except OSError as failure:
        raise damaged(path) from failure
    if mode & 0o077:
        raise KeysUnusable(
            f"{path.name} in the key folder is open to other users (mode {mode:o})",
            hint="run `chmod -R go= ` on the key folder, and ask who could have read it",
        )


def refuse_synchronised(
    folder: Path, *, what: str = "key folder", cure: str = "set keys.dir to"
) -> None:
    """Raise KeysUnusable when *folder* would be copied elsewhere by itself."""
    if service := service_of(folder):
        raise KeysUnusable(
            f"the {what} lies in a synchronised folder ({service})",
            hint=f"{cure} a folder of this machine only, outside {service}: a copy that is "
            "synchronised away cannot be destroyed",
        )
