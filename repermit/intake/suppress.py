"""Takes in who must never be mailed."""

from __future__ import annotations

from dataclasses import dataclass, field

from repermit.domain.address import Address, parse
from repermit.errors import AddressRejected
from repermit.intake.evidence import Defaults, evidence_of
from repermit.intake.readers import ListFile
from repermit.ledger.engine import Ledger
from repermit.ledger.store import suppression

_CHUNK_ROWS = 500


@dataclass
class SuppressedList:
    """What became of a suppression list: newly suppressed, known before, recipients moved to
    opted_out, rows that the list itself says did not opt out, lines that hold no address."""

    added: int = 0
    known: int = 0
    moved: int = 0
    leaving: int = 0  # of those moved: their mail was on its way
    passed_over: int = 0
    rejected: list[int] = field(default_factory=list)


async def suppress_list(ledger: Ledger, source: ListFile, *, reason: str) -> SuppressedList:
    """Suppress every address of *source*, or, where it has a column of opt-outs, those only.

    Crash: those of the parts that are done stay suppressed; run it again.
    """
    done, chunk = SuppressedList(), list[Address]()
    says_who = "opted_out" in source.columns.index
    for row in source.rows():
        if says_who and not evidence_of(row.cells, Defaults()).opted_out:
            done.passed_over += 1
            continue
        try:
            chunk.append(parse(row.cells["email"]))
        except AddressRejected:
            done.rejected.append(row.line)
        if len(chunk) >= _CHUNK_ROWS:
            await _suppress(ledger, chunk, reason, done)
            chunk = []
    await _suppress(ledger, chunk, reason, done)
    return done


async def _suppress(
    ledger: Ledger, chunk: list[Address], reason: str, done: SuppressedList
) -> None:
    part = await ledger.write(suppression.suppress, chunk, source="list", reason=reason)
    done.added += part.added
    done.known += len(chunk) - part.added
    done.moved += part.moved
    done.leaving += part.leaving
