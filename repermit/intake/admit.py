"""Takes a list in: reads, judges and screens each row, and admits it in small transactions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from repermit.domain.address import Address, parse
from repermit.domain.policy import Rules, decide
from repermit.errors import AddressRejected, LedgerUnusable
from repermit.intake.evidence import Defaults, evidence_of
from repermit.intake.readers import ListFile, Row
from repermit.ledger.engine import Ledger
from repermit.ledger.locks import Lock
from repermit.ledger.store import admission, suppression
from repermit.ledger.store.admission import Newcomer, Tally
from repermit.ledger.store.personal import Person

_CHUNK_ROWS = 400  # about 30 ms, so that no answer waits

Reject = Callable[[int, str, str], None]  # line, reason, the cell of the address


@dataclass(frozen=True)
class Terms:
    """What was said of the whole list, and by what rules it is screened."""

    defaults: Defaults
    rules: Rules
    today: date  # in the campaign's zone
    note: str = ""  # evidence for the whole list, in the operator's words


@dataclass
class Imported:
    """What became of a list. `unread` counts the cells that could not be understood, by field."""

    id: int
    tally: Tally = field(default_factory=Tally)
    unread: Counter[str] = field(default_factory=Counter)
    stopped: bool = False


@dataclass
class _Chunk:
    newcomers: list[Newcomer] = field(default_factory=list)
    opted_out: list[Address] = field(default_factory=list)


async def admit_list(
    ledger: Ledger,
    source: ListFile,
    terms: Terms,
    *,
    reject: Reject,
    stop: asyncio.Event,
    progress: Callable[[Tally], None],
) -> Imported:
    """Take *source* in and return what became of each of its rows.

    Raises: LedgerUnusable when another import runs, or this ledger is an older copy;
    ListUnreadable; what was admitted by then is taken back first, as it is when *stop* was set
    (`stopped`).
    Crash: the next import first takes back what this one admitted, so that nothing is half done.
    """
    lock = Lock(ledger.path, "import")
    if not lock.acquire():
        raise LedgerUnusable("another import is running", hint="wait until it is done")
    try:
        await _refuse_older_copy(ledger)
        await take_back_unfinished(ledger)
        imported = Imported(await ledger.write(admission.begin_intake, source.sha256))
        await _admit_rows(ledger, source, terms, imported, reject, stop, progress)
        return imported
    finally:
        try:
            await take_back_unfinished(ledger)
        finally:
            lock.release()


async def _admit_rows(
    ledger: Ledger,
    source: ListFile,
    terms: Terms,
    imported: Imported,
    reject: Reject,
    stop: asyncio.Event,
    progress: Callable[[Tally], None],
) -> None:
    chunk = _Chunk()
    for row in source.rows():
        _judge(row, terms, chunk, imported, reject)
        if len(chunk.newcomers) >= _CHUNK_ROWS:
            imported.tally.add(await _admit_chunk(ledger, imported.id, chunk))
            progress(imported.tally)
            chunk = _Chunk()
            if stop.is_set():
                imported.stopped = True
                return
    imported.tally.add(await _admit_chunk(ledger, imported.id, chunk))
    facts = {"sha256": source.sha256, "terms": _told(terms)}
    await ledger.write(admission.finish_intake, imported.id, imported.tally, facts)


def _judge(row: Row, terms: Terms, chunk: _Chunk, imported: Imported, reject: Reject) -> None:
    """Put one row where it belongs: to admit, to suppress, or rejected."""
    cell = row.cells["email"]
    try:
        address = parse(cell)
    except AddressRejected as failure:
        imported.tally.read += 1
        imported.tally.rejected += 1
        imported.tally.reasons[failure.reason] += 1
        reject(row.line, failure.reason, cell)
        return
    known = evidence_of(row.cells, terms.defaults)
    imported.unread.update(known.unread)
    if known.opted_out:
        chunk.opted_out.append(address)
        return
    decision = decide(known.evidence, terms.rules, today=terms.today)
    person = Person(address=address, evidence=known.evidence)
    chunk.newcomers.append(Newcomer(person, known.language, decision))


async def _admit_chunk(ledger: Ledger, intake_id: int, chunk: _Chunk) -> Tally:
    tally = Tally(read=len(chunk.opted_out), suppressed=len(chunk.opted_out))
    if chunk.opted_out:
        await ledger.write(
            suppression.suppress, chunk.opted_out, source="list", reason="opted out in the list"
        )
    tally.add(await ledger.write(admission.admit, intake_id, chunk.newcomers))
    return tally


async def _refuse_older_copy(ledger: Ledger) -> None:
    """People whom a newer copy knows would be asked again, and ids be given twice."""
    if await ledger.read(ledger.older_copy):
        raise LedgerUnusable(
            "this ledger is an older copy that was put back",
            hint="run `repermit doubt restored` first",
        )


async def take_back_unfinished(ledger: Ledger) -> None:
    """Undo what an import admitted that did not come to its end."""
    for intake_id in await ledger.read(admission.unfinished_intakes):
        while await ledger.write(admission.take_back, intake_id, slice_rows=_CHUNK_ROWS):
            pass


def _told(terms: Terms) -> dict[str, Any]:
    """Return what the operator said of the whole list, for the log."""
    said = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in vars(terms.defaults).items()
        if value
    }
    return {**said, "evidence": terms.note} if terms.note else said


def total(imports: Sequence[Imported]) -> dict[str, Any]:
    """Return the figures of several imports as one: read = admitted + duplicates + rejected +
    suppressed, admitted = listed + withheld + exempt."""
    whole = Tally()
    for imported in imports:
        whole.add(imported.tally)
    return {
        "id": imports[-1].id,
        "read": whole.read,
        "admitted": whole.admitted,
        "duplicates": whole.duplicates,
        "rejected": whole.rejected,
        "suppressed": whole.suppressed,
        **{name: whole.standings[name] for name in ("listed", "withheld", "exempt")},
        "reasons": {str(reason): count for reason, count in whole.reasons.items()},
    }
