"""Writes who said yes, or who must stop, as they are at this moment."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from repermit.domain.clock import iso
from repermit.domain.standing import Standing
from repermit.files import file_refused
from repermit.ledger.engine import Ledger
from repermit.ledger.store import elsewhere, reading
from repermit.ledger.store.elsewhere import Seen, ToRemove
from repermit.ledger.store.reading import Exported
from repermit.ledger.transaction import Transaction

_COLUMNS = ("email", "confirmed_on", "purposes", "language", "proof")


async def export(
    ledger: Ledger, path: Path, *, standing: Standing, purpose: str | None, as_jsonl: bool
) -> int:
    """Write those at *standing* (opted_in or opted_out) to *path* and return how many.

    With *purpose*, only those whose yes covers it. Those who must stop end with who was erased
    after an export of their yes: without an address, under the proof that it had there. The log
    notes that it was made, never to which file.
    Raises: FileRefused when the file exists or cannot be written, or somebody was erased
    meanwhile.
    Crash: at most an entry in the log without its file; export again.
    """

    def write(tx: Transaction, file: IO[str]) -> tuple[int, Seen]:
        rows = _chosen(reading.answered(tx, standing), purpose)
        if standing is Standing.OPTED_OUT:
            rows = chain(rows, map(_gone, elsewhere.to_remove(tx)))
        count = _write_jsonl(file, rows) if as_jsonl else _write_csv(file, rows)
        return count, elsewhere.seen(tx)

    with new_file(path) as file:
        count, sight = await ledger.read(write, file)
        await ledger.write(
            elsewhere.note_export, sight, standing=standing, rows=count, purpose=purpose
        )
    return count


def _gone(one: ToRemove) -> Exported:
    """Return what an export may say of somebody erased: under which proof an earlier one has
    them."""
    return Exported(
        mailbox="", confirmed_at=one.erased_at, purposes=(), language=None, leaf=one.proof
    )


@contextmanager
def new_file(path: Path) -> Iterator[IO[str]]:
    """Yield a new file that only its owner may read; it has its name only once it is whole.

    Raises: FileRefused when it exists already or cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with file_refused(path):
            if path.exists():
                raise FileExistsError
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            os.link(beside, path)  # fails, where a rename would replace
    finally:
        beside.unlink(missing_ok=True)


def _chosen(rows: Iterable[Exported], purpose: str | None) -> Iterator[Exported]:
    return (row for row in rows if purpose is None or purpose in row.purposes)


def _write_csv(file: IO[str], rows: Iterable[Exported]) -> int:
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the count
        writer.writerow(
            (
                row.mailbox,
                iso(row.confirmed_at) or "",
                " ".join(row.purposes),
                row.language or "",
                "" if row.leaf is None else row.leaf,
            )
        )
    return count


def _write_jsonl(file: IO[str], rows: Iterable[Exported]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the count
        values = (row.mailbox, iso(row.confirmed_at), list(row.purposes), row.language, row.leaf)
        line = dict(zip(_COLUMNS, values, strict=True))
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return count
