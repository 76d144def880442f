"""A suppression list as keyed hashes: it names nobody, and answers only for an address that one
asks about. Made by `suppress --export`, taken in by `suppress`.

    repermit suppression 1
    key 64 hexadecimal digits      one line for each key: ours, and those of lists we took in
    hashes 3                       how many follow, so that a file that was cut off is noticed
    # remarks
    64 hexadecimal digits          HMAC-SHA-256 of a canonical address under one of the keys
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from repermit.errors import FileRefused, ListUnreadable

_FAMILY, _FORMAT = b"repermit suppression ", "repermit suppression 1"
_BOM = b"\xef\xbb\xbf"
_REMARKS = """\
# Who must never be mailed: `repermit suppress FILE` suppresses them in another campaign too.
# No address stands here; yet whoever holds this file can test whether one is on it, because the
# key is in it. Keep it as you would keep the list itself, and delete it when it has served.
"""
_SIZE = 32  # bytes of a key and of a hash
_LONGEST_LINE = 1000  # bytes


def written(keys: Iterable[bytes], hashes: Iterable[bytes], *, count: int) -> Iterator[str]:
    """Yield the parts of a file that holds the *count* *hashes* and their *keys*."""
    yield f"{_FORMAT}\n"
    yield from (f"key {key.hex()}\n" for key in keys)
    yield f"hashes {count}\n{_REMARKS}"
    yield from (f"{hashed.hex()}\n" for hashed in hashes)


class Looked(io.RawIOBase):
    """A file or pipe whose beginning was looked at and is read all the same."""

    def __init__(self, file: BinaryIO) -> None:
        self._unread = file.read(len(_BOM) + len(_FAMILY))
        self._file = file

    @property
    def holds_hashes(self) -> bool:
        """Return whether it begins as a list of keyed hashes does."""
        return self._unread.removeprefix(_BOM).startswith(_FAMILY)

    def readable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of what it reads from."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Return whether a person types it."""
        return self._file.isatty()

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* with what comes next, and return how many bytes that is."""
        part = self._unread[: len(buffer)] or self._file.read(len(buffer))
        self._unread = self._unread[len(part) :]
        buffer[: len(part)] = part
        return len(part)


@dataclass(frozen=True)
class HashList:
    """A list of keyed hashes, read to its end and found whole; they wait in an unnamed file."""

    name: str
    keys: tuple[bytes, ...]
    count: int
    _file: BinaryIO = field(repr=False)

    def __enter__(self) -> HashList:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def chunks(self, size: int) -> Iterator[list[bytes]]:
        """Yield the hashes, up to *size* at a time."""
        self._file.seek(0)
        while part := self._file.read(_SIZE * size):
            yield [part[at : at + _SIZE] for at in range(0, len(part), _SIZE)]


def read_hashes(name: str, file: Looked) -> HashList:
    """Return the list of keyed hashes in *file*.

    Raises: ListUnreadable naming the first line that is damaged, or when it has no key or was
    cut off.
    """
    keys: list[bytes] = []
    told, count = None, 0
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the list
    try:
        for number, line in enumerate(_lines(file), start=1):
            word, _, value = line.partition(" ")
            if number == 1:
                newer = "was made by a newer release"
                _require(line == _FORMAT, name, newer, "install the release that made it")
            elif word == "key":
                keys.append(_bytes(value, name, number))
            elif word == "hashes" and value.isascii() and value.isdecimal():
                told = int(value)
            elif line and not line.startswith("#"):
                kept.write(_bytes(line, name, number))
                count += 1
        again = "export it again with `repermit suppress --export`"
        _require(bool(keys), name, "holds no key for its hashes", again)
        _require(told in (None, count), name, f"was cut off: {count} of {told} hashes", again)
        kept.flush()
    except OSError as failure:
        kept.close()
        raise FileRefused(
            f"{name}: cannot be read into the temporary folder ({failure.strerror})",
            hint="make room there, or name another folder in TMPDIR; nothing of it was taken in",
        ) from failure
    except ListUnreadable:
        kept.close()
        raise
    return HashList(name, tuple(dict.fromkeys(keys)), count, kept)


def _lines(file: Looked) -> Iterator[str]:
    buffered = io.BufferedReader(file)
    while line := buffered.readline(_LONGEST_LINE):
        yield line.removeprefix(_BOM).decode("ascii", "replace").strip()


def _bytes(text: str, name: str, line: int) -> bytes:
    """Return the key or hash that *text* spells."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    hint = "nothing of it was taken in; export it again with `repermit suppress --export`"
    _require(len(found) == _SIZE, name, f"is damaged: line {line} is no keyed hash", hint)
    return found


def _require(holds: bool, name: str, otherwise: str, hint: str) -> None:
    if not holds:
        raise ListUnreadable(f"{name}: {otherwise}", hint=hint)
