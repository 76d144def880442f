"""Files that the operator names: new ones, and how their names may be shown."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOENT, ENOSPC
from os import strerror
from pathlib import Path
from typing import IO

from repermit.errors import FileRefused

_LONGEST_NAME, LONGEST_PATH = 80, 4_096  # characters


def shown(name: str, *, longest: int = _LONGEST_NAME) -> str:
    """Return *name* as it may be displayed: no address, nothing unprintable, not too long."""
    from repermit.domain.address import holds_at  # slow to import

    if holds_at(name):
        return "the list"
    name = "".join(character if character.isprintable() else "?" for character in name)
    return name if len(name) <= longest else f"{name[:longest]}…"


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Yield a new file that only its owner may read; it has its name only once the block has
    ended, whole. What must be known of it before anybody may have it is noted inside the block.

    Raises: FileRefused when it exists already or cannot be written.
    Crash: a hidden file beside it that ends in `.part`; none after an interrupt.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with file_refused(path):
            if path.exists():
                raise FileExistsError
            descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            os.link(beside, path)  # fails, where a rename would replace
    finally:
        beside.unlink(missing_ok=True)


def require_new(path: Path) -> None:
    """Look, before anything is done, that a file could be written there. Raises: FileRefused."""
    with file_refused(path):
        if path.exists():
            raise FileExistsError
        if not path.parent.is_dir():
            raise FileNotFoundError(ENOENT, strerror(ENOENT))


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make *folder*, which only its owner may enter; it goes with all in it when the block
    fails.

    Raises: FileRefused when it exists already or cannot be made.
    """
    with file_refused(folder, kind="folder"):
        folder.mkdir(mode=0o700)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


@contextmanager
def noted(path: Path | None, header: tuple[str, ...]) -> Iterator[Callable[..., None]]:
    """Yield what writes a row under *header* into a new file at *path* (0600), or nowhere.

    Raises: FileRefused when it exists already or cannot be written.
    Crash: the rows that were noted by then are in it; without any the file is gone.
    """
    if path is None:
        yield lambda *_: None
        return
    count = 0
    with file_refused(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)

        def note(*row: object) -> None:
            nonlocal count
            count += 1
            with file_refused(path):
                writer.writerow(row)

        try:
            yield note
            with file_refused(path):
                file.flush()
        except BaseException:
            if not count:
                path.unlink()
            raise


def is_full(failure: OSError) -> bool:
    """Return whether there was no room on a disk."""
    return failure.errno in (ENOSPC, EDQUOT)


@contextmanager
def file_refused(path: Path, *, kind: str = "file") -> Iterator[None]:
    """Raise what the system says of a file (or a folder: *kind*) at *path* as FileRefused."""
    try:
        yield
    except FileExistsError as failure:
        raise FileRefused(
            f"{shown(path.name)} exists already",
            hint=f"name another {kind}, or move that one away",
        ) from failure
    except OSError as failure:
        why, do = _why(path.parent, failure)
        raise FileRefused(
            f"{shown(path.name)} cannot be written ({why})", hint=f"{do}, or name another {kind}"
        ) from failure


def _why(folder: Path, failure: OSError) -> tuple[str, str]:
    """Return why nothing could be written into *folder*, and what to do."""
    name = shown(folder.absolute().name) or "/"
    if is_full(failure):
        return "the disk is full", "make room and do it again"
    if isinstance(failure, PermissionError):
        return "no right to", f"ask for the right to write in {name}"
    if not folder.exists():
        return f"the folder {name} does not exist", "make that folder"
    if not folder.is_dir():
        return f"{name} is a file, not a folder", "move that one away"
    return str(failure.strerror), "look at that disk"
