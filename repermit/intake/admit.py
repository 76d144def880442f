"""Takes a list in: reads, judges and screens each row, then admits in small transactions.

Nothing is admitted before the whole list has been read, so that a list that turns out unreadable
leaves nothing behind; only opt-outs are kept at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from repermit.domain.address import Address, parse
from repermit.domain.policy import Rules, decide
from repermit.domain.provider import provider_of
from repermit.errors import AddressRejected
from repermit.intake.cells import tells_to_stop
from repermit.intake.evidence import Defaults, Known, evidence_of, month_first
from repermit.intake.listfile import ListFile
from repermit.intake.spool import Spool
from repermit.intake.suggest import Suggester
from repermit.intake.undo import alone, refuse_older_copy, take_back_unfinished
from repermit.ledger.engine import Ledger
from repermit.ledger.store import admission, suppression
from repermit.ledger.store.admission import Screened, Tally

_READ_AT_ONCE = 2000  # rows between two looks at the flag that stops an import
_ADMIT_AT_ONCE = 1500  # about 30 ms in the ledger, so that no answer waits
_SLICE_ROWS = 400  # opt-outs in one transaction
_MOST_JUDGED = 50_000  # different rows of evidence that are remembered
_SAMPLE_ROWS = 1000  # that say in which order dates are written


@dataclass(frozen=True)
class Terms:
    """What was said of the whole list, and by what rules it is screened.

    `meanings` are relationships for the values of the relationship column, `dead` the domains
    that take no mail, with the reason.
    """

    defaults: Defaults
    rules: Rules
    today: date  # in the campaign's zone
    note: str = ""  # evidence for the whole list, in the operator's words
    meanings: Mapping[str, str] = field(default_factory=dict)
    dead: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Notes:
    """Where an import notes rows, by line and cell of the address: those it rejects, with the
    reason, and those it has a suggestion for, with its kind and text."""

    reject: Callable[[int, str, str], None]
    suggest: Callable[[int, str, str, str], None]


@dataclass
class Imported:
    """What became of a list. `unread` counts the cells that could not be understood and `stops`
    the opt-outs, both by field; `suggested` counts suggestions by kind, `endings` those about a
    country by their text."""

    id: int
    tally: Tally = field(default_factory=Tally)
    unread: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    suggested: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    month_first: frozenset[str] = frozenset()
    stopped: bool = False


@dataclass(frozen=True)
class _Judged:
    """What is the same for all rows of the same evidence."""

    known: Known
    screened: Screened


async def admit_list(
    ledger: Ledger,
    source: ListFile,
    terms: Terms,
    *,
    notes: Notes,
    stop: asyncio.Event,
    progress: Callable[[Tally], None],
) -> Imported:
    """Take *source* in and return what became of each of its rows.

    Raises: LedgerUnusable when another import runs, or this ledger is an older copy;
    ListUnreadable; what was admitted by then is taken back first, as it is when *stop* was set
    (`stopped`).
    Crash: the next import first takes back what this one admitted, so that nothing is half done.
    """
    with alone(ledger):
        await refuse_older_copy(ledger)
        await take_back_unfinished(ledger)
        intake_id, generation = await ledger.write(admission.begin_intake, source.sha256)
        try:
            with Spool() as spool:
                intake = _Intake(ledger, source, terms, notes, Imported(intake_id), generation)
                await intake.read(spool, stop, progress)
                await intake.admit(spool, stop, progress)
            return intake.imported
        finally:
            await take_back_unfinished(ledger, only=intake_id)


class _Intake:
    """One list on its way in."""

    def __init__(
        self,
        ledger: Ledger,
        source: ListFile,
        terms: Terms,
        notes: Notes,
        imported: Imported,
        generation: int,
    ) -> None:
        self.ledger, self.source, self.terms, self.notes = ledger, source, terms, notes
        self.imported, self.generation = imported, generation
        sample = [row.said for row in source.first(_SAMPLE_ROWS)]
        imported.month_first = month_first(source.fields, sample)
        self._judged: dict[tuple[str, ...], _Judged] = {}
        self._suggester = Suggester()
        self._keys = ledger.vault.suppression_keys()
        self._opted_out: list[Address] = []

    async def read(
        self, spool: Spool, stop: asyncio.Event, progress: Callable[[Tally], None]
    ) -> None:
        """Judge every row: rejected, opted out (suppressed at once), or into *spool*."""
        rows = self.source.rows()
        while not stop.is_set():
            before = self.imported.tally.read
            for row in islice(rows, _READ_AT_ONCE):
                self._judge(row.line, row.address, row.said, spool)
            await self._suppress()
            progress(self.imported.tally)
            await asyncio.sleep(0)
            if self.imported.tally.read == before:
                return
        self.imported.stopped = True

    async def admit(
        self, spool: Spool, stop: asyncio.Event, progress: Callable[[Tally], None]
    ) -> None:
        """Admit what is in *spool*, and make the import count."""
        if self.imported.stopped:
            return
        tally, waiting = self.imported.tally, spool.newcomers()
        while newcomers := list(islice(waiting, _ADMIT_AT_ONCE)):
            if stop.is_set():
                self.imported.stopped = True
                return
            tally.add(
                await self.ledger.write(
                    admission.admit, self.imported.id, newcomers, generation=self.generation
                )
            )
            progress(tally)
        tally.duplicates += spool.duplicates
        tally.richer += spool.richer
        tally.differing += spool.differing
        facts = {"sha256": self.source.sha256, "terms": _told(self.terms)}
        await self.ledger.write(admission.finish_intake, self.imported.id, tally, facts)

    def _judge(self, line: int, cell: str, said: tuple[str, ...], spool: Spool) -> None:
        imported = self.imported
        imported.tally.read += 1
        try:
            address = parse(cell)
        except AddressRejected as failure:
            self._reject(line, failure.reason, cell)
            return
        judged = self._judged.get(said) or self._judge_evidence(said)
        known = judged.known
        if known.unread:
            imported.unread.update(known.unread)
        if stop := known.stop or _stop_beside(cell, address):
            imported.stops[stop] += 1
            imported.tally.suppressed += 1
            self._opted_out.append(address)
            return
        if self.terms.dead and (why := self.terms.dead.get(address.domain)):
            self._reject(line, why, cell)
            return
        evidence, vault = known.evidence, self.ledger.vault
        for suggestion in self._suggester.of(
            address, country=evidence.country, relationship=evidence.relationship
        ):
            self._note(line, cell, suggestion.kind, suggestion.text)
        lookup = vault.lookup(address.canonical, generation=self.generation)
        text = address.canonical.encode()
        hashes = tuple([vault.mac(key, text) for key in self._keys])
        provider = provider_of(address.domain)
        spool.put((lookup, hashes, address.mailbox, provider, *judged.screened), lookup[0])

    def _reject(self, line: int, why: str, cell: str) -> None:
        self.imported.tally.rejected += 1
        self.imported.tally.reasons[why] += 1
        self.notes.reject(line, why, cell)

    def _judge_evidence(self, said: tuple[str, ...]) -> _Judged:
        known = evidence_of(
            self.source.fields,
            said,
            self.terms.defaults,
            meanings=self.terms.meanings,
            month_first=self.imported.month_first,
        )
        evidence = known.evidence
        decision = decide(evidence, self.terms.rules, today=self.terms.today)
        screened = Screened.of(evidence, known.language, decision)
        if len(self._judged) >= _MOST_JUDGED:
            self._judged.clear()
        self._judged[said] = _Judged(known, screened)
        return self._judged[said]

    def _note(self, line: int, cell: str, kind: str, text: str) -> None:
        self.imported.suggested[kind] += 1
        if kind == "ending":
            self.imported.endings[text] += 1
        self.notes.suggest(line, kind, text, cell)

    async def _suppress(self) -> None:
        """Suppress who opted out in the list; that stays, also when the import does not."""
        waiting, self._opted_out = self._opted_out, []
        for start in range(0, len(waiting), _SLICE_ROWS):
            await self.ledger.write(
                suppression.suppress,
                waiting[start : start + _SLICE_ROWS],
                source="import",
                reason="opted out in the list",
            )


def _stop_beside(cell: str, address: Address) -> str | None:
    """Return "address" when what stands beside an address in its cell says that its owner left."""
    if len(cell) == len(address.mailbox):
        return None
    return "address" if tells_to_stop(cell.replace(address.mailbox, " ")) else None


def _told(terms: Terms) -> dict[str, Any]:
    """Return what the operator said of the whole list, for the log."""
    said = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in vars(terms.defaults).items()
        if value
    }
    more = {"evidence": terms.note, "meanings": dict(terms.meanings)}
    return {**said, **{name: value for name, value in more.items() if value}}


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
        "ids": [imported.id for imported in imports],
        "richer": whole.richer,
        "differing": whole.differing,
    }
