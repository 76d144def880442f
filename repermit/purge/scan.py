"""Looks for people who are gone in every file that this machine may still hold them in.

The files: the ledger with what the database keeps beside it, its backup, its keys, whatever the
tool makes beside both, and every file with addresses that a command ever wrote (`store.written`).
Of a ledger that is no file of this machine, every row of its database is looked through instead.
Whoever is found there and was purged or erased is a trace. They are known again by the keyed
hashes that stay of them (`store.gone`), so that nobody keeps another list of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

from repermit.domain.address import parse
from repermit.errors import AddressRejected
from repermit.files import LONGEST_PATH, shown
from repermit.ledger.engine import Ledger
from repermit.ledger.store import written
from repermit.ledger.store.gone import gone, own_words
from repermit.ledger.transaction import Transaction
from repermit.purge.spellings import Occurrence, occurrences, readings

_OWN = ("{}?*", ".{}*")  # what belongs to the ledger, by its name
_BESIDE = ("approval-*.html", "inbound", ".*.part", ".rehearsal-*", "answers*.toml", "*.log")
_PASSED_ON = ("HOME", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME")  # no secret of ours
_Code = bytes  # of a person who is gone
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Scanned:
    """What was read: files and bytes; how many people who are gone each file still tells of, by
    the name under which it may be shown.

    `removal` is the same of files that were made so that people are removed elsewhere: these are no
    traces, but are to be deleted when that is done. `missing` are files that are not where they
    were written any more, `unread` those that could not be read, or not all of them; `names` are
    the names of both.
    """

    files: int
    bytes: int
    traces: tuple[tuple[str, int], ...] = ()
    removal: tuple[tuple[str, int], ...] = ()
    missing: int = 0
    unread: int = 0
    names: tuple[str, ...] = ()
    gone: int = 0  # people in `traces`, each of them once


@dataclass(frozen=True)
class _File:
    path: Path | None  # None: the rows of the database
    name: str
    is_owed: bool = False  # a command wrote it, so that it counts when it is not there
    is_removal: bool = False


@dataclass
class _Reader:
    """The process that reads files (`looking`), which may end before it has read all of them."""

    process: subprocess.Popen[bytes]

    @classmethod
    def started(cls) -> _Reader:
        """Start it."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "repermit.purge.looking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**passed, "PYTHONPATH": str(_ROOT)},
            start_new_session=True,  # Ctrl-C is for us: what it reads would be told as unread
        )
        return cls(process)

    def tell(self, files: Sequence[_File], rows: Iterable[bytes]) -> None:
        """Say to it which *files* to read, and hand it the *rows* of the database.

        Raises: LedgerUnusable when these cannot be had.
        """
        paths = [file.path and os.fspath(file.path) for file in files]
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(BrokenPipeError), self.process.stdin as told:  # it has ended: all is unread
            told.write(json.dumps(paths).encode() + b"\n")
            for row in rows:
                told.write(row)

    def next(self) -> Any:
        """Return what it says next. Raises: EOFError when it has ended."""
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return json.loads(line)

    def end(self) -> None:
        """End it, and let go of it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        self.process.stdout.close()


@dataclass
class _Scan:
    ledger: Ledger
    own: frozenset[str]
    files: int = 0
    bytes: int = 0
    missing: int = 0
    unread: int = 0
    traces: list[tuple[str, int]] = field(default_factory=list)
    removal: list[tuple[str, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    gone: set[_Code] = field(default_factory=set)


async def scan(ledger: Ledger, own: Sequence[str] = (), beside: Sequence[Path] = ()) -> Scanned:
    """Return what still tells of people who were purged or erased; changes nothing. What the tool
    makes beside the ledger is looked for in the folders *beside*, too.

    *own* are addresses that the controller itself gives to the world, as its config names them;
    so are those in what everybody is shown. They are no traces, whoever has them.

    A file that cannot be read is counted and named: it is no error.
    Raises: LedgerUnusable, KeysUnusable.
    """
    files = await asyncio.to_thread(_files, ledger, await ledger.read(written.files), beside)
    texts = [*own, *await ledger.read(lambda tx: list(own_words(tx)))]
    done = _Scan(ledger, await asyncio.to_thread(_addresses_in, texts))
    while files:
        rows = ledger.database.content() if files[0].path is None else None
        async with _reading(files, rows or ()) as reader:
            read = await _read(done, reader, files)
        files = files[read:]
    return Scanned(
        done.files,
        done.bytes,
        tuple(done.traces),
        tuple(done.removal),
        done.missing,
        done.unread,
        tuple(done.names),
        len(done.gone),
    )


@asynccontextmanager
async def _reading(files: Sequence[_File], rows: Iterable[bytes]) -> AsyncIterator[_Reader]:
    """Have *files* read by a process of its own while it is told of them.

    Raises: LedgerUnusable when the *rows* of the database cannot be had.
    """
    reader = await asyncio.to_thread(_Reader.started)
    telling = asyncio.create_task(asyncio.to_thread(reader.tell, files, rows))
    try:
        yield reader
    finally:
        reader.end()
        await telling


async def _read(done: _Scan, reader: _Reader, files: Sequence[_File]) -> int:
    """Note in *done* what *reader* finds, and return how many of *files* it is through with."""
    for count, file in enumerate(files, start=1):
        people: set[_Code] = set()
        try:
            while True:
                told = await asyncio.to_thread(reader.next)
                if not told or not isinstance(told[0], list):
                    break
                people |= await done.ledger.read(_gone_among, told, done.own)
        except EOFError:
            told = (0, False)
            _note(done, file, told, people)
            return count
        _note(done, file, told, people)
    return len(files)


def _note(done: _Scan, file: _File, told: Any, people: set[_Code]) -> None:
    if people:
        found = done.removal if file.is_removal else done.traces
        found.append((file.name, len(people)))
        done.gone |= set() if file.is_removal else people
    if told is None:
        done.missing += file.is_owed
    else:
        size, is_whole = told
        done.files += is_whole
        done.unread += not is_whole
        done.bytes += size
    if file.is_owed if told is None else not told[1]:
        done.names.append(file.name)


def _gone_among(tx: Transaction, told: list[list[Any]], own: frozenset[str]) -> set[_Code]:
    """Return the codes of the people who are gone, of those whom *told* may mean."""
    found = (
        gone(tx, _canonicals(Occurrence(local, domain), exhaustive=exhaustive), own)
        for local, domain, exhaustive in told
    )
    return {code for code in found if code is not None}


def _canonicals(found: Occurrence, *, exhaustive: bool = False) -> Iterator[str]:
    for reading in readings(found, exhaustive=exhaustive):
        try:
            yield parse(reading).canonical
        except AddressRejected:
            continue


def _addresses_in(texts: Sequence[str]) -> frozenset[str]:
    found = {one for text in texts for one in occurrences(text.encode())}
    return frozenset(canonical for one in found for canonical in _canonicals(one))


def _files(
    ledger: Ledger, noted: Sequence[written.NotedFile], beside: Sequence[Path]
) -> list[_File]:
    """Return every file to read, once."""
    folder, keys = ledger.path.resolve().parent, ledger.vault.keys.folder.resolve()
    found: dict[Path, _File] = {}

    def add(path: Path, name: str) -> None:
        found.setdefault(path, _File(path, shown(name, longest=LONGEST_PATH)))

    base = ledger.path.resolve()
    own = [pattern.format(escape(base.name)) for pattern in _OWN]
    for path in (base, *(path for pattern in own for path in _matching(folder, pattern))):
        add(path, path.name)
    for root in (folder / "backup", keys):
        for path in _under(root):
            add(path, str(path.relative_to(root.parent)))
    own_folders = (folder, ledger.path.parent.absolute(), keys.parent)
    for place in dict.fromkeys((*own_folders, *(each.absolute() for each in beside))):
        for pattern in _BESIDE:
            for path in _matching(place, pattern):
                for each in _under(path) if path.is_dir() else (path,):
                    add(each, str(each.relative_to(place)))
    for one in noted:
        is_removal = one.kind == written.REMOVAL
        found[one.path] = _File(
            one.path, shown(one.name, longest=LONGEST_PATH), is_owed=True, is_removal=is_removal
        )
        for path in _matching(one.path.parent, f".{escape(one.path.name)}.*.part"):
            add(path, path.name)
    rows = [] if ledger.database.content() is None else [_File(None, "database")]
    return [*rows, *found.values()]


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Return what is in *folder* and has such a name, sorted; nothing when it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.match(pattern))
    except (OSError, ValueError):  # the latter: it cannot be the name of a folder
        return []


def _under(folder: Path) -> Iterator[Path]:
    """Yield every file in *folder* and below it."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(place) / name
