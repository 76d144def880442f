"""What a path or standard input holds: one list, or those in a .zip or .gz.

Everything can be read twice from the file that comes back. What is copied or unpacked goes to
files without a name, which are gone with the process, however it ends.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from gzip import GzipFile
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from repermit.errors import ListUnreadable
from repermit.files import shown
from repermit.intake.archives import member_of, most_unpacked, opened, refuse_unsafe, unpacked
from repermit.intake.readers.sheet import is_sheet

_MOST_COPIED_BYTES = 8 << 30  # what a pipe may give before it is taken for endless
_MOST_MEMBERS = 100  # each is an open file; a process has some 250 at least
_CHUNK_BYTES = 1 << 20
_ROOM = "free some space for temporary files, or point TMPDIR elsewhere"
_LITTER = frozenset({"thumbs.db", "desktop.ini"})
_ZIP, _GZIP = "a zip archive", "a gzip archive"
_PACKED = {
    _ZIP: rb"PK(?:\x03\x04|\x05\x06)",
    _GZIP: rb"\x1f\x8b\x08",
    "a 7-Zip archive": rb"7z\xbc\xaf\x27\x1c",
    "a RAR archive": rb"Rar!\x1a\x07",
    "a bzip2 archive": rb"BZh[1-9]1AY&SY",
    "an xz archive": rb"\xfd7zXZ\x00",
    "a Zstandard archive": rb"\x28\xb5\x2f\xfd",
    "a tar archive": rb"(?s:.{257})ustar",
}


@dataclass(frozen=True)
class Content:
    """One list, whatever its kind. `name` is for display; `file` stands at its start, and
    whoever asked for it closes it."""

    name: str
    file: BinaryIO


def contents(path: Path | None, stdin: BinaryIO | None) -> list[Content]:
    """Return the lists at *path*, or on *stdin* without one: several out of a zip archive.

    Raises: ListUnreadable, beginning with the name, when it cannot be read or is a folder, a
        device, or an archive that is damaged, locked, nested or unpacks to far too much.
    """
    name = "standard input" if path is None else shown(path.name) or "the list"
    with _named(name), ExitStack() as stack:
        file = stack.enter_context(_from_stdin(stdin) if path is None else _from_path(path))
        packing = _packing(file)
        if packing is None:
            stack.pop_all()
            return [Content(name, file)]
        if packing == _GZIP:
            return [Content(name, _gunzipped(file))]
        if packing == _ZIP:
            return _unzipped(file, name)
        raise ListUnreadable(
            f"is {packing}, which is not read", hint="unpack it and name what was in it"
        )


def _from_path(path: Path) -> BinaryIO:
    mode = path.stat().st_mode  # before it is opened: opening a device can do things
    if stat.S_ISDIR(mode):
        raise ListUnreadable("is a folder", hint="name the files in it")
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise ListUnreadable("is a device, not a file", hint="name a file")
    file = path.open("rb")
    if stat.S_ISREG(mode):
        return file
    with file:
        return _copied(file)


def _from_stdin(stdin: BinaryIO | None) -> BinaryIO:
    if stdin is None:
        raise ListUnreadable("is closed", hint="name a file, or pipe a list in")
    try:
        mode = os.fstat(stdin.fileno()).st_mode
    except (OSError, ValueError):  # no file of the system's
        mode = stat.S_IFIFO
    if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not stdin.isatty()):
        raise ListUnreadable("is a device, not a list", hint="name a file, or pipe a list in")
    return _copied(stdin)


def _copied(source: BinaryIO) -> BinaryIO:
    def chunks() -> Iterator[bytes]:
        size_bytes = 0
        while chunk := source.read(_CHUNK_BYTES):
            yield chunk
            size_bytes += len(chunk)
            if size_bytes > _MOST_COPIED_BYTES:
                raise ListUnreadable("does not end", hint="split it, and import it in parts")

    return _kept(chunks())


def _kept(chunks: Iterator[bytes]) -> BinaryIO:
    """Return a file without a name that holds *chunks*."""
    with ExitStack() as stack:
        copy = stack.enter_context(tempfile.TemporaryFile())
        for chunk in chunks:
            copy.write(chunk)
        copy.seek(0)
        stack.pop_all()
        return copy


def _packing(file: BinaryIO) -> str | None:
    """Return what kind of archive *file* is; a spreadsheet is none, though it is a zip."""
    start = file.read(512)
    file.seek(0)
    kind = next((kind for kind, mark in _PACKED.items() if re.match(mark, start)), None)
    return None if kind == _ZIP and is_sheet(file) else kind


def _gunzipped(file: BinaryIO) -> BinaryIO:
    most_bytes = most_unpacked(file.seek(0, os.SEEK_END))
    file.seek(0)
    with GzipFile(fileobj=file) as packed:
        return _flat(_kept(unpacked(packed, most_bytes)))


def _unzipped(file: BinaryIO, name: str) -> list[Content]:
    packed_bytes = file.seek(0, os.SEEK_END)
    with opened(file) as archive, ExitStack() as stack:
        refuse_unsafe(archive, packed_bytes)
        _refuse_document(archive)
        members = [member for member in archive.infolist() if _is_list(member)]
        if not members:
            raise ListUnreadable("holds no file", hint="check that it is the right archive")
        if len(members) > _MOST_MEMBERS:
            raise ListUnreadable(
                f"holds {len(members)} files, more than {_MOST_MEMBERS}",
                hint="unpack it and name the lists in it",
            )
        left_bytes = most_unpacked(packed_bytes)
        found = []
        for number, member in enumerate(members, start=1):
            with member_of(archive, member) as packed:
                part = stack.enter_context(_flat(_kept(unpacked(packed, left_bytes))))
            left_bytes -= member.file_size
            inside = f"file {number}" if "@" in member.filename else shown(member.filename)
            found.append(Content(f"{name}: {inside}", part))
        stack.pop_all()
        return found


def _is_list(member: ZipInfo) -> bool:
    parts = member.filename.replace("\\", "/").split("/")
    litter = parts[-1].startswith(".") or parts[-1].casefold() in _LITTER
    is_folder = bool(member.filename) and not parts[-1]
    return not (is_folder or litter or "__MACOSX" in parts)


def _refuse_document(archive: ZipFile) -> None:
    names = {name.casefold() for name in archive.namelist()}
    if names & {"[content_types].xml", "mimetype"} or any(name.endswith(".iwa") for name in names):
        raise ListUnreadable(
            "is a document that is not read as a list", hint="save its table as CSV UTF-8"
        )


def _flat(file: BinaryIO) -> BinaryIO:
    """Return *file*, which came out of an archive, unless it is one itself."""
    with ExitStack() as stack:
        stack.callback(file.close)
        if packing := _packing(file):
            raise ListUnreadable(
                f"holds {packing} in turn", hint="unpack it and name what was in it"
            )
        stack.pop_all()
        return file


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except ListUnreadable as error:
        raise ListUnreadable(f"{name}: {error}", hint=error.hint) from None
    except (OSError, ValueError) as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        why = (getattr(error, "strerror", None) or "input error").lower()
        raise ListUnreadable(
            f"{name}: cannot be read ({why})",
            hint=_ROOM if full else "check the path and who may read it",
        ) from None
