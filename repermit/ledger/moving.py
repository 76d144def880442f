"""A ledger that moves from a SQLite file to PostgreSQL, for good.

1. The file is held so that no other process has it open: nobody writes what would be left behind.
2. All of it is copied in one transaction, at whose end the new ledger is *sealed*: no command opens
   it. Its log is read back, as `proof verify` does.
3. The file gets another name. From here on, nobody finds a ledger in its old place.
4. The seal is taken off: the new ledger is the campaign's.

Killed before 3, the old ledger is in use as before, and the next move copies anew whatever a sealed
ledger holds; killed after it, the next move does what is left. There are never two in use.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from repermit.domain.clock import Clock
from repermit.errors import LedgerUnusable
from repermit.ledger import connect, transfer
from repermit.ledger.database import Connection
from repermit.ledger.keys import sync_folder
from repermit.ledger.mark import MarkFile, Point
from repermit.ledger.merkle import Frontier
from repermit.ledger.postgres.connection import PgConnection
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.store import present, written
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.ledger.verify import verify

MOVED: Final = "moved"  # what a file is that a ledger was moved out of
_PATIENCE_SECONDS = 5.0  # for a command that only looks
_EXISTS = "SELECT to_regclass('alembic_version') IS NOT NULL"
_EXTENT = "SELECT (SELECT count(*) FROM recipient), size, frontier FROM log_head"
_SEALED = "SELECT count(*) FROM alembic_version WHERE version_num = ?"
_SEAL = "UPDATE alembic_version SET version_num = ?"


@dataclass(frozen=True)
class Extent:
    """How much there is to move, and the root of its log."""

    recipients: int
    entries: int
    root: str


@contextmanager
def held(
    file: Path, vault: Vault, *, patience: float = _PATIENCE_SECONDS
) -> Iterator[sqlite3.Connection]:
    """Hold the ledger in *file* for the length of a block, so that nobody else has it open.

    Raises: LedgerUnusable when somebody has for longer than *patience*, in seconds, or when it is
    not ours; SendRefused when it is an older copy.
    Crash: it is in use as before.
    """
    if not file.exists():
        connect.require_none_before(vault)
        raise connect.none_yet()
    with connect.translated(), closing(_alone(file, patience)) as source:
        connect.require_ours(source, vault)
        _require_newest(source, vault)
        yield source


def extent(source: Connection) -> Extent:
    """Return how much there is to move."""
    recipients, entries, frontier = source.execute(_EXTENT).fetchone()
    return Extent(recipients, entries, Frontier.from_bytes(entries, frontier).root().hex())


def extent_of(target: PostgreSQL) -> Extent:
    """Return how much was moved there."""
    with connect.translated(), closing(target.connect(read_only=True)) as opened:
        return extent(opened)


def move(
    file: Path, source: sqlite3.Connection, target: PostgreSQL, vault: Vault, clock: Clock
) -> Path:
    """Move the ledger in *file*, which *source* holds, into *target*; return what the file is
    called now.

    Raises: LedgerUnusable when there is another ledger already; ProofBroken when the log does not
    verify there. Then the old one is in use as before.
    Crash: see above.
    """
    aside = file.with_name(f"{file.name}.moved-{clock.now():%Y%m%dT%H%M%SZ}")

    def seal(filled: PgConnection) -> None:
        tx = _transaction(filled, target, vault, clock)
        written.note_file(tx, aside, MOVED)
        tx.run(_SEAL, connect.SEALED)

    with connect.translated(), closing(target.connect()) as opened:
        instead = _is_sealed(opened) and _is_ours(opened, vault)
        transfer.to_schema(source, target, instead=instead, then=seal)
        _require_whole(opened, target, vault, clock)
        _set_aside(file, aside)
        _unseal(opened)
    return aside


def finish(file: Path, target: PostgreSQL, vault: Vault, clock: Clock) -> Path | None:
    """Do what may be left of a move after *file* had got its other name, and return that; None
    when it still has its own, or was never moved there.

    Raises: LedgerUnusable when another machine has to do that.
    """
    with connect.translated(), closing(target.connect(read_only=True)) as opened:
        aside = None if file.exists() else _noted(opened, target, vault, clock)
        is_sealed = _is_sealed(opened)
    if aside is None or not is_sealed:
        return aside
    if not aside.exists():
        raise LedgerUnusable(
            "a move to that database was begun, and the ledger that moves is not here",
            hint="run the same command on the machine on which it was begun",
        )
    with connect.translated(), closing(target.connect()) as opened:
        _clear(file)
        _unseal(opened)
    return aside


def _alone(file: Path, patience: float) -> sqlite3.Connection:
    """Return the one connection to *file*, which holds all that its write-ahead log held."""
    opened = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=patience,
        isolation_level=None,
    )
    try:
        # Set before the first access, it is a lock on the file that nobody shares until the end.
        opened.execute("PRAGMA locking_mode = EXCLUSIVE")
        opened.execute("BEGIN IMMEDIATE")
        opened.execute("ROLLBACK")
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as failure:
        opened.close()
        if failure.sqlite_errorname != "SQLITE_BUSY":
            raise
        raise LedgerUnusable(
            "the ledger is in use by another process",
            hint="end `repermit run`, `serve`, `send` and what else uses it, then run the same"
            " command again",
        ) from failure
    return opened


def _require_newest(source: Connection, vault: Vault) -> None:
    """Refuse an older copy: what was done since would be done again. Raises: SendRefused."""
    size, frontier, is_older = source.execute(
        "SELECT size, frontier, older_copy FROM log_head CROSS JOIN campaign"
    ).fetchone()
    mark = MarkFile(vault.keys.mark).read()
    point = Point(size, Frontier.from_bytes(size, frontier).root())
    if is_older or not (size <= 1 if mark is None else mark.covers(point)):
        raise present.older_copy()


def _require_whole(opened: PgConnection, target: PostgreSQL, vault: Vault, clock: Clock) -> None:
    """Read the whole log back. Raises: ProofBroken."""
    target.begin_reading(opened)
    tx = _transaction(opened, target, vault, clock)
    verify(tx, MarkFile(vault.keys.mark).read()).require()
    opened.execute("ROLLBACK")


def _set_aside(file: Path, aside: Path) -> None:
    """Give *file* its other name, durably."""
    file.rename(aside)
    _clear(file)


def _clear(file: Path) -> None:
    """Remove what SQLite left beside the old name: all that it held is in the file."""
    for leftover in (f"{file}-wal", f"{file}-shm"):
        Path(leftover).unlink(missing_ok=True)
    sync_folder(file.parent)


def _noted(opened: PgConnection, target: PostgreSQL, vault: Vault, clock: Clock) -> Path | None:
    """Return which file our ledger in that schema was moved out of; None when there is none."""
    if not opened.query(_EXISTS)[0][0]:
        return None
    if not _is_ours(opened, vault):
        return None
    tx = _transaction(opened, target, vault, clock)
    return next((one.path for one in reversed(written.files(tx)) if one.kind == MOVED), None)


def _transaction(
    opened: PgConnection, target: PostgreSQL, vault: Vault, clock: Clock
) -> Transaction:
    log_key = opened.execute("SELECT log_key FROM campaign").fetchone()[0]
    return Transaction(opened, vault, clock.now(), log_key, target.place)


def _is_sealed(opened: PgConnection) -> bool:
    return bool(
        opened.query(_EXISTS)[0][0] and opened.execute(_SEALED, (connect.SEALED,)).fetchone()[0]
    )


def _is_ours(opened: PgConnection, vault: Vault) -> bool:
    found = opened.execute("SELECT uuid FROM campaign").fetchone()
    return bool(found == (vault.keys.campaign,))


def _unseal(opened: PgConnection) -> None:
    opened.execute(_SEAL, (connect.REVISION,))
