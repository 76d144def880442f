"""Locks that end with their process: who is alive, and what must run only once.

They are files beside the ledger, locked by the operating system, which lets go of them however
the process ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """One lock; held until `release` or until the process ends, by whatever cause."""

    def __init__(self, ledger: Path, name: str) -> None:
        self._path = ledger.with_name(f"{ledger.name}.{name}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Return whether the lock is now ours; False when another process holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        if not _is_file_at(self._path, descriptor):  # its holder removed it since we opened it
            os.close(descriptor)
            return self.acquire()
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go of the lock and remove its file."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def _is_file_at(path: Path, descriptor: int) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def is_free(ledger: Path, name: str) -> bool:
    """Return whether no living process holds the lock *name*."""
    lock = Lock(ledger, name)
    if not lock.acquire():
        return False
    lock.release()
    return True
