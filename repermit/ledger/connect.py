"""Connections to the SQLite file: how it is made, checked, opened, and what its errors mean."""

from __future__ import annotations

import errno
import fcntl
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from repermit.domain.clock import Clock
from repermit.errors import LedgerAway, LedgerUnusable, RepermitError
from repermit.ledger.database import BUSY_SECONDS, Connection, DatabaseFailed
from repermit.ledger.mark import MarkFile

if TYPE_CHECKING:
    from repermit.ledger.vault import Vault

REVISION = "0001"  # the newest migration; tests compare it with alembic's head
SEALED = "moving"  # instead of the revision, while a ledger is moved there
_SET_AT_CREATION = ("journal_mode", "auto_vacuum")


def connection(
    path: Path, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS
) -> sqlite3.Connection:
    """Return a connection in autocommit mode, with every pragma set and read back.

    Raises: LedgerUnusable when the file is gone or a pragma did not take.
    """
    opened = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    for pragma, wanted in (
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("secure_delete", 1),
        ("auto_vacuum", 2),  # INCREMENTAL
        ("temp_store", 2),  # MEMORY: no temporary file ever holds a row
    ):
        if pragma not in _SET_AT_CREATION:
            opened.execute(f"PRAGMA {pragma} = {wanted}")
        found = opened.execute(f"PRAGMA {pragma}").fetchone()[0]
        if found != wanted:
            opened.close()
            raise LedgerUnusable(
                f"the ledger's {pragma} is {found}, not {wanted}",
                hint="it was not made by repermit, or this SQLite lacks the setting",
            )
    if read_only:
        opened.execute("PRAGMA query_only = 1")
    return opened


def prepare(path: Path, clock: Clock, vault: Vault, *, create: bool) -> None:
    """Check that the ledger at *path* is whole, ours and of this release; make it if *create*.

    Raises: LedgerUnusable, with what to do.
    Crash: a ledger that is being made stands beside its place and is moved there when whole.
    """
    if not path.exists():
        require_none_before(vault, path)
        if not create:
            raise none_yet()
        with translated(), _alone(path):
            if not path.exists():  # another first command may have been quicker
                _make(path, clock, vault)
    with translated(), closing(connection(path)) as opened:
        try:
            require_ours(opened, vault)
        except sqlite3.OperationalError as failure:
            if "no such" not in str(failure):  # table or column
                raise
            raise _no_ledger() from failure


def gone() -> LedgerUnusable:
    """Return what is raised where the ledger was, and is not any more."""
    message, hint = _MEANINGS["unable to open"]
    return LedgerUnusable(message, hint=hint)


def none_yet() -> LedgerUnusable:
    """Return what is raised where no ledger was made yet."""
    return LedgerUnusable("there is no ledger yet", hint="start with `repermit import LIST`")


def require_ours(opened: Connection, vault: Vault) -> None:
    """Raise LedgerUnusable unless the ledger is of this release and of the campaign of the keys."""
    revision = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    owner = opened.execute("SELECT uuid FROM campaign").fetchone()
    if revision is None or owner is None:
        raise _no_ledger()
    if revision[0] == SEALED:
        raise LedgerUnusable(
            "a ledger is being moved into that database, or its move was cut off",
            hint="run the same `repermit migrate-ledger` again, with database.url as it was before",
        )
    if revision[0] != REVISION:
        raise LedgerUnusable(
            f"the ledger was made by a newer release (schema {revision[0]}, this one knows "
            f"{REVISION})",
            hint="install the release that last used it",
        )
    if owner[0] != vault.keys.campaign:
        raise LedgerUnusable(
            "the ledger and the key folder belong to different campaigns",
            hint="check database.url and keys.dir in the config",
        )


def _no_ledger() -> LedgerUnusable:
    return LedgerUnusable("what is there is not a ledger", hint="check database.url in the config")


