"""Takes in who must never be mailed: a list of addresses, or of keyed hashes."""

from __future__ import annotations

from dataclasses import dataclass, field

from repermit.domain.address import Address, parse
from repermit.errors import AddressRejected, ListUnreadable
from repermit.intake.evidence import is_on_stop_list
from repermit.intake.hashes import HashList
from repermit.intake.listfile import ListFile
from repermit.intake.undo import alone
from repermit.ledger import foreign
from repermit.ledger.engine import Ledger
from repermit.ledger.store import campaign, suppression

_CHUNK_ROWS = 300  # about 35 ms when all of them are recipients, so that no answer waits
_CHUNK_HASHES = 1000
_SLICE_ROWS = 300
_LINES_NAMED = 20


@dataclass
class SuppressedList:
    """What became of a suppression list: newly suppressed, known before, recipients moved to
    opted_out, rows that the list itself says did not opt out, rows that hold no address."""

    added: int = 0
    known: int = 0
    moved: int = 0
    leaving: int = 0  # of those moved: their mail was on its way
    passed_over: int = 0
    rejected: int = 0
    lines: list[int] = field(default_factory=list)  # of the first rejected
    new_keys: int = 0  # of other campaigns, which the key folder holds from now on
    statement_fell: bool = False  # that nobody ever opted out

    @property
    def lines_named(self) -> str:
        """Return the numbers of the rejected lines, as far as they were kept."""
        return ", ".join(map(str, self.lines)) + (" ..." if self.rejected > len(self.lines) else "")


async def suppress_list(ledger: Ledger, source: ListFile, *, reason: str) -> SuppressedList:
    """Suppress every address of *source*, or, where a column says who opted out, those only.

    Raises: ListUnreadable when it holds nobody at all.
    Crash: those of the parts that are done stay suppressed; run it again.
    """
    done, chunk = SuppressedList(), list[Address]()
    stated = await _is_stated(ledger)
    for row in source.rows():
        if not is_on_stop_list(source.fields, row.said):
            done.passed_over += 1
            continue
        try:
            chunk.append(parse(row.address))
        except AddressRejected:
            done.rejected += 1
            done.lines += [row.line] if done.rejected <= _LINES_NAMED else []
        if len(chunk) >= _CHUNK_ROWS:
            await _suppress(ledger, chunk, reason, done)
            chunk = []
    await _suppress(ledger, chunk, reason, done)
    await _finish(ledger, source.name, reason, done, stated=stated)
    return done


async def suppress_hashes(ledger: Ledger, source: HashList, *, reason: str) -> SuppressedList:
    """Suppress everyone whose keyed hash is in *source*, in this campaign and from now on.

    The keys are kept first; then the hashes; then whoever is in the ledger already is looked for
    by opening every row, and moved. No import may run meanwhile.
    Raises: ListUnreadable when it holds nobody at all; KeysUnusable; LedgerUnusable.
    Crash: what is done stays; run it again.
    """
    done, stated = SuppressedList(), await _is_stated(ledger)
    with alone(ledger):
        if source.count:
            done.new_keys = foreign.add(ledger.vault.keys.folder, source.keys)
        for chunk in source.chunks(_CHUNK_HASHES):
            done.added += await ledger.write(
                suppression.suppress_hashes, chunk, source="list", reason=reason
            )
        done.known = source.count - done.added
        await _move_recipients(ledger, reason, done)
        await _finish(ledger, source.name, reason, done, stated=stated)
    return done


async def _suppress(
    ledger: Ledger, chunk: list[Address], reason: str, done: SuppressedList
) -> None:
    part = await ledger.write(suppression.suppress, chunk, source="list", reason=reason)
    done.added += part.added
    done.known += len(chunk) - part.added
    done.moved += part.moved
    done.leaving += part.leaving


async def _move_recipients(ledger: Ledger, reason: str, done: SuppressedList) -> None:
    """Opt out every recipient whose keyed hash is on the suppression list."""
    last = 0
    while True:
        last, found = await ledger.read(
            suppression.suppressed_recipients, after_id=last, slice_rows=_SLICE_ROWS
        )
        if found:
            part = await ledger.write(suppression.suppress, found, source="list", reason=reason)
            done.moved += part.moved
            done.leaving += part.leaving
        if not last:
            return


async def _finish(
    ledger: Ledger, name: str, reason: str, done: SuppressedList, *, stated: bool
) -> None:
    """Let the list count as an answer to who opted out before."""
    addresses = done.added + done.known
    if not addresses and done.passed_over:
        raise ListUnreadable(
            f"{name}: says of nobody that they stopped ({done.passed_over:,} rows say the opposite,"
            " or nothing)",
            hint="if everybody on it stopped, take that column out of the list",
        )
    if not addresses:
        where = f": lines {done.lines_named}" if done.rejected else ""
        raise ListUnreadable(
            f"{name}: holds no address that could be suppressed{where}",
            hint="check that it is the right file; if nobody ever opted out, say so with "
            "`repermit suppress --none`",
        )
    done.statement_fell = stated and addresses > 0
    await ledger.write(campaign.note_stop_list, addresses=addresses, reason=reason)


async def _is_stated(ledger: Ledger) -> bool:
    return (await ledger.read(campaign.earlier_opt_outs)).statement is not None
