"""Destroys the original list once everybody in it was handed over: overwritten, then removed.

What this cannot reach: copies elsewhere, snapshots and backups of the disk, and old sectors of
disks that write anew beside what they had (NIST SP 800-88: "Clear" at most).
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from repermit.errors import ListKept
from repermit.files import shown
from repermit.ledger.engine import Ledger
from repermit.ledger.store import closing, originals
from repermit.ledger.store.originals import Import
from repermit.ledger.transaction import Transaction

_PART_BYTES = 1 << 20


@dataclass(frozen=True)
class Original:
    """The file of a list that was taken in and may be destroyed."""

    path: Path
    size: int
    of: Import
    is_begun: bool = False  # its destruction was cut off

    @property
    def name(self) -> str:
        """Return its name as it may be shown."""
        return shown(self.path.name)


async def look(ledger: Ledger, path: Path) -> Original:
    """Return what lies at *path*, if it is a list of this campaign and was handed over.

    Raises: ListKept.
    """
    await ledger.read(_require_handed_over, None)
    begun = _begun(path)
    size, hashed = begun or _size_and_hash(path)
    one = await ledger.read(originals.import_of, hashed)
    if one is None:
        raise ListKept(
            f"{shown(path.name)} is no list that was imported here, byte for byte",
            hint="a list that was changed since, or that came out of an archive, you delete"
            " yourself",
        )
    await ledger.read(_require_handed_over, one)
    return Original(path, size, one, is_begun=begun is not None)


async def destroy(ledger: Ledger, original: Original) -> None:
    """Overwrite the file, note it in the log, and remove it.

    Raises: ListKept when it is not what `look` saw, or cannot be written.
    Crash: a hidden file beside it, whole or overwritten; the same command goes on with that.
    """
    hidden = _hidden(original.path, original.of.sha256)
    with _opened(hidden if original.is_begun else original.path) as file:
        if not original.is_begun:
            _hide(file, original, hidden)
        _overwrite(file)
    await ledger.write(originals.note_destroyed, original.of)
    with _kept(original.path):
        hidden.unlink()
    _sync(hidden.parent)


def _hide(file: int, original: Original, hidden: Path) -> None:
    """Give the file a name by which a destruction that is cut off goes on."""
    if _hash_of(file) != original.of.sha256:
        raise ListKept(f"{original.name} has changed meanwhile", hint="look at it again")
    original.path.rename(hidden)
    _sync(hidden.parent)


def _require_handed_over(tx: Transaction, one: Import | None) -> None:
    """Raise ListKept unless there was a hand-over, after import *one* if it is given."""
    at = closing.handed_over_at(tx)
    if at is None or (one is not None and at < one.at):
        what = "the campaign was not handed over yet" if at is None else "it was imported since"
        raise ListKept(
            f"the original list is kept: {what}, and only there stands who must be removed"
            " elsewhere",
            hint="`repermit handover DIR` first",
        )


def _begun(path: Path) -> tuple[int, str] | None:
    """Return the size and the hash of the list at *path* if its destruction was cut off."""
    if path.exists():
        return None
    for hidden in path.parent.glob(f".{glob.escape(path.name)}.destroying-*"):
        return hidden.stat().st_size, hidden.name.rpartition("-")[2]
    return None


def _hidden(path: Path, hashed: str) -> Path:
    return path.with_name(f".{path.name}.destroying-{hashed}")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Yield a plain file that has no other name, open for writing. Raises: ListKept."""
    with _kept(path):
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise ListKept(f"{shown(path.name)} is no file", hint="name the list itself")
        if found.st_nlink > 1:
            raise ListKept(
                f"{shown(path.name)} has another name too, under which it may be needed",
                hint="delete the others first (`find / -samefile`), or delete it yourself",
            )
        with _kept(path):
            yield file
    finally:
        os.close(file)


@contextmanager
def _kept(path: Path) -> Iterator[None]:
    """Raise what the system says of a list at *path* as ListKept."""
    try:
        yield
    except OSError as failure:
        link = "it is a link: name the list itself" if path.is_symlink() else failure.strerror
        raise ListKept(
            f"{shown(path.name)} cannot be destroyed ({link})",
            hint="check the path and who may write there, or delete it yourself",
        ) from failure


def _size_and_hash(path: Path) -> tuple[int, str]:
    with _opened(path) as file:
        return os.fstat(file).st_size, _hash_of(file)


def _hash_of(file: int) -> str:
    hashed, at = sha256(), 0
    while part := os.pread(file, _PART_BYTES, at):
        hashed.update(part)
        at += len(part)
    return hashed.hexdigest()


def _overwrite(file: int) -> None:
    size, at, zeros = os.fstat(file).st_size, 0, bytes(_PART_BYTES)
    while at < size:
        at += os.pwrite(file, zeros[: size - at], at)
    os.fsync(file)


def _sync(folder: Path) -> None:
    """Make what became of names in *folder* durable, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
