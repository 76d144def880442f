"""A maildir: messages that wait as files, each of them whole once it has its name."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from repermit.errors import MailboxUnusable
from repermit.files import shown
from repermit.inbound.tree import MOST_BYTES

_FOLDERS = ("new", "cur")
_LEFT_SECONDS = 36 * 3600.0  # after which what is in tmp/ is nobody's any more
_GONE = frozenset({errno.ENOENT, errno.ESTALE})
_CHUNK = 1 << 20


class Maildir:
    """The maildir in *folder*; only its own `new/` and `cur/` are read, no folders inside it.

    Source: https://cr.yp.to/proto/maildir.html
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Make it, for its owner alone, or what is missing of it. Raises: OSError."""
        for path in (self.folder, *(self.folder / name for name in ("tmp", *_FOLDERS))):
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
                sync(path.parent)
        if stat.S_IMODE(self.folder.stat().st_mode) & 0o077:
            self.folder.chmod(0o700)

    @property
    def is_there(self) -> bool:
        """Return whether it was made, to its last folder."""
        return (self.folder / _FOLDERS[-1]).is_dir()

    def waiting(self) -> list[Path]:
        """Return the messages that wait, those that came first before the others.

        Raises: MailboxUnusable when it is no maildir, or may not be read.
        """
        found: list[tuple[str, Path]] = []
        for name in _FOLDERS:
            try:
                with os.scandir(self.folder / name) as entries:
                    found += [
                        (entry.name, Path(entry.path))
                        for entry in entries
                        if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
                    ]
            except OSError as failure:
                raise _unusable(self.folder, failure) from failure
        return [path for _, path in sorted(found)]

    @contextmanager
    def delivering(self) -> Iterator[BinaryIO]:
        """Yield a file for one message, which is in `new/` once the block has ended, durably.

        Raises: OSError, and then nothing of it is there. Crash: it is there whole, or a part of it
        in `tmp/`, which `tidy` takes away.
        """
        name = f"{time.time_ns()}.{os.getpid()}.{secrets.token_hex(6)}"
        part, place = self.folder / "tmp" / name, self.folder / "new" / name
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            part.rename(place)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync(place.parent)

    def tidy(self) -> None:
        """Remove what an interrupted delivery left behind a day and a half ago or longer."""
        with suppress(OSError), os.scandir(self.folder / "tmp") as entries:
            for entry in entries:
                with suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_SECONDS:
                        Path(entry.path).unlink()


def content(path: Path) -> bytes | None:
    """Return a message as far as it is read, and a byte more if there is more; None when somebody
    else took it, or gave it another name. Raises: OSError when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failure:
        if failure.errno in _GONE:
            return None
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(MOST_BYTES + 1)


def remove(path: Path) -> None:
    """Remove a message that was settled, if it is still there. Raises: OSError."""
    path.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(folder: Path, failure: OSError) -> MailboxUnusable:
    name = shown(folder.name)
    if isinstance(failure, FileNotFoundError | NotADirectoryError):
        return MailboxUnusable(
            f"{name} is no maildir: it has no folders `new` and `cur`",
            hint="name the folder itself, see inbound.maildir in the config; an MTA makes it with"
            " its first message",
        )
    return MailboxUnusable(
        f"the maildir {name} cannot be read ({failure.strerror})",
        hint="let the user who runs this command read and remove what is in it",
    )
