"""Writes who said yes, or who must stop, as they are at this moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO

from repermit.domain.standing import Standing
from repermit.files import file_refused, whole
from repermit.ledger.engine import Ledger
from repermit.ledger.replay import Replay
from repermit.ledger.store import elsewhere, reading
from repermit.ledger.store.elsewhere import Changes, Seen, ToRemove, Written
from repermit.ledger.store.reading import Exported
from repermit.ledger.store.written import REMOVAL, note_file
from repermit.ledger.transaction import Transaction
from repermit.report.formats import FORMATS, Line

Link = Callable[[int], str]  # by which the recipient with that id withdraws


@dataclass(frozen=True)
class Done:
    """What was written: how many rows, how many of them without an address because their person
    is erased, how many of people who still agree to something else, and what changed since the
    last export of the same (None: this is the first)."""

    rows: int
    erased: int = 0
    narrowed: int = 0
    changes: Changes | None = None


async def export_opt_ins(
    ledger: Ledger, path: Path, *, form: str, purpose: str | None, link: Link
) -> Done:
    """Write those whose yes stands at this moment and covers *purpose*, as the log has it.

    Raises: ProofBroken when the ledger does not verify; FileRefused when the file exists, cannot
    be written, or somebody was erased meanwhile. No file is left then.
    Crash: a hidden file beside it that ends in `.part`: delete it and export again. The file has
    its name only once the log has its entry, so that no erasure misses it; an entry too many,
    without a file, asks others for nothing but a removal.
    """
    with new_file(path) as file:

        def write(tx: Transaction, replay: Replay) -> tuple[Written, Changes | None, Seen]:
            written, holds = write_opt_ins(
                tx, replay, path, file, form=form, purpose=purpose, link=link
            )
            return written, elsewhere.changes(tx, holds, purpose=purpose), elsewhere.seen(tx)

        written, changes, sight = await ledger.read_proven(write)
        await ledger.write(note, sight, {path: written}, "export")
    return Done(written.rows, changes=changes)


async def export_opt_outs(
    ledger: Ledger, path: Path, *, form: str, purpose: str | None = None
) -> Done:
    """Write those who must stop; then whom an earlier export carried out for *purpose* and who
    agrees to it no more, with what they still agree to (GDPR art. 7(3)); and last who was erased
    after an export of their yes: without an address, under the proof that it had there.

    A no goes out whatever the log says: to stop needs no proof. Otherwise as `export_opt_ins`.
    """
    with new_file(path) as file:

        def write(tx: Transaction) -> tuple[Written, Done, Seen]:
            return *write_opt_outs(tx, path, file, form=form, purpose=purpose), elsewhere.seen(tx)

        written, done, sight = await ledger.read(write)
        await ledger.write(note, sight, {path: written}, "export")
    return done


def note(tx: Transaction, sight: Seen, files: Mapping[Path, Written], kind: str) -> None:
    """Note what was written to which files, before they have their names; a file of those who
    must stop is kept as `written.REMOVAL`.

    Raises: FileRefused.
    """
    for path, each in files.items():
        must_stop = each.standing is Standing.OPTED_OUT
        note_file(tx, path, REMOVAL if must_stop else kind)
    elsewhere.note_export(tx, sight, list(files.values()))


def write_opt_ins(
    tx: Transaction,
    replay: Replay,
    path: Path,
    file: IO[str],
    *,
    form: str,
    purpose: str | None,
    link: Link,
) -> tuple[Written, bytearray]:
    """Write the yeses to *file*, which will be at *path*, and return what was written, and a 1 for
    each recipient's id that is in it.

    Raises: FileRefused.
    """
    holds = bytearray(len(replay.standing))

    def lines() -> Iterator[Line]:
        for row in reading.opted_in(tx, replay, purpose):
            holds[row.id] = 1
            yield Line(row, link(row.id))

    return _written(path, file, Standing.OPTED_IN, form, purpose, lines()), holds


def write_opt_outs(
    tx: Transaction, path: Path, file: IO[str], *, form: str, purpose: str | None
) -> tuple[Written, Done]:
    """Write who must stop to *file*, which will be at *path*, and return what was written.

    Raises: FileRefused.
    """
    erased, narrowed = elsewhere.to_remove(tx), 0

    def no_more() -> Iterator[Exported]:
        nonlocal narrowed
        for one in elsewhere.no_more(tx, purpose):
            narrowed += bool(one.purposes)
            yield Exported(one.id, one.mailbox, one.since, one.purposes, one.language, one.leaf)

    rows = chain(reading.opted_out(tx), no_more(), map(_gone, erased))
    lines = (Line(row, "") for row in rows)
    written = _written(path, file, Standing.OPTED_OUT, form, purpose, lines)
    return written, Done(written.rows, len(erased), narrowed)


@dataclass
class Hashed:
    """Writes to a file and hashes what goes there, as UTF-8."""

    file: IO[str]

    def __post_init__(self) -> None:
        self._sha256 = sha256()

    def write(self, text: str, /) -> None:
        """Write a part."""
        self._sha256.update(text.encode())
        self.file.write(text)

    @property
    def hexdigest(self) -> str:
        """Return the SHA-256 of what was written so far."""
        return self._sha256.hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[IO[str]]:
    """Yield a new text file in UTF-8, made as `files.whole` makes it."""
    with whole(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()  # or it would close the file when it goes


def _written(
    path: Path,
    file: IO[str],
    standing: Standing,
    form: str,
    purpose: str | None,
    lines: Iterator[Line],
) -> Written:
    hashed = Hashed(file)
    with file_refused(path):
        rows = FORMATS[form].write(hashed, lines)
        file.flush()
    return Written(standing, purpose, form, rows, hashed.hexdigest)


def _gone(one: ToRemove) -> Exported:
    """Return what an export may say of somebody erased: under which proof an earlier one has
    them."""
    return Exported(0, "", one.erased_at, purposes=(), language=None, leaf=one.proof)