def require_none_before(vault: Vault, place: Path | None = None) -> None:
    """Raise LedgerUnusable when the key folder knows that there was a ledger: a new one in its
    place, the file at *place*, would ask everybody again."""
    mark = MarkFile(vault.keys.mark).read()
    if mark is not None:
        if place is not None and any(place.parent.glob(f"{escape(place.name)}.moved-*")):
            raise LedgerUnusable(
                "the ledger was moved into PostgreSQL",
                hint="put the URL that it was moved to into database.url; do not put it back here",
            )
        raise LedgerUnusable(
            f"the ledger is gone: its log had {mark.intended.size:,} entries when it was last used",
            hint="put it back where database.url says, or the newest backup of it with"
            " `repermit restore DIR`",
        )


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the database or the disk raises into what the operator can act on."""
    try:
        yield
    except BaseException as failure:
        if (meaning := translate(failure)) is failure:
            raise
        raise meaning from failure


def translate(failure: BaseException) -> BaseException:
    """Return the expected failure that *failure* stands for, or *failure* itself."""
    if isinstance(driver := getattr(failure, "orig", None), sqlite3.Error):  # of the migrations
        meaning = translate(driver)
        return failure if meaning is driver else meaning
    if isinstance(failure, DatabaseFailed):
        return _meaning_on_a_server(failure)
    if isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full()
    if isinstance(failure, OSError):
        return LedgerUnusable(
            f"the ledger or its key folder cannot be used ({failure.strerror})",
            hint="check the disk and the rights on both folders; nothing was lost",
        )
    if not isinstance(failure, sqlite3.Error):
        return failure
    if getattr(failure, "sqlite_errorname", "") in _FULL:
        return _full()
    text = str(failure)
    for sign, (message, hint) in _MEANINGS.items():
        if sign in text:
            return LedgerUnusable(message, hint=hint)
    return failure


def _meaning_on_a_server(failure: DatabaseFailed) -> BaseException:
    """Return the same of what PostgreSQL says, by its SQLSTATE."""
    for begins, (message, hint) in _ON_A_SERVER.items():
        if failure.code.startswith(begins):
            kind = LedgerAway if failure.is_away else LedgerUnusable
            return kind(message, hint=hint)
    if "older generation" in str(failure):  # a trigger says so
        message, hint = _MEANINGS["older generation"]
        return LedgerUnusable(message, hint=hint)
    return away() if failure.is_away else failure


def away() -> LedgerAway:
    """Return that the database does not answer."""
    return LedgerAway(
        "the database is not there, or the way to it is cut",
        hint="look at the server and at database.url; what was confirmed before is safe",
    )


_ON_A_SERVER = {
    "22021": (
        "a text holds a character that the database does not keep (NUL)",
        "take it out and run the same command again; nothing was changed",
    ),
    "53100": (
        "the disk of the database is full",
        "make room and run the same command again; what was confirmed before is safe",
    ),
    "53300": (
        "the database has no connection left for this machine",
        "raise max_connections of the server, or end what else is connected; nothing was lost",
    ),
    "55P03": (
        "the ledger is locked by another machine",
        "wait until it is done; `pg_stat_activity` names it; nothing was lost",
    ),
    "25006": (
        "the database takes no changes: it is a replica, or was made read-only",
        "name the primary server in database.url; nothing was lost",
    ),
    "28": (
        "the database does not let this user in",
        "check the name in database.url, and REPERMIT_DATABASE_PASSWORD (or PGPASSFILE)",
    ),
    "42704": (
        "the server does not know something that database.url asks of it",
        "correct what stands behind the ? of database.url; nothing was changed",
    ),
    "22023": (
        "the server does not take something that database.url asks of it",
        "correct what stands behind the ? of database.url; nothing was changed",
    ),
    "3D000": ("there is no such database", "make it, or correct database.url"),
    "42501": (
        "the database does not let this user do that",
        "its user needs all rights on the schema of the ledger, see deploy/",
    ),
}
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")  # the latter: no room for the shared memory
_DAMAGED = ("the ledger is damaged", "put back the newest backup, then `doubt restored`")
_MEANINGS = {
    "Could not decode to UTF-8": _DAMAGED,  # first: the rest of that message is data
    "is locked": (
        "the ledger is locked by another process",
        "wait until it is done, or find it with `fuser` on the ledger; nothing was lost",
    ),
    "older generation": (  # a trigger says so
        "a purge has put new keys in place meanwhile",
        "run the same command again; nothing was changed",
    ),
    "readonly": (
        "the ledger is read-only",
        "check the rights on the ledger's file and folder; nothing was lost",
    ),
    "unable to open": (
        "the ledger is gone or cannot be opened",
        "check database.url in the config and the rights on the folder",
    ),
    "not a database": ("this file is not a ledger", "check database.url in the config"),
    "malformed": _DAMAGED,
    "disk I/O error": (
        "the disk refused to read or write the ledger",
        "check the disk; what was confirmed before is safe",
    ),
    "database or disk is full": (
        "the disk is full",
        "make room and run the same command again; what was confirmed before is safe",
    ),
}


def _full() -> RepermitError:
    return LedgerUnusable("the disk is full", hint=_MEANINGS["database or disk is full"][1])


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until nobody else makes the ledger, and keep others waiting meanwhile."""
    lock = path.with_name(f"{path.name}.making.lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def make_empty(path: Path) -> None:
    """Make the tables of a ledger in a new file at *path*, instead of any that is there."""
    from alembic import command
    from alembic.config import Config

    for leftover in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        leftover.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA auto_vacuum = 2")
        raw.execute("PRAGMA journal_mode = wal")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["path"] = path
    command.upgrade(config, "head")


def _make(path: Path, clock: Clock, vault: Vault) -> None:
    """Make an empty ledger with its campaign, and its first log entry."""
    beside = path.with_name(f".{path.name}.new")
    make_empty(beside)
    with closing(connection(beside)) as opened:
        _begin(opened, clock, vault, path)
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    beside.rename(path)


def _begin(opened: sqlite3.Connection, clock: Clock, vault: Vault, path: Path) -> None:
    opened.execute("BEGIN IMMEDIATE")
    begin_campaign(opened, clock, vault, path)
    opened.execute("COMMIT")


def begin_campaign(opened: Connection, clock: Clock, vault: Vault, place: Path) -> None:
    """Write the row of the campaign, and the first entry of its log, within the transaction that
    is open."""
    from repermit.ledger.checkpoint import Signing
    from repermit.ledger.instants import to_micros
    from repermit.ledger.log import Kind
    from repermit.ledger.transaction import Transaction

    now, log_key, campaign = clock.now(), secrets.token_bytes(32), vault.keys.campaign
    tx = Transaction(opened, vault, now, log_key, place)
    tx.run("INSERT INTO log_head (id, size, frontier) VALUES (1, 0, ?)", b"")
    tx.run(
        "INSERT INTO campaign (id, uuid, created_at, generation, next_recipient, admitted, purged,"
        " erased, older_copy, accepted, stop_lists, about_us, about_us_seen, log_key)"
        " VALUES (1, ?, ?, 1, 1, 0, 0, 0, FALSE, 0, 0, 0, 0, ?)",
        *(campaign, to_micros(now), log_key),
    )
    signing = Signing(campaign, vault.keys.signing)
    told = {"campaign": campaign, "key": signing.verifying.text}
    tx.log.append(Kind.CREATED, told, now=now)
