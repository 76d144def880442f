"""Where messages are put that a person must read: unreadable, forged, not of this campaign, or sent
back because of us."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from repermit.inbound.maildir import sync

KEPT = timedelta(days=30)
_AT = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<at>\d{8}T\d{6}Z)\.[0-9a-f]{12}\.[a-z_]+\.(?:eml|txt)(?:\.part)?")


@dataclass(frozen=True)
class Waiting:
    """How many messages lie in the quarantine, and when the first of them goes (None: none)."""

    messages: int
    until: datetime | None


class Quarantine:
    """A folder that only its owner may enter. A message in it is called after the moment it came
    there and the reason, `20261122T101500Z.<chance>.forged.eml`; why stands beside it in a file
    `.txt`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, path: Path, reason: str, why: str, *, now: datetime) -> bool:
        """Move the message at *path* here; *reason* is a word, *why* a sentence without anything
        that stands in the message. Returns False when it was not there any more.

        Raises: OSError, and then it stays where it was. Crash: it is there or here, perhaps both;
        the reason stands here before it.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{now.astimezone(UTC).strftime(_AT)}.{secrets.token_hex(6)}.{reason}"
        told, place = self.folder / f"{name}.txt", self.folder / f"{name}.eml"
        with _new(told) as file:
            file.write(f"{why}\n".encode())
        try:
            _move(path, place)
        except OSError as failure:
            told.unlink(missing_ok=True)
            if failure.errno == errno.ENOENT:
                return False
            raise
        place.chmod(0o600)
        return True

    def waiting(self) -> Waiting:
        """Return how many messages lie here, and until when the first of them does."""
        came: list[datetime] = []
        with suppress(OSError):
            for path in self.folder.iterdir():
                found = _NAME.fullmatch(path.name) if path.suffix == ".eml" else None
                if found and (moment := _moment(found["at"])):
                    came.append(moment)
        return Waiting(len(came), min(came) + KEPT if came else None)

    def empty(self, *, now: datetime) -> None:
        """Remove what has been here for longer than `KEPT`; what somebody else put here stays, and
        so does what cannot be removed now."""
        with suppress(OSError):
            for path in self.folder.iterdir():
                found = _NAME.fullmatch(path.name)
                moment = _moment(found["at"]) if found else None
                if moment and now - moment > KEPT:
                    path.unlink(missing_ok=True)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _AT).replace(tzinfo=UTC)
    except ValueError:  # 30 February: a name that we did not give
        return None


def _move(path: Path, place: Path) -> None:
    """Give a message another place, also on another disk. What has a second name is not moved but
    copied: it is somebody else's file, too."""
    if path.lstat().st_nlink == 1:
        try:
            path.rename(place)
            return
        except OSError as failure:
            if failure.errno != errno.EXDEV:
                raise
    _copy(path, place)
    try:
        path.unlink(missing_ok=True)
    except OSError:
        place.unlink(missing_ok=True)
        raise


def _copy(path: Path, place: Path) -> None:
    """Write a message to another place, durably."""
    part = place.with_name(f"{place.name}.part")
    try:
        with path.open("rb") as source, _new(part) as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        part.rename(place)
        sync(place.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        place.unlink(missing_ok=True)
        raise


def _new(path: Path) -> IO[bytes]:
    """Return a new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
