"""Takes in who must never be mailed: a list of addresses, or of keyed hashes."""

from __future__ import annotations

from collections.abc import Iterator
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
class Heard:
    """What a list says of who must stop, but for their addresses: rows that it says did not opt
    out, rows that hold no address."""

    passed_over: int = 0
    rejected: int = 0
    lines: list[int] = field(default_factory=list)  # of the first rejected

    @property
    def lines_named(self) -> str:
        """Return the numbers of the rejected lines, as far as they were kept."""
        return ", ".join(map(str, self.lines)) + (" ..." if self.rejected > len(self.lines) else "")


@dataclass
class SuppressedList(Heard):
    """What became of a suppression list: newly suppressed, known before, recipients moved to
    opted_out."""

    added: int = 0
    known: int = 0
    moved: int = 0
    leaving: int = 0  # of those moved: their mail was on its way
    new_keys: int = 0  # of other campaigns, which the key folder holds from now on
    statement_fell: bool = False  # that nobody ever opted out


async def suppress_list(ledger: Ledger, source: ListFile, *, reason: str) -> SuppressedList:
    """Suppress every address of *source*, or, where a column says who opted out, those only.

    Raises: ListUnreadable when it holds nobody at all.
    Crash: those of the parts that are done stay suppressed; run it again.
    """
    done = SuppressedList()
    stated = await _is_stated(ledger)
    for chunk in stopping(source, done):
        await _suppress(ledger, chunk, reason, done)
    await _finish(ledger, source.name, reason, done, stated=stated)
    return done


def stopping(source: ListFile, heard: Heard) -> Iterator[list[Address]]:
    """Yield the addresses of *source* in parts, or, where a column says who opted out, of those
    only; *heard* counts the other rows."""
    chunk: list[Address] = []
    for row in source.rows():
        if not is_on_stop_list(source.fields, row.said):
            heard.passed_over += 1
            continue
        try:
            chunk.append(parse(row.address))
        except AddressRejected:
            heard.rejected += 1
            heard.lines += [row.line] if heard.rejected <= _LINES_NAMED else []
        if len(chunk) >= _CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def require_somebody(name: str, heard: Heard, addresses: int, *, hint: str) -> None:
    """Raise ListUnreadable, with *hint*, when the list *name* holds none of the *addresses*."""
    if not addresses and heard.passed_over:
        raise ListUnreadable(
            f"{name}: says of nobody that they stopped"
            f" ({heard.passed_over:,} rows say the opposite, or nothing)",
            hint="if everybody on it stopped, take that column out of the list",
        )
    if not addresses:
        where = f": lines {heard.lines_named}" if heard.rejected else ""
        raise ListUnreadable(f"{name}: holds no address that could be suppressed{where}", hint=hint)


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
    hint = "check that it is the right file; if nobody ever opted out, say so with "
    require_somebody(name, done, addresses, hint=f"{hint}`repermit suppress --none`")
    done.statement_fell = stated and addresses > 0
    await ledger.write(campaign.note_stop_list, addresses=addresses, reason=reason)


async def _is_stated(ledger: Ledger) -> bool:
    return (await ledger.read(campaign.earlier_opt_outs)).statement is not None
