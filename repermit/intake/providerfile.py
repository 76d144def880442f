"""Reads what a provider's export says of addresses, and settles it.

Only what is plainly said counts: a dead address, a complaint, an unsubscribe. Everything else is
counted; nobody is ever opted in by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from repermit.domain.address import Address, holds_at, parse
from repermit.errors import AddressRejected, ListUnreadable
from repermit.intake.cells import is_nothing, text_of
from repermit.intake.events import SETTLED, Event, event_of, of_flag, of_reason
from repermit.intake.exports import LONGEST_SHOWN, Export
from repermit.intake.listfile import Row
from repermit.intake.withdraw import Seen
from repermit.ledger.engine import Ledger
from repermit.ledger.store import providerfile, suppression

_CHUNK_ROWS = 300  # about 35 ms when all of them are recipients, so that no answer waits
_MOST_VALUES = 1_000  # different ones that are counted
_LINES_NAMED = 20
_ORDER = tuple(Event)


@dataclass
class Said:
    """What an export says: how many rows say what (without those that are rejected), how many
    different addresses of those that count, and the words that nobody knows."""

    rows: Counter[str] = field(default_factory=Counter)
    addresses: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    silent: int = 0  # rows that say nothing at all
    rejected: int = 0  # rows that hold no address
    lines: list[int] = field(default_factory=list)  # of the first rejected

    def add(self, other: Said) -> None:
        """Count what another export says, too."""
        self.rows += other.rows
        self.addresses += other.addresses
        self.unknown += other.unknown
        self.silent += other.silent
        self.rejected += other.rejected
        self.lines += other.lines


@dataclass
class Settled:
    """What became of it: where those stood who are dead, or wanted to stop, `undeliverable` and
    `opted_out` how many moved, `suppressed` how many addresses newly are."""

    undeliverable: int = 0
    opted_out: int = 0
    suppressed: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)

    def stop(self, found: suppression.Suppressed) -> None:
        """Count those who were opted out."""
        self.opted_out += found.moved
        self.suppressed += found.added
        self.stopped += found.stood


def heard(export: Export) -> Said:
    """Return what *export* says; changes nothing.

    Raises: ListUnreadable when it says nothing that is known.
    """
    said = Said()
    for _ in _parts(export, said):
        pass
    if not said.rows:
        words = ", ".join(repr(word) for word, _ in said.unknown.most_common(5))
        what = f"says only {words}, which nobody knows" if words else "says nothing of any address"
        raise ListUnreadable(
            f"{export.source.name}: {what}",
            hint="name the column that says what happened with --map event=COLUMN",
        )
    return said


async def settle(ledger: Ledger, export: Export) -> Settled:
    """Settle what *export* says, and return what was done.

    Crash: those of the parts that are done stay so; run it again.
    """
    done = Settled()
    for part in _parts(export, Said()):
        if complained := part[Event.COMPLAINT]:
            done.stop(await ledger.write(providerfile.complain, complained))
        if left := part[Event.UNSUBSCRIBE]:
            found = await ledger.write(suppression.suppress, left, source="elsewhere", reason="")
            done.stop(found)
        if dead := part[Event.HARD]:
            bounced = await ledger.write(providerfile.bounce, dead)
            done.undeliverable += bounced.moved
            done.dead += bounced.stood
    return done


def _parts(export: Export, said: Said) -> Iterator[dict[Event, list[Address]]]:
    """Yield the addresses by what is said of them, each once, in parts, and count all rows."""
    seen, part, size = Seen(), _nobody(), 0
    for row, event in _events(export, said):
        if event not in SETTLED:
            continue
        try:
            address = parse(row.address)
        except AddressRejected:
            said.rows[event] -= 1
            said.rejected += 1
            said.lines += [row.line] if said.rejected <= _LINES_NAMED else []
            continue
        if not seen.is_new(f"{event} {address.canonical}"):
            continue
        said.addresses[event] += 1
        part[event].append(address)
        size += 1
        if size >= _CHUNK_ROWS:
            yield part
            part, size = _nobody(), 0
    if size:
        yield part


def _nobody() -> dict[Event, list[Address]]:
    return {event: [] for event in SETTLED}


def _events(export: Export, said: Said) -> Iterator[tuple[Row, Event]]:
    """Yield each row that says something that is known, and what; count the others."""
    fields = tuple((f"cell {at}", at) for at in export.places)
    source = replace(export.source, columns=replace(export.source.columns, fields=fields))
    for row in source.rows():
        event = export.whole or _event_of(export, row.said)
        if event is None:
            _count_unknown(export, row.said, said)
            continue
        said.rows[event] += 1
        yield row, event


def _event_of(export: Export, cells: Sequence[str]) -> Event | None:
    """Return what a row says, of several things what counts most; None for nothing."""
    words, reasons = len(export.events), len(export.events) + len(export.reasons)
    found = {
        event_of(cell, name) for cell, (_, name) in zip(cells, export.events, strict=False)
    } | {of_reason(cell) for cell in cells[words:reasons]}
    if export.bounce_is_hard and Event.UNCLEAR in found:
        found.add(Event.HARD)
    for cell, (_, says) in zip(cells[reasons:], export.flags, strict=True):
        found.add(of_flag(cell, says))
    return min((each for each in found if each), key=_ORDER.index, default=None)


def _count_unknown(export: Export, cells: Sequence[str], said: Said) -> None:
    """Count a row that says nothing that is known, by its first word."""
    words = (cell for cell in cells[: len(export.events)] if not is_nothing(cell))
    word = next(words, None)
    if word is None:
        said.silent += 1
        return
    plain = len(word) <= LONGEST_SHOWN and not holds_at(word)
    shown = (text_of(word) if plain else None) or "…"
    said.unknown[shown if len(said.unknown) < _MOST_VALUES or shown in said.unknown else "…"] += 1
