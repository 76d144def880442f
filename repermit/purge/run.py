"""Erases who is due, so that it stays erased.

The order: freeze, erase in slices, seal the survivors under a new generation, verify the log,
take a fresh backup, destroy the old generation, give the space back. Each step is recorded, and a
purge that was killed goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from repermit.errors import ProofBroken, PurgeRefused
from repermit.ledger import copying, keys
from repermit.ledger.engine import Ledger
from repermit.ledger.locks import Lock, is_free
from repermit.ledger.store import erasing
from repermit.ledger.tables import Purge
from repermit.ledger.verify import Verified
from repermit.purge import guard
from repermit.purge.guard import Watch
from repermit.purge.plan import Order, Plan, Purged

_SLICE_ROWS = 500  # about 20 ms, so that no answer waits
_LOCK = "purge"
_PHASES = ("erase", "reseal", "verify", "backup", "destroy", "clean")
Tell = Callable[[str], None]
Sign = Callable[[int, bytes], str]  # size and root of the log to a signed checkpoint


async def plan(ledger: Ledger, order: Order, watch: Watch) -> Plan:
    """Return who is due now and everything that stands against a purge; changes nothing."""
    running = not is_free(ledger.path, _LOCK)
    return await guard.plan(ledger, order, watch, other_purge=running)


async def purge(ledger: Ledger, order: Order, watch: Watch, *, sign: Sign, tell: Tell) -> Purged:
    """Erase who is due by *order* and return what was done; *tell* is given one line a phase, and
    *sign* makes a checkpoint of the log.

    Raises: PurgeRefused with every reason; ProofBroken when the log does not verify after the
    erasing (the old generation is then kept); LedgerUnusable.
    Crash: the next purge finishes this one; nobody outside its manifest is erased, and the old
    generation is destroyed only after a verified backup of what remains.
    """
    lock = Lock(ledger.path, _LOCK)
    alone = lock.acquire()
    try:
        intended = await guard.plan(ledger, order, watch, other_purge=not alone)
        if intended.refused:
            raise _refused(intended)
        current = await ledger.read(erasing.unfinished_purge)
        if current is None and not intended.due:
            return Purged(owed=intended.owed, held=intended.held)
        if current is None:
            current = await ledger.write(erasing.begin_purge, order.terms, by=order.by, facts={})
        done = await _finish(ledger, current, tell)
        done.owed, done.held = intended.owed, intended.held
        return done
    finally:
        lock.release()


async def _finish(ledger: Ledger, current: Purge, tell: Tell) -> Purged:
    done = Purged(number=current.id or 0, due=current.due, by_reason=json.loads(current.by_reason))
    done.destroyed = current.generation
    purge_id = current.id or 0
    for phase in _PHASES[_PHASES.index(current.phase) :]:
        await ledger.write(erasing.set_phase, purge_id, phase)
        await _do(phase, ledger, current, done, tell)
    await ledger.write(erasing.set_phase, purge_id, "done", finished=True)
    done.purged = await ledger.read(erasing.purged_by, purge_id)
    return done


async def _do(phase: str, ledger: Ledger, current: Purge, done: Purged, tell: Tell) -> None:
    """Do one phase; each may be done again from its beginning."""
    following = current.generation + 1
    match phase:
        case "erase":
            tell(f"erasing {current.due} recipients for good, with their keys")
            while await ledger.write(erasing.erase_due, current, slice_rows=_SLICE_ROWS):
                pass
        case "reseal":
            tell("sealing those who remain under new keys")
            keys.create_generation(ledger.vault.keys.burn, following)
            await ledger.write(erasing.begin_generation, following)
            while await ledger.write(erasing.reseal_slice, slice_rows=_SLICE_ROWS):
                pass
        case "verify":
            tell("verifying the log")
            require_proof(await ledger.verified())
        case "backup":
            tell("taking a fresh backup")
            done.backup = copying.backup(ledger.path).name
        case "destroy":
            tell("destroying the old keys")
            keys.destroy_generation(ledger.vault.keys.burn, current.generation)
            ledger.vault.forget(current.generation)
            await ledger.write(erasing.log_resealed, destroyed=current.generation)
        case "clean":
            tell("giving the space back")
            while await ledger.write(erasing.give_back, pages=2_000):
                pass
            await ledger.checkpoint()
            done.traces = await ledger.read(erasing.traces, current)


def require_proof(verified: Verified) -> None:
    """Raise ProofBroken unless *verified* holds."""
    if not verified.holds:
        faults = [*verified.false_entries, *verified.false_standings]
        raise ProofBroken(
            "the log does not verify: " + "; ".join(faults[:5]),
            hint="run `repermit proof verify`, and put back a backup; nothing more was erased",
        )


def _refused(intended: Plan) -> PurgeRefused:
    reasons = [(refusal.code, refusal.text, refusal.until) for refusal in intended.refused]
    return PurgeRefused(reasons, due=intended.due, hint="see `repermit purge --dry-run`")
