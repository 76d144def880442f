"""Which kind of workbook a file is, by what is in it, and whether it may be read at all."""

from __future__ import annotations

import os
import re
from typing import BinaryIO
from zipfile import ZipFile

from repermit.errors import ListUnreadable
from repermit.intake import archives
from repermit.intake.sniff import chunks

SAVE_AS = "open it in a spreadsheet program and save the sheet of addresses as CSV UTF-8"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_MIMETYPE, _MANIFEST = "mimetype", "META-INF/manifest.xml"
_MOST_MANIFEST_BYTES = 1 << 20
_SECONDS, _BYTES_PER_SECOND = 5, 4 << 20  # some ten times what it took on two slow cores
# Source: [MS-OFFCRYPTO] 2.3.4.4, a stream of that name; [MS-XLS] 2.4.117, a record FilePass
# behind the record that begins the workbook, in Excel 97 and in Excel 5.
_LOCKED = re.compile(
    "EncryptedPackage".encode("utf-16-le")
    + rb"|\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00"
    + rb"|\x09\x08\x08\x00\x00\x05\x05\x00.{4}(?:\x86\x00\x00\x00)?\x2f\x00",
    re.DOTALL,
)
_LONGEST_LOCK_BYTES = 32


def kind_of(file: BinaryIO) -> str | None:
    """Return XLSX, XLSM, XLSB, XLS or ODS, or None when *file* is none of them."""
    file.seek(0)
    start = file.read(len(_OLE))
    kind = "XLS" if start == _OLE else _kind_of_zip(file) if start[:2] == b"PK" else None
    file.seek(0)
    return kind


def seconds_for(file: BinaryIO, kind: str) -> int:
    """Return how much processor time a workbook of that size may take to read.

    Raises: ListUnreadable when it would unpack to far too much, or needs a password.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    if kind == "XLS":
        locked = _is_locked_xls(file)
    else:
        with archives.opened(file) as archive:
            if archives.declares_too_much(archive, size_bytes):
                raise unsafe("it would unpack to far more than a list can be")
            size_bytes = archives.declared_bytes(archive)
            locked = _MANIFEST in archive.namelist() and _is_locked(archive)
    if locked:
        raise ListUnreadable("is protected with a password", hint=f"take it off, or {SAVE_AS}")
    return _SECONDS + size_bytes // _BYTES_PER_SECOND


def unsafe(why: str, *, hint: str = SAVE_AS) -> ListUnreadable:
    """Return the refusal of a workbook that could take the machine down."""
    return ListUnreadable(f"cannot be read safely: {why}", hint=hint)


def _kind_of_zip(file: BinaryIO) -> str | None:
    try:
        with archives.opened(file) as archive:
            names = set(archive.namelist())
            if _MIMETYPE in names:
                start = archives.start_of(archive, _MIMETYPE, len(_ODS))
                return "ODS" if start == _ODS else None
    except ListUnreadable:
        return None
    names = {name.replace("\\", "/").casefold() for name in names}
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        return None
    if "xl/workbook.bin" in names:
        return "XLSB"
    return "XLSM" if "xl/vbaproject.bin" in names else "XLSX"


def _is_locked_xls(file: BinaryIO) -> bool:
    before = b""
    for chunk in chunks(file):
        if _LOCKED.search(before + chunk):
            return True
        before = chunk[-_LONGEST_LOCK_BYTES:]
    return False


def _is_locked(archive: ZipFile) -> bool:
    """Return whether an OpenDocument says that its parts are encrypted."""
    return b"encryption-data" in archives.start_of(archive, _MANIFEST, _MOST_MANIFEST_BYTES)
