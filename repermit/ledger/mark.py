"""The mark: how far the log had got, kept outside the ledger.

Before a group of entries is committed, the mark is written and synced with the log as it was
(known to be committed) and as it will be. So after a crash the ledger stands at one of the two;
a ledger that stands before both is an older copy that was put back, and one that stands at the
same size with another root is a different history.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from repermit.errors import KeysUnusable

_LINE_BYTES = 256
_TRIES = 5  # what is read while another process overwrites it may be half old, half new


@dataclass(frozen=True)
class Point:
    """A size of the log and its root."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Mark:
    """The last point known to be committed, and the one that was about to be."""

    committed: Point
    intended: Point
    next_recipient: int = 1  # an id that was given once is never given again, whatever is put back
    accepted: int = 0  # how often an older copy had become the campaign's again

    def covers(self, ledger: Point) -> bool:
        """Return whether *ledger* is as new as the mark; False means an older copy."""
        if ledger.size == self.committed.size:
            return ledger.root == self.committed.root
        if ledger.size == self.intended.size:
            return ledger.root == self.intended.root
        return ledger.size > self.intended.size


class MarkFile:
    """The mark on disk; one line, overwritten in place and synced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._written: tuple[bytes, Mark] | None = None

    def read(self) -> Mark | None:
        """Return the mark, or None when the key folder has none yet.

        Raises: KeysUnusable when it cannot be read.
        """
        if (known := self._still_ours()) is not None:
            return known
        for _ in range(_TRIES):
            try:
                line = self._path.read_text("ascii").strip()
            except FileNotFoundError:
                return None
            except (OSError, UnicodeDecodeError) as failure:
                raise _unreadable() from failure
            if not line:  # the machine lost power over the very first mark
                return None
            body, _, check = line.rpartition(" ")
            if sha256(body.encode()).hexdigest()[:16] == check:
                try:
                    return _parsed(body)
                except ValueError as failure:
                    raise _unreadable() from failure
        raise _unreadable()

    def write(self, mark: Mark, *, sync: bool = True) -> None:
        """Write *mark*; with *sync* it is durable on return. Raises: OSError when the disk
        refuses."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        octets = to_bytes(mark)
        self._written = octets, mark
        os.pwrite(self._descriptor, octets, 0)
        if sync:
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _still_ours(self) -> Mark | None:
        """Return the mark that this process wrote last, when it is still what stands there."""
        if self._descriptor is None or self._written is None:
            return None
        octets, mark = self._written
        return mark if os.pread(self._descriptor, _LINE_BYTES + 1, 0) == octets else None


def to_bytes(mark: Mark) -> bytes:
    """Return *mark* as its file holds it."""
    points = (mark.committed, mark.intended)
    body = " ".join(f"{point.size} {point.root.hex()}" for point in points)
    body = f"{body} {mark.next_recipient} {mark.accepted}"
    line = f"{body} {sha256(body.encode()).hexdigest()[:16]}"
    return line.ljust(_LINE_BYTES - 1).encode() + b"\n"


def _parsed(body: str) -> Mark:
    size, root, next_size, next_root, next_recipient, accepted = body.split(" ")
    return Mark(
        committed=Point(int(size), bytes.fromhex(root)),
        intended=Point(int(next_size), bytes.fromhex(next_root)),
        next_recipient=int(next_recipient),
        accepted=int(accepted),
    )


def _unreadable() -> KeysUnusable:
    return KeysUnusable(
        "the mark in the key folder (keep/mark) cannot be read",
        hint="put back your copy of keys/keep; then `repermit doubt restored` if it is older",
    )
