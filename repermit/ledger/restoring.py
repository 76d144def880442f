"""The newest copy of the ledger that can be put back, and the keys that it needs with it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from repermit.errors import KeysUnusable, LedgerUnusable, ProofBroken, RestoreRefused
from repermit.files import shown
from repermit.ledger import connect, copying, keys, leftovers
from repermit.ledger.backups import GENERATIONS
from repermit.ledger.database import Database
from repermit.ledger.folder import refuse_synchronised, usable
from repermit.ledger.keys import Keys, write_durably
from repermit.ledger.mark import Mark, MarkFile, Point, to_bytes
from repermit.ledger.merkle import Frontier
from repermit.ledger.store import keycopies
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.ledger.writer import LEFT_OUT

_MAGIC = b"SQLite format 3\0"
_NEWEST = 'SELECT at FROM log ORDER BY "index" DESC LIMIT 1'
_ENDS = (
    "SELECT id, generation, sealed FROM recipient WHERE id IN"
    " (SELECT min(id) FROM recipient UNION SELECT max(id) FROM recipient)"
)


@dataclass(frozen=True)
class Copy:
    """A copy of the ledger: whose, how far its log goes, and what its rows are sealed under."""

    path: Path
    revision: str
    campaign: str
    newest: str  # entry of the log: when it was made
    log: Point
    next_recipient: int
    generations: frozenset[int]


@dataclass(frozen=True)
class Wanted:
    """What a copy must be: of this campaign, sealed under generations that can be had."""

    keys: Keys
    folder: Path
    destroyed: Mapping[int, str]

    def against(self, copy: Copy) -> str | None:
        """Return why *copy* cannot be put back; None: as far as this goes, it can."""
        if copy.revision != connect.REVISION:
            return f"it is of another release (schema {copy.revision})"
        if copy.campaign != self.keys.campaign:
            return "it is of another campaign than the keys"
        for number in sorted(copy.generations):
            if at := self.destroyed.get(number):
                return f"it is from before the purge of {at[:10]}: nobody in it can be read"
            if not self._has(number):
                return f"the keys of its generation {number} are neither beside it nor in place"
        return None

    def _has(self, number: int) -> bool:
        copied = keycopies.beside(self.folder) / f"{number}.key"
        return (self.keys.burn / copied.name).exists() or (
            keycopies.campaign_of(copied) == self.keys.campaign
        )


@dataclass(frozen=True)
class PassedOver:
    """A file that is newer than the copy that is put back, or cannot be read, and why it is not."""

    name: str
    why: str


@contextmanager
def staging(ledger: Path) -> Iterator[Path]:
    """Yield where a copy is made ready, beside the *ledger*; nothing is there before and after.

    Crash: a hidden file that the next restore removes.
    """
    beside = ledger.with_name(f".{ledger.name}.restored")
    with connect.translated():
        _remove(beside)
    try:
        yield beside
    finally:
        _remove(beside)


def newest(wanted: Wanted, staged: Path) -> tuple[Copy, list[PassedOver]]:
    """Put the newest copy that can be put back at *staged*, whole and read back; return what it is,
    and what was passed over.

    Raises: RestoreRefused when there is none; LedgerUnusable when the disk is full.
    """
    passed: list[PassedOver] = []
    for copy in _newest_first(wanted.folder, passed):
        why = wanted.against(copy) or _staged(copy, staged)
        if why is None:
            return copy, passed
        passed.append(PassedOver(shown(copy.path.name), why))
    said = f"; {passed[0].name}: {passed[0].why}" if passed else ""
    raise RestoreRefused(
        f"no copy in {shown(wanted.folder.name)} can be put back{said}",
        hint="name the folder that `repermit backup` wrote to, or `backup/` beside the ledger,"
        " which the last purge left",
    )


def destroyed(folder: Path, database: Database) -> Mapping[int, str]:
    """Return which generations a purge has destroyed, and when, as far as the key *folder* or the
    ledger in place knows: one of the two may be lost. Raises: KeysUnusable; LedgerUnusable when
    nobody can say whether there is a ledger."""
    known = keys.destroyed(folder / "burn")
    if not database.exists():
        return known
    try:
        with closing(database.connect(read_only=True)) as opened:
            return {**leftovers.logged(opened), **known}
    except (sqlite3.DatabaseError, LedgerUnusable):  # it is damaged, or no ledger
        return known


def put_back_kept(kept: Path, folder: Path, copy: Copy) -> None:
    """Put the lasting keys in the folder *kept* back into the key folder, which has none, with a
    mark ahead of every id that may have been given since.

    Raises: KeysUnusable. Crash: all of `keep`, or nothing of it under its name.
    """
    refuse_synchronised(folder)
    with usable():
        beside = folder / ".keep.new"
        shutil.rmtree(beside, ignore_errors=True)
        for part in (folder, folder / "burn", beside):
            part.mkdir(mode=0o700, parents=part is folder, exist_ok=True)
            part.chmod(0o700)
        for name in ("destroyed", "keys.json"):
            if (source := kept / name).exists():
                write_durably(beside / name, source.read_bytes())
        known = _mark_in(kept) or Mark(copy.log, copy.log)
        given = max(known.next_recipient, copy.next_recipient) + LEFT_OUT  # it comes from a backup
        write_durably(beside / "mark", to_bytes(replace(known, next_recipient=given)))
        beside.rename(folder / "keep")
        keys.sync_folder(folder)


def _mark_in(kept: Path) -> Mark | None:
    try:
        return MarkFile(kept / "mark").read()
    except KeysUnusable:  # it can be told from the copy, too
        return None


def put_back_generations(wanted: Wanted, copy: Copy) -> None:
    """Put what *copy* needs of the generations beside it into the key folder; what is there stays.

    Raises: KeysUnusable when it cannot be read or written.
    """
    burn = wanted.keys.burn
    with usable():
        burn.mkdir(mode=0o700, exist_ok=True)
        for number in copy.generations:
            path = burn / f"{number}.key"
            if not path.exists():
                source = keycopies.beside(wanted.folder) / path.name
                keys.read_generation(source, number)
                write_durably(path, source.read_bytes())


def make_ready(staged: Path, vault: Vault, folder: Path, now: datetime) -> None:
    """Make the ledger *staged* know that it is an older copy, and which keys lie in *folder*.

    Raises: KeysUnusable, SealBroken when the keys in place do not open it.
    """
    with connect.translated(), closing(connect.connection(staged)) as opened:
        for recipient_id, generation, sealed in opened.execute(_ENDS):
            vault.open_text(sealed, generation=generation, recipient_id=recipient_id)
        (log_key,) = opened.execute("SELECT log_key FROM campaign").fetchone()
        tx = Transaction(opened, vault, now, log_key, staged)
        burn = keycopies.beside(folder)
        ours = [
            number
            for number in keycopies.there(burn)
            if keycopies.campaign_of(burn / f"{number}.key") == vault.keys.campaign
        ]
        tx.run("BEGIN IMMEDIATE")
        tx.run("UPDATE campaign SET older_copy = 1")
        keycopies.note(tx, burn, ours)
        tx.run("COMMIT")
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _newest_first(folder: Path, passed: list[PassedOver]) -> list[Copy]:
    """Return what looks like a ledger in *folder*; add to *passed* what only is called like one."""
    found = []
    for path in _files(folder):
        try:
            found.append(look(path))
        except (sqlite3.Error, ProofBroken, AttributeError, TypeError, ValueError):
            passed.append(PassedOver(shown(path.name), "it is no ledger, or damaged"))
    return sorted(found, key=lambda each: (each.newest, each.log.size, each.path), reverse=True)


def _files(folder: Path) -> Sequence[Path]:
    """Return the files in *folder* that are, or should be, copies of a ledger. Raises:
    RestoreRefused when it cannot be read."""
    try:
        return [
            path
            for path in sorted(folder.iterdir())
            if path.is_file()
            and not path.name.startswith(".")
            and not path.match("*.moved-*")  # what it held is in PostgreSQL
            and (path.match("ledger-*.db") or _begins_like_one(path))
        ]
    except OSError as failure:
        raise RestoreRefused(
            f"{shown(folder.name)} cannot be read ({failure.strerror})",
            hint="name a folder with copies of the ledger, and mount its disk",
        ) from failure


def _begins_like_one(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def look(path: Path) -> Copy:
    """Return what the copy at *path* is. Raises: sqlite3.Error, ProofBroken, AttributeError,
    TypeError or ValueError when it is none, or damaged."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as opened:
        (revision,) = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        campaign, following = opened.execute("SELECT uuid, next_recipient FROM campaign").fetchone()
        size, frontier = opened.execute("SELECT size, frontier FROM log_head").fetchone()
        (at,) = opened.execute(_NEWEST).fetchone()
        generations = frozenset(number for (number,) in opened.execute(GENERATIONS))
    root = Frontier.from_bytes(size, frontier).root()
    return Copy(path, revision, campaign, str(at), Point(size, root), int(following), generations)


def _staged(copy: Copy, staged: Path) -> str | None:
    """Return why *copy* is not at *staged* now: it is not whole."""
    with connect.translated():
        _remove(staged)
        staged.touch(mode=0o600)
        shutil.copyfile(copy.path, staged)
        try:
            copying.require_whole(staged)
            copying.require_log(staged)
        except (sqlite3.DatabaseError, LedgerUnusable):
            return "it is not whole"
    return None


def _remove(path: Path) -> None:
    for one in (path, f"{path}-wal", f"{path}-shm"):
        Path(one).unlink(missing_ok=True)
