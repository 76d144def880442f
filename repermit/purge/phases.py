"""The phases of a purge that has begun, each of which may be done again from its beginning."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from repermit.domain.clock import iso
from repermit.domain.count import counted
from repermit.errors import KeysUnusable, LedgerUnusable, ProofBroken
from repermit.ledger import copying, keys
from repermit.ledger.database import Held
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing, keycopies, lapsing, moved, written
from repermit.ledger.store.due import Terms
from repermit.ledger.store.manifest import manifest_of, still_there
from repermit.ledger.store.origin import forget_origins
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction
from repermit.ledger.verify import Verified
from repermit.purge.plan import Order, Purged, Watch
from repermit.purge.report import SERVER, Sign, report
from repermit.purge.scan import scan

PHASES: Final = (*("erase", "reseal", "verify", "backup", "destroy", "clean", "report"),)
BEFORE_BACKUP: Final = PHASES[: PHASES.index("backup") + 1]  # or within it
_CODES = 2_000  # that lapse at once
_PAGES = 500  # given back at once, to begin with
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Slices:
    """How many rows are written at once: `first`, and then so many as take `seconds`, between
    `least` and `most`; so no answer waits for long, however slow the machine is."""

    first: int = 500
    least: int = 100
    most: int = 10_000
    seconds: float = 0.04


@dataclass(frozen=True)
class Phases:
    """One purge, and what its phases need."""

    ledger: Ledger
    current: Purge
    order: Order
    sign: Sign
    tell: Tell
    slices: Slices
    watch: Watch
    lock: Held  # of whoever purges

    async def finish(self, done: Purged) -> Purged:
        """Do the phases that are left, and note in *done* what was done.

        Raises: LedgerUnusable when another may go on with this purge meanwhile.
        """
        done.number, done.destroyed = self._id, self.current.generation
        done.due, done.by_reason = self.current.due, json.loads(self.current.by_reason)
        for phase in PHASES[PHASES.index(await self._next()) :]:
            self._require_alone()
            if not await self.ledger.write(erasing.set_phase, self._id, phase):
                raise _not_ours()  # it was finished while the lock was lost, which is ours again
            await self._do(phase)
        done.report = await self._report()
        done.purged, done.backup = done.report["purged"], done.report["backup"]
        done.lapsed, done.traced = done.report["lapsed"], traced(done.report)
        return done

    @property
    def _id(self) -> int:
        return self.current.id or 0

    def _require_alone(self) -> None:
        if not self.lock.is_held:
            raise _not_ours()

    async def _next(self) -> str:
        """Return the phase to go on with: the one on record, or an earlier one where what is there
        contradicts it."""
        phase, number = self.current.phase, self.current.generation
        if phase not in PHASES:
            return PHASES[0]
        back = await self.ledger.read(
            moved.contradicted, phase, generation=number, manifest=self.current.manifest
        )
        if back is None and phase == "destroy":
            try:
                await self._require_moved_backup()
            except LedgerUnusable:
                return "verify"
        return back or phase

    async def _require_moved_backup(self) -> None:
        await asyncio.to_thread(
            moved.require_moved_backup,
            *(copying.place(self.ledger.path), self.ledger.vault.keys, self.current.generation),
        )

    async def _do(self, phase: str) -> None:
        match phase:
            case "erase":
                await self._erase()
            case "reseal":
                await self._reseal()
            case "verify":
                await self._verify()
            case "backup":
                await self._backup()
            case "destroy":
                await self._destroy()
            case "clean":
                await self._clean()

    async def _erase(self) -> None:
        self.tell(f"erasing {counted(self.current.due, 'recipient')} for good, with their keys")
        manifest = await self.ledger.read(manifest_of, self.current)

        def part(tx: Transaction, rows: int) -> int:
            return erasing.erase_due(tx, self.current, slice_rows=rows, manifest=manifest)

        await self._in_slices(part)
        while left := await self.ledger.read(erasing.first_left, self.current, manifest):
            await self.ledger.write(erasing.go_back_to, self._id, left)
            await self._in_slices(part)
        await lapse(self.ledger, Terms.from_json(self.current.terms), purge=self._id)

    async def _reseal(self) -> None:
        self.tell("sealing those who remain under new keys")
        following, burn = self.current.generation + 1, self.ledger.vault.keys.burn
        is_unused = not await self.ledger.read(moved.is_used, following)
        if not is_unused and not (burn / f"{following}.key").exists():
            raise KeysUnusable(  # another key in its place would open nobody who has that one
                f"the new keys of this purge, burn/{following}.key, are not in this key folder,"
                " and people are sealed under them already",
                hint="run `repermit purge` on the machine where it began, or copy that file from"
                " there; nothing was destroyed",
            )
        keys.create_generation(burn, following, is_unused=is_unused)
        await self._in_slices(lambda tx, rows: erasing.forget_other_lists(tx, slice_rows=rows))
        await self._in_slices(lambda tx, rows: forget_origins(tx, slice_rows=rows))
        await self.ledger.write(erasing.begin_generation, following)
        await self._in_slices(lambda tx, rows: erasing.reseal_slice(tx, slice_rows=rows))

    async def _verify(self) -> None:
        self.tell("verifying the log")
        require_proof(await self.ledger.verified())

    async def _backup(self) -> None:
        self.tell("taking a fresh backup")
        today = self.ledger.clock.now().date()
        path = await asyncio.to_thread(copying.backup, self.ledger.database)
        names = [path.name]
        if self.order.backup_to:
            copied = await asyncio.to_thread(copying.backup_to, path, self.order.backup_to, today)
            names.append(copied.name)
        await self.ledger.write(erasing.note_facts, self._id, {"backup": ", ".join(names)})

    async def _destroy(self) -> None:
        self.tell("destroying the old keys")
        burn, number = self.ledger.vault.keys.burn, self.current.generation
        await self.ledger.read(moved.require_moved, self.ledger.vault.keys, number)
        await self._require_moved_backup()
        keys.destroy_generation(burn, number)
        keys.note_destroyed(burn, number, iso(self.ledger.clock.now()) or "")
        self.ledger.vault.forget(number)
        await destroy_key_copies(self.ledger)
        await self.ledger.write(erasing.log_resealed, destroyed=number)

    async def _clean(self) -> None:
        self.tell("giving the space back")
        await self._in_slices(
            lambda tx, rows: self.ledger.database.give_back(tx.connection, rows), first=_PAGES
        )
        await self.ledger.checkpoint()

    async def _report(self) -> dict[str, Any]:
        self.tell("looking for traces")
        scanned = await self._scanned()
        while rows := await self.ledger.read(lapsing.never_asked, limit=_CODES):
            await self.ledger.write(lapsing.forget_never_asked, rows)
        traces = await self.ledger.read(erasing.traces, self.current)
        saved = await self.ledger.read(still_there, self.current)
        fate = await destroy_key_copies(self.ledger)
        for line in told_of_key_copies(fate):
            self.tell(line)
        return await self.ledger.write(self._finished, scanned, fate, traces, saved)

    async def _scanned(self) -> Mapping[str, Any]:
        """Return what was found, kept before what it is found by goes: also by a purge that was
        killed then."""
        current = await self.ledger.read(erasing.unfinished_purge)
        assert current is not None  # noqa: S101 - the lock of the purge is ours
        found: Mapping[str, Any] | None = json.loads(current.facts).get("scan")
        if found is None:
            found = asdict(await scan(self.ledger, self.watch.own, self.watch.beside))
            await self.ledger.write(erasing.note_facts, self._id, {"scan": found})
        return found

    @property
    def _watch(self) -> Watch:
        """Return what no purge reaches here, with what a server keeps."""
        if not self.ledger.database.is_shared:
            return self.watch
        return replace(self.watch, beyond=(SERVER, *self.watch.beyond))

    def _finished(
        self,
        tx: Transaction,
        scanned: Mapping[str, Any],
        fate: keycopies.Fate,
        traces: int,
        saved: int,
    ) -> dict[str, Any]:
        current = erasing.unfinished_purge(tx)
        assert current is not None  # noqa: S101 - the lock of the purge is ours
        content = report(
            *(tx, current, scanned, fate),
            traces=traces,
            saved=saved,
            watch=self._watch,
            sign=self.sign,
        )
        keycopies.forget(tx, fate)
        erasing.finish_purge(tx, self._id, content)
        return content

    async def _in_slices(
        self, part: Callable[[Transaction, int], int], *, first: int | None = None
    ) -> None:
        """Write *part* again and again until it has nothing to do, so many rows at a time that
        each takes as long as a slice may; whoever waits meanwhile goes first."""
        rows, limits = first or self.slices.first, self.slices
        while True:
            self._require_alone()
            rows = max(limits.least, min(limits.most, rows))
            await self.ledger.give_way()
            found, seconds = await self.ledger.write(_timed, part, rows)
            if not found:
                return
            rows = int(rows * min(limits.seconds / max(seconds, 0.001), 2.0))


async def lapse(ledger: Ledger, terms: Terms, *, purge: int | None = None) -> int:
    """Forget by *terms* who was asked so long ago that they may be asked again; return how many.

    Crash: the next purge forgets the rest.
    """
    gone = 0
    while rows := await ledger.read(lapsing.lapsing, terms, limit=_CODES):
        await ledger.give_way()
        gone += await ledger.write(lapsing.lapse, terms, rows, purge=purge)
    return gone


async def destroy_key_copies(ledger: Ledger) -> keycopies.Fate:
    """Destroy every copy of a destroyed generation beside a backup, and return what became of
    them; they stay on the list until `keycopies.forget`."""
    noted = await ledger.read(written.key_copies)
    return await asyncio.to_thread(keycopies.destroy, noted, ledger.vault.keys)


def told_of_key_copies(fate: keycopies.Fate) -> list[str]:
    """Return what a person is told of it."""
    told = []
    if fate.gone:
        told.append(f"copies of the keys beside backups, destroyed: {len(fate.gone)}")
        told.append("  the backups from before yield nobody now: take one with `repermit backup`")
    if fate.out_of_reach:
        told.append(f"copies of the keys beside backups, out of reach: {len(fate.out_of_reach)}")
        told += [f"  {name}" for name in fate.out_of_reach]
        told.append("  mount their disk and run `repermit purge` again, or destroy them by hand")
    return told


def traced(report: Mapping[str, Any]) -> dict[str, int]:
    """Return how many people who are gone each file still tells of, by its name; "ledger" is what
    stands there under keys that are gone."""
    found = dict(report["scan"]["traces"])
    return {**found, "ledger": report["scan"]["ledger"]} if report["scan"]["ledger"] else found


def _not_ours() -> LedgerUnusable:
    return LedgerUnusable(
        "the database was away for a moment, and another process may go on with this purge",
        hint="run `repermit purge` again: it finishes what is left",
    )


def _timed(
    tx: Transaction, part: Callable[[Transaction, int], int], rows: int
) -> tuple[int, float]:
    started = time.monotonic()
    return part(tx, rows), time.monotonic() - started


def require_proof(verified: Verified) -> None:
    """Raise ProofBroken unless *verified* holds."""
    if not verified.holds:
        faults = [*verified.false_entries, *verified.false_standings]
        raise ProofBroken(
            "the log does not verify: " + "; ".join(faults[:5]),
            hint="run `repermit proof verify`, and put back a backup; nothing more was erased",
        )
