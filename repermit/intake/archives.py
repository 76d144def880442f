"""Zip archives, opened with care: what they declare is checked before anything is unpacked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from typing import IO, BinaryIO, cast

from repermit.errors import ListUnreadable

_MOST_UNPACKED_BYTES = 2 << 30  # 20 million rows
_MOST_RATIO = 200  # a list packs 5 to 40 times smaller; a bomb is a thousand times its size
_NO_BOMB_BYTES = 64 << 20  # up to this a list of one repeated row may pack as small as it likes
_MOST_DIRECTORY_BYTES = 1 << 20  # read as a whole by zipfile; 10,000 names
_CHUNK_BYTES = 1 << 20
_ENCRYPTED = 1  # a flag of a member
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    RuntimeError,  # and with it NotImplementedError
    OSError,
)


class _Careful:
    """A file that zipfile cannot be made to read into memory as a whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size_bytes: int = -1) -> bytes:
        """Read as the file does, and no more at once than a directory may have."""
        if size_bytes > _MOST_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("the directory is too long")
        return self._file.read(size_bytes)


def most_unpacked(packed_bytes: int) -> int:
    """Return how many bytes may come out of so many. Units: bytes."""
    return min(_MOST_UNPACKED_BYTES, max(_NO_BOMB_BYTES, _MOST_RATIO * packed_bytes))


@contextmanager
def opened(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open *file* as a zip archive. Raises: ListUnreadable when it is damaged."""
    with damage_told():
        archive = zipfile.ZipFile(cast("IO[bytes]", _Careful(file)))
    with archive:
        yield archive


def declared_bytes(archive: zipfile.ZipFile) -> int:
    """Return how much comes out of *archive*, as it says itself."""
    return sum(member.file_size for member in archive.infolist())


def declares_too_much(archive: zipfile.ZipFile, packed_bytes: int) -> bool:
    """Return whether *archive* says itself that more comes out of it than a list can be."""
    return declared_bytes(archive) > most_unpacked(packed_bytes)


def refuse_unsafe(archive: zipfile.ZipFile, packed_bytes: int) -> None:
    """Raises: ListUnreadable when *archive* needs a password, or should not be unpacked."""
    members = archive.infolist()
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise ListUnreadable(
            "needs a password", hint="unpack it with its password and name what was in it"
        )
    methods = {member.compress_type for member in members}
    if methods - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ListUnreadable("is packed in an unusual way", hint="unpack it and try again")
    if declares_too_much(archive, packed_bytes):
        raise _too_much()


@contextmanager
def damage_told() -> Iterator[None]:
    """Turn what zipfile, gzip and zlib raise over a damaged archive into a refusal."""
    try:
        yield
    except _DAMAGE:  # their texts hold names of members
        raise ListUnreadable("is damaged", hint="fetch it again, or unpack it yourself") from None


def member_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member of *archive*. Raises: ListUnreadable when it is damaged."""
    with damage_told():
        return archive.open(member)


def start_of(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    """Return the first bytes of a member. Raises: ListUnreadable when it is damaged."""
    with member_of(archive, archive.getinfo(name)) as member, damage_told():
        return member.read(most_bytes)


def unpacked(source: IO[bytes] | GzipFile, most_bytes: int) -> Iterator[bytes]:
    """Yield what comes out of *source*, a megabyte at a time.

    Raises: ListUnreadable as soon as it is more than *most_bytes*, or is found damaged.
    """
    size_bytes = 0
    while True:
        with damage_told():
            chunk = source.read(_CHUNK_BYTES)
        if not chunk:
            return
        size_bytes += len(chunk)
        if size_bytes > most_bytes:
            raise _too_much()
        yield chunk


def _too_much() -> ListUnreadable:
    return ListUnreadable(
        "would unpack to far more than a list can be",
        hint="unpack it yourself and look at what is in it",
    )
