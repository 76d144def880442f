"""A folder of backups: copies of the ledger under dated names, and what they are sealed under.

    DIR/ledger-20261122T192041Z.db   the ledger at that moment, read back
    DIR/burn/N.key                   vault generation N; a purge destroys it there, too
    DIR2/keep/                       what `keys/keep` holds: never where the copies are

Generations lie beside the copies because these are worth nothing without them; the lasting keys lie
apart because whoever has both has all.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from repermit.errors import BackupRefused
from repermit.files import shown
from repermit.ledger import copying, keys
from repermit.ledger.database import Database
from repermit.ledger.keys import Keys, sync_folder, write_durably
from repermit.ledger.mark import MarkFile, to_bytes
from repermit.ledger.store import keycopies
from repermit.ledger.synchronised import service_of

GENERATIONS = (  # under which something in a ledger is sealed
    "SELECT generation FROM campaign UNION SELECT generation FROM recipient"
    " UNION SELECT generation FROM origin UNION SELECT generation FROM reply"
)


@dataclass(frozen=True)
class Places:
    """Where a backup goes: the copies with their generations, and apart from them `keys/keep`."""

    copies: Path
    kept: Path

    def require(self, *, ledger: Path, keys: Path) -> None:
        """Raise BackupRefused unless both are folders, apart from each other and the *keys*."""
        for one in (self.copies, self.kept):
            _require_folder(one, keys)
        if _overlap(self.copies, self.kept):
            raise BackupRefused(
                "the folders for the copies and for the keys lie within each other: whoever took"
                " one would have both",
                hint="name two folders apart, on two disks if you can",
            )
        if self.copies.resolve() == ledger.resolve().parent:
            raise BackupRefused(
                "that is the folder of the ledger itself", hint="name a folder on another disk"
            )


def take(
    ledger: Database, kept_by: Keys, places: Places, at: datetime, generations: Sequence[int]
) -> Path:
    """Copy the *ledger*, in use or not, its *generations* and the lasting keys to *places*, and
    return the path of the copy, which is whole and read back.

    Raises: BackupRefused; LedgerUnusable when the disk is full or the copy is not whole;
    KeysUnusable.
    Crash: without its name in the end, the copy is a hidden file that the next backup removes.
    """
    target = places.copies / f"ledger-{at:%Y%m%dT%H%M%SZ}.db"
    beside = target.with_name(f".{target.name}.new")
    with usable(places.kept):
        _copy_kept(kept_by, places.kept / "keep")
    with usable(places.copies):
        _refuse_taken(target)
        for leftover in places.copies.glob(".ledger-*.new*"):
            leftover.unlink()
        keycopies.copy(kept_by, generations, keycopies.beside(places.copies))
        beside.touch(mode=0o600)
    try:
        copying.copy(ledger, beside)
        copying.require_log(beside)
        with usable(places.copies):
            _require_generations(beside, kept_by, generations, places.copies)
            _name(beside, target)
    finally:
        for left in (beside, f"{beside}-wal", f"{beside}-shm", f"{beside}-journal"):
            Path(left).unlink(missing_ok=True)
    return target


def standing(folder: Path) -> list[Path]:
    """Return the copies that stand in *folder* under their dated names, the oldest first."""
    return sorted(folder.glob("ledger-*Z.db"))


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Turn what the disk raises inside the block into what the operator can act on."""
    try:
        yield
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BackupRefused(
                f"the disk of {shown(folder.name)} is full",
                hint="delete old copies there, or name another folder; nothing was lost",
            ) from failure
        raise BackupRefused(
            f"{shown(folder.name)} cannot be written ({failure.strerror})",
            hint="check the disk and the rights on that folder, or name another",
        ) from failure


def _require_folder(folder: Path, keys: Path) -> None:
    name = shown(folder.name)
    if not folder.is_dir():
        raise BackupRefused(
            f"there is no folder {name} for the backup", hint="make it, or mount its disk"
        )
    if _overlap(folder, keys):
        raise BackupRefused(
            f"{name} and the key folder lie within each other: whoever took one would have both",
            hint="name a folder elsewhere, on another disk if you can",
        )
    if service := service_of(folder):
        raise BackupRefused(
            f"{name} lies in a synchronised folder ({service})",
            hint="name a folder that nothing copies elsewhere: a key that is synchronised away"
            " cannot be destroyed",
        )


def _overlap(one: Path, other: Path) -> bool:
    one, other = one.resolve(), other.resolve()
    return one.is_relative_to(other) or other.is_relative_to(one)


def _copy_kept(kept_by: Keys, folder: Path) -> None:
    """Replace the lasting keys in *folder*, the mark as it is now, and which generations are
    destroyed."""
    target = folder / kept_by.file.name
    if target.exists() and keys.read(target, folder).campaign != kept_by.campaign:
        raise BackupRefused(
            f"{shown(folder.parent.name)} holds the keys of another campaign",
            hint="name a folder for this campaign alone",
        )
    folder.mkdir(mode=0o700, exist_ok=True)
    write_durably(target, kept_by.file.read_bytes())
    if mark := MarkFile(kept_by.mark).read():
        write_durably(folder / "mark", to_bytes(mark))
    if (destroyed := kept_by.file.with_name("destroyed")).exists():
        write_durably(folder / "destroyed", destroyed.read_bytes())


def _refuse_taken(target: Path) -> None:
    if target.exists():
        raise BackupRefused(
            f"{target.name} is there already: a backup of this very second", hint="run it again"
        )


def _require_generations(
    copy: Path, kept_by: Keys, generations: Sequence[int], folder: Path
) -> None:
    """Raise BackupRefused, with no copy of a key left that a purge has destroyed meanwhile, unless
    all that the *copy* needs lies beside it.

    A purge destroys a generation in the key folder first, and then its copies that were noted; we
    noted and copied first, and look now: one of the two sees the other.
    """
    with closing(sqlite3.connect(copy)) as opened:
        needed = {number for (number,) in opened.execute(GENERATIONS)}
    gone = [number for number in generations if not (kept_by.burn / f"{number}.key").exists()]
    for number in gone:
        keys.destroy_generation(keycopies.beside(folder), number)
    if gone or not needed <= {*generations}:
        raise BackupRefused(
            "the keys that the copy needs are not all in the key folder, or a purge puts new ones"
            " in place",
            hint="run it again; if it says so again, the key folder is not that of this ledger",
        )


def _name(beside: Path, target: Path) -> None:
    """Give a copy its name, durably; a file that has it stays."""
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    os.link(beside, target)
    sync_folder(target.parent)
