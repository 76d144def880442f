"""Writes the folder with which somebody else goes on: who may be mailed, and who must be removed
wherever else the list lives."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from repermit.domain.clock import iso
from repermit.domain.deadline import last_day
from repermit.domain.standing import Standing
from repermit.domain.templates import Templates
from repermit.files import file_refused, new_folder
from repermit.ledger.engine import Ledger
from repermit.ledger.replay import Replay
from repermit.ledger.store import closing, elsewhere, places, reading, removal
from repermit.ledger.store.elsewhere import Seen, Written
from repermit.ledger.store.personal import Person
from repermit.ledger.store.places import Place
from repermit.ledger.store.removal import Why
from repermit.ledger.transaction import Transaction
from repermit.report.export import Hashed, Link, new_file, note, write_opt_ins
from repermit.report.formats import unlike_formula

YES, EXEMPT, REMOVE, README = (
    "yes.csv",
    "needs-no-question.csv",
    "must-be-removed.csv",
    "README.txt",
)
_CSV = "csv"
_LANGUAGES = frozenset(("nl", "fr", "de", "en"))  # in which README is there
_COLUMNS = ("email", "relationship", "country", "source", "collected", "last_contact", "proof_ref")
_REMOVED = ("email", "why", "since", "proof")


@dataclass(frozen=True)
class Counts:
    """How many rows each file holds, of the last by why they must be removed; how many may still
    answer, until when; and the places where who must be removed lives, too."""

    yes: int
    exempt: int
    removed: Mapping[str, int]
    waiting: int = 0
    last: datetime | None = None
    places: tuple[Place, ...] = ()

    @property
    def remove(self) -> int:
        """Return how many rows say who must be removed."""
        return sum(self.removed.values())

    @property
    def erased(self) -> int:
        """Return how many of them have no address."""
        return self.removed.get(Why.ERASED, 0)

    @property
    def total(self) -> int:
        """Return how many addresses there are."""
        return self.yes + self.exempt + self.remove - self.erased

    def files(self) -> dict[str, int]:
        """Return how many rows each file holds, by its name."""
        return {YES: self.yes, EXEMPT: self.exempt, REMOVE: self.remove}


@dataclass(frozen=True)
class Reader:
    """What the README is made of: its templates, language (English where there is none), what it
    says besides counts, and the zone of its days."""

    templates: Templates
    language: str
    said: Mapping[str, object]
    zone: ZoneInfo

    def text(self, counts: Counts) -> str:
        """Return the README. Raises: WordingIncomplete."""
        language = self.language if self.language in _LANGUAGES else "en"
        last = last_day(counts.last, zone=self.zone) if counts.last else ""
        context = {**self.said, "counts": counts, "last": last}
        return self.templates.render(f"handover/readme.{language}.txt.j2", context)


async def handover(
    ledger: Ledger,
    folder: Path,
    *,
    reader: Reader,
    link: Link,
    tell: Callable[[Counts], None],
) -> Counts:
    """Write the new *folder* and return how many rows each file holds, which *tell* is given
    before the first has its name. Those withheld, or silent before their date, are in none. All of
    it is of one moment.

    Raises: ProofBroken when the ledger does not verify; FileRefused when the folder exists,
    cannot be written, or somebody was erased meanwhile. Nothing is left of it then.
    Crash: a folder with hidden files that end in `.part`: delete it and do it again. No file has
    its name before the log has its entry (see `export.export_opt_ins`).
    """
    with new_folder(folder), ExitStack() as stack:
        files = {
            name: stack.enter_context(new_file(folder / name))
            for name in (YES, EXEMPT, REMOVE, README)
        }

        def write(tx: Transaction, replay: Replay) -> tuple[Counts, list[Written], Seen]:
            yes, _ = write_opt_ins(
                tx, replay, folder / YES, files[YES], form=_CSV, purpose=None, link=link
            )
            exempt = _write_exempt(tx, folder / EXEMPT, files[EXEMPT])
            remove, removed = _write_removed(tx, folder / REMOVE, files[REMOVE])
            waiting, last = closing.waiting(tx)
            counts = Counts(yes.rows, exempt.rows, removed, waiting, last, places.places(tx))
            return counts, [yes, exempt, remove], elsewhere.seen(tx)

        counts, written, sight = await ledger.read_proven(write)
        tell(counts)
        files[README].write(reader.text(counts))
        files[README].flush()
        paths = [folder / name for name in (YES, EXEMPT, REMOVE)]
        files_of = dict(zip(paths, written, strict=True))
        await ledger.write(_note, sight, files_of, names_anybody=counts.remove > 0)
    return counts


def _note(
    tx: Transaction, sight: Seen, files: Mapping[Path, Written], *, names_anybody: bool
) -> None:
    note(tx, sight, files, "handover")
    places.hand_over(tx, names_anybody=names_anybody)


def _write_removed(tx: Transaction, path: Path, file: IO[str]) -> tuple[Written, Counter[str]]:
    removed, hashed = Counter[str](), Hashed(file)
    with file_refused(path):
        writer = csv.writer(hashed)
        writer.writerow(_REMOVED)
        for one in removal.must_go(tx):
            since, proof = iso(one.since) or "", "" if one.proof is None else str(one.proof)
            writer.writerow(map(unlike_formula, (one.mailbox, one.why, since, proof)))
            removed[one.why] += 1
        file.flush()
    rows = removed.total()
    return Written(Standing.OPTED_OUT, None, _CSV, rows, hashed.hexdigest), removed


def _write_exempt(tx: Transaction, path: Path, file: IO[str]) -> Written:
    rows, hashed = 0, Hashed(file)
    with file_refused(path):
        writer = csv.writer(hashed)
        writer.writerow(_COLUMNS)
        for person in reading.exempt(tx):
            writer.writerow(map(unlike_formula, _cells(person)))
            rows += 1
        file.flush()
    return Written(Standing.EXEMPT, None, _CSV, rows, hashed.hexdigest)


def _cells(person: Person) -> tuple[str, ...]:
    known = person.evidence
    return (person.address.mailbox, *(str(getattr(known, name) or "") for name in _COLUMNS[1:]))
