"""Reads files for what looks like an address; a process of its own.

That keeps a damaged or hostile file away from the purge, and the ledger's locks in place: closing
a file lets go of every POSIX lock that its process holds on it, SQLite's among them (see "How To
Corrupt An SQLite Database File", section 2.2).

Standard input: a line with a JSON list of paths; null in it is what comes after that line, the rows
of a database that is no file. Standard output: for each file some lines with a JSON list of `[local
part, domain, whether in a database]`, then one with how many bytes were read and whether that was
all of it, or with null when nothing is there.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import resource
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO, Protocol

from repermit.purge.spellings import LONGEST, occurrences

CHUNK_BYTES = 1 << 18
_MOST_MEMORY = 1 << 30
_AT_ONCE = 500  # occurrences in a line
_MOST_MEMBERS = 20_000
_DEEPEST = 3  # archives within archives
_LARGEST_INNER = 1 << 26  # of them, in bytes
_LEAST_UNPACKED, _MOST_TIMES = 1 << 28, 100  # of a file: so many bytes, or times its size
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_DATABASES = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")  # the latter: WAL
_MOST_DATA = 1 << 33  # of a file, without its holes, in bytes
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_DAMAGED = (  # what the libraries say of an archive that cannot be read, or not all of it
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

Found = tuple[str, str, bool]


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Peekable(_Stream, Protocol):
    def peek(self, size: int, /) -> bytes: ...


class Dense:
    """A file of which only *most* bytes are read, and no holes: each is as one zero byte."""

    def __init__(self, descriptor: int, most: int = _MOST_DATA) -> None:
        self.bytes = 0  # that were read
        self.size = os.fstat(descriptor).st_size
        self._descriptor, self._most = descriptor, most
        self._at = self._ends = 0  # where the next data begins, and where it ends

    def read(self, size: int, /) -> bytes:
        """Return the next *size* bytes, fewer only at the end. Raises: ValueError where there are
        more of them than are read; OSError."""
        parts = bytearray()
        while len(parts) < size and (self._at < self._ends or self._found_more(parts)):
            wanted = min(size - len(parts), self._ends - self._at)
            part = os.pread(self._descriptor, wanted, self._at)
            if not part:
                break  # it became shorter meanwhile
            self._at, self.bytes = self._at + len(part), self.bytes + len(part)
            if self.bytes > self._most:
                raise ValueError("more than is read of one file")
            parts += part
        return bytes(parts)

    def _found_more(self, parts: bytearray) -> bool:
        """Go on behind the hole that begins here, if it is not the end."""
        try:
            begin = os.lseek(self._descriptor, self._at, os.SEEK_DATA)
            end = os.lseek(self._descriptor, begin, os.SEEK_HOLE)
        except OSError as failure:
            if failure.errno == errno.ENXIO:
                return False
            raise
        finally:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        if begin > self._at:
            parts.append(0)
        self._at, self._ends = begin, end
        return True


@dataclass
class Look:
    """One look through a file; *put* is given what is found, *most* is how many bytes of archives
    may still be unpacked."""

    put: Callable[[list[Found]], None]
    most: int
    _found: dict[Found, None] = field(default_factory=dict)

    def through(self, file: BinaryIO, dense: Dense | None = None, *, depth: int = 0) -> None:
        """Look through *file*, and when it is an archive through what is in it; *dense* is what is
        read of a file that may be larger than can be read.

        Raises: one of _DAMAGED when it is not what it seems, or unpacks to more than is looked
        through.
        """
        self._bytes_of(dense or file, unpacked=depth > 0)
        file.seek(0)
        is_zip = zipfile.is_zipfile(file)
        file.seek(0)
        is_gzip = not is_zip and file.read(len(_GZIP)) == _GZIP
        if dense and dense.size > _MOST_DATA and (is_zip or is_gzip):
            raise ValueError("too large an archive")
        if is_zip:
            self._zip(file, depth)
        elif is_gzip:
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as content:
                self._member(content, depth)

    def through_rows(self, stream: _Stream) -> int:
        """Look through rows that stand apart from each other, and return how many bytes that
        were."""
        return self._bytes_of(stream, unpacked=False)

    def end(self) -> None:
        """Hand out what is left."""
        if self._found:
            self.put(list(self._found))
            self._found.clear()

    def _zip(self, file: BinaryIO, depth: int) -> None:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise ValueError("too many members")
            for member in members:
                with archive.open(member) as content:
                    assert isinstance(content, zipfile.ZipExtFile)  # noqa: S101 - it reads
                    self._member(content, depth)

    def _member(self, inner: _Peekable, depth: int) -> None:
        if not inner.peek(4).startswith((_ZIP, _GZIP)):
            self._bytes_of(inner, unpacked=True)
            return
        content = inner.read(_LARGEST_INNER + 1)
        if depth >= _DEEPEST or len(content) > _LARGEST_INNER:
            raise ValueError("archives within archives")
        self.through(BytesIO(content), depth=depth + 1)

    def _bytes_of(self, stream: _Stream, *, unpacked: bool) -> int:
        before, begins, is_database, ends = b"", True, False, False
        count = 0
        while not ends:
            chunk = stream.read(CHUNK_BYTES)
            count += len(chunk)
            if unpacked:
                self.most -= len(chunk)
                if self.most < 0:
                    raise ValueError("unpacks to too much")
            is_database = chunk.startswith(_DATABASES) if begins else is_database
            part, ends = before + chunk, len(chunk) < CHUNK_BYTES
            for local, domain in occurrences(part, begins=begins, ends=ends):
                self._found[local, domain, is_database] = None
                if len(self._found) >= _AT_ONCE:
                    self.end()
            before, begins = part[-2 * LONGEST :], False
        return count


def look(path: str, put: Callable[[list[Found]], None]) -> tuple[int, bool] | None:
    """Give *put* what looks like an address in the file at *path*; return how many bytes it has
    and whether all of it was read, or None when nothing is there."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return 0, False
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return 0, False
        dense = Dense(descriptor)
        looking = Look(put, max(_LEAST_UNPACKED, _MOST_TIMES * min(found.st_size, _MOST_DATA)))
        try:
            looking.through(file, dense)
        except _DAMAGED:
            return dense.bytes, False
        finally:
            looking.end()
    return dense.bytes, True


def look_at_rows(stream: BinaryIO, put: Callable[[list[Found]], None]) -> tuple[int, bool]:
    """Do the same with the rows that *stream* holds."""
    looking = Look(put, 0)
    count = looking.through_rows(stream)
    looking.end()
    return count, True


def main() -> None:
    """Look through the files that standard input names."""
    with suppress(OSError, ValueError):  # some systems know no limit of memory
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold addresses
    rows = sys.stdin.buffer
    for path in json.loads(rows.readline()):
        _tell(look_at_rows(rows, _tell) if path is None else look(path, _tell))


def _tell(fact: object) -> None:
    print(json.dumps(fact), flush=True)


if __name__ == "__main__":
    main()
