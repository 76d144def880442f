"""Keeps the candidates of a list until all are read, and gives them back in order of look-up.

In that order those of one address stand together, and the ledger's index grows in order, which is
three times as fast as at random. Few candidates stay in memory; many go to an unnamed temporary
file, sealed under a key that never leaves this process.
"""

from __future__ import annotations

import marshal
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from repermit.errors import FileRefused
from repermit.ledger.store.admission import Newcomer

_BUCKETS = 256  # by the first byte of the look-up
_IN_MEMORY = 40_000  # candidates: about 30 MB
_NONCE_BYTES = 12


class Spool:
    """Takes candidates in any order, and gives each address once: the row that says most."""

    def __init__(self, *, in_memory: int = _IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._waiting: list[list[tuple[object, ...]]] = [[] for _ in range(_BUCKETS)]
        self._count = 0
        self._parts: list[list[tuple[int, int]]] = [[] for _ in range(_BUCKETS)]
        self.file: BinaryIO | None = None
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self.duplicates = 0
        self.richer = 0
        self.differing = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            with suppress(OSError):  # what a full disk did not take is not needed any more
                self.file.close()

    def put(self, newcomer: tuple[object, ...], bucket: int) -> None:
        """Take the fields of a `Newcomer`; *bucket* is the first byte of its look-up.

        Raises: FileRefused when the temporary folder is full.
        """
        self._waiting[bucket].append(newcomer)
        self._count += 1
        if self._count >= self._in_memory:
            self._write_out()

    def newcomers(self) -> Iterator[Newcomer]:
        """Yield one newcomer for each address, in the order of their look-ups, and count the
        `duplicates`; `richer` are those of them that replaced an earlier row."""
        for bucket in range(_BUCKETS):
            rows = [Newcomer._make(row) for row in self._bucket(bucket)]
            rows.sort(key=_lookup)  # stable: rows of one address stay in the order of the list
            best: Newcomer | None = None
            for row in rows:
                if best is None or row.lookup != best.lookup:
                    if best is not None:
                        yield best
                    best = row
                    continue
                self.duplicates += 1
                self.differing += row.said != best.said and row.richness <= best.richness
                if row.richness > best.richness:
                    self.richer += 1
                    best = row
            if best is not None:
                yield best

    def _bucket(self, number: int) -> Iterator[tuple[object, ...]]:
        with _room():
            for start, size in self._parts[number]:
                yield from self._read(start, size)
        yield from self._waiting[number]
        self._waiting[number] = []

    def _write_out(self) -> None:
        """Move what is in memory to the temporary file."""
        with _room():
            if self.file is None:
                self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
            for number, rows in enumerate(self._waiting):
                if rows:
                    nonce = secrets.token_bytes(_NONCE_BYTES)
                    sealed = nonce + self._cipher.encrypt(nonce, marshal.dumps(rows), None)
                    self._parts[number].append((self.file.tell(), len(sealed)))
                    self.file.write(sealed)
            self.file.flush()
        self._waiting, self._count = [[] for _ in range(_BUCKETS)], 0

    def _read(self, start: int, size: int) -> list[tuple[object, ...]]:
        assert self.file is not None  # noqa: S101 - parts are only there when it is
        self.file.seek(start)
        sealed = self.file.read(size)
        plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        rows: list[tuple[object, ...]] = marshal.loads(plain)  # noqa: S302 - sealed by ourselves
        return rows


def _lookup(newcomer: Newcomer) -> bytes:
    return newcomer.lookup


@contextmanager
def _room() -> Iterator[None]:
    """Say what to do when the temporary folder cannot take more."""
    try:
        yield
    except OSError as failure:
        why = (failure.strerror or "input error").lower()
        raise FileRefused(
            f"the temporary folder cannot be used ({why})",
            hint="make room there, or name another folder in TMPDIR; nothing was admitted",
        ) from failure
