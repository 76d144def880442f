"""Locks that end with their process: who is alive, and what must run only once.

They are files beside the ledger, locked by the operating system, which lets go of them however
the process ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repermit.ledger.connect import translated

_TRIES, _BETWEEN_SECONDS = 3, 0.02  # whoever only looks holds a lock for an instant
_WAITING = "waiting"


class Lock:
    """One lock; held until `release` or until the process ends, by whatever cause."""

    def __init__(self, ledger: Path, name: str) -> None:
        self._path = _path(ledger, name)
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Return whether the lock is ours."""
        return self._descriptor is not None

    def acquire(self) -> bool:
        """Return whether the lock is now ours; False when another process holds it.

        Raises: LedgerUnusable when the folder of the ledger cannot be written.
        """
        with translated():
            return self._acquired()

    def _acquired(self) -> bool:
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_BETWEEN_SECONDS)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if _locked(descriptor, fcntl.LOCK_EX) and _is_in_place(self._path, descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)
        return False

    def release(self) -> None:
        """Let go of the lock and remove its file."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def is_free(ledger: Path, name: str) -> bool:
    """Return whether no living process holds the lock *name*."""
    try:
        descriptor = os.open(_path(ledger, name), os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        return _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def holders(ledger: Path, prefix: str) -> int:
    """Return how many locks whose name begins with *prefix* are held by living processes.

    Raises: LedgerUnusable when the folder of the ledger cannot be read.
    """
    place = ledger.resolve()
    beside = f"{place.name}."
    with translated():
        names = [path.name for path in place.parent.iterdir()]
    locks = [name.removeprefix(beside).removesuffix(".lock") for name in names]
    return sum(lock.startswith(prefix) and not is_free(ledger, lock) for lock in locks)


@contextmanager
def waiting(ledger: Path) -> Iterator[None]:
    """Let it be seen for the length of a block that somebody waits to write."""
    path = _path(ledger, _WAITING)
    descriptor = _shared(path)
    try:
        yield
    finally:
        _remove_unless_held(path, descriptor)
        os.close(descriptor)


def is_awaited(ledger: Path) -> bool:
    """Return whether somebody waits to write: who writes without end lets them go first."""
    path = _path(ledger, _WAITING)
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _remove_unless_held(path, descriptor)
    finally:
        os.close(descriptor)


def _shared(path: Path) -> int:
    """Return a descriptor of the file at *path*, locked with whoever else waits."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # whoever looks holds it for an instant
        if _is_in_place(path, descriptor):
            return descriptor
        os.close(descriptor)


def _remove_unless_held(path: Path, descriptor: int) -> bool:
    """Remove the file at *path* unless somebody else holds it; return whether nobody does. Whoever
    opened it before sees that it is not in place any more."""
    is_free = _locked(descriptor, fcntl.LOCK_EX)
    if is_free and _is_in_place(path, descriptor):
        path.unlink()
    return is_free


def _path(ledger: Path, name: str) -> Path:
    place = ledger.resolve()  # whoever opens it through a link meets those who do not
    return place.with_name(f"{place.name}.{name}.lock")


def _is_in_place(path: Path, descriptor: int) -> bool:
    """Return whether the file that we locked is still the one that others would lock."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
