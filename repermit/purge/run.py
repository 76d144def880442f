"""Erases who is due, so that it stays erased.

The order: freeze, erase in slices, seal the survivors under a new generation, verify the log,
take a fresh backup, destroy the old generation, give the space back, look for traces, report (see
`phases`). Each step is recorded, and a purge that was killed goes on where it was.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes

from repermit.domain.count import counted
from repermit.errors import LedgerUnusable, PurgeRefused
from repermit.ledger import copying
from repermit.ledger.engine import Ledger
from repermit.ledger.store import erasing, guarding, keycopies, lapsing, manifest, purges
from repermit.ledger.tables import Purge
from repermit.purge import guard
from repermit.purge.guard import Watch
from repermit.purge.phases import (
    BEFORE_BACKUP,
    Phases,
    Slices,
    Tell,
    destroy_key_copies,
    lapse,
    told_of_key_copies,
    traced,
)
from repermit.purge.plan import Order, Plan, Purged
from repermit.purge.report import Sign
from repermit.purge.scan import scan

_LOCK = "purge"
_SLICES = Slices()


async def plan(ledger: Ledger, order: Order, watch: Watch) -> Plan:
    """Return who is due now and everything that stands against a purge; changes nothing."""
    running = not ledger.database.is_free(_LOCK)
    intended = await guard.plan(ledger, order, watch, other_purge=running)
    return replace(intended, lapsing=await ledger.read(lapsing.count, order.terms))


async def purge(
    ledger: Ledger,
    order: Order,
    watch: Watch,
    *,
    sign: Sign,
    tell: Tell,
    slices: Slices = _SLICES,
) -> Purged:
    """Erase who is due by *order* and return what was done; *tell* is given one line a phase, and
    *sign* makes a checkpoint of the log. When nobody is due, codes past their date go all the same.

    Raises: PurgeRefused with every reason; ProofBroken when the log does not verify after the
    erasing (the old generation is then kept); LedgerUnusable.
    Crash: the next purge finishes this one, by its terms; nobody outside its manifest is erased,
    and the old generation is destroyed only after a verified backup of what remains.
    """
    lock = ledger.lock(_LOCK)
    alone = lock.acquire()
    try:
        intended = await guard.plan(ledger, order, watch, other_purge=not alone)
        if intended.refused:
            raise _refused(intended)
        current = await ledger.read(erasing.unfinished_purge)
        order = await _placed(ledger, order, current)
        if current is None and not intended.due:
            await destroy_what_came_back(ledger, tell)
            lapsed, found = await lapse(ledger, order.terms), await still_traced(ledger, watch)
            return Purged(owed=intended.owed, held=intended.held, lapsed=lapsed, traced=found)
        current = current or await _begun(ledger, order, intended, sign)
        done = Purged(owed=intended.owed, held=intended.held)
        return await Phases(ledger, current, order, sign, tell, slices, watch, lock).finish(done)
    finally:
        lock.release()


async def _placed(ledger: Ledger, order: Order, current: Purge | None) -> Order:
    """Return *order* with the folder for one more backup that *current*, the purge that was cut
    off, began with, unless it names another, which is kept then.

    Raises: LedgerUnusable when that cannot be used; PurgeRefused when the one of *current* is gone.
    """
    keys = ledger.vault.keys.folder
    if order.backup_to:
        copying.require_folder(order.backup_to, keys=keys)
        if current:
            await ledger.write(erasing.note_facts, current.id or 0, _kept(order))
    elif current and (uri := json.loads(current.facts).get("backup_to")):
        folder = Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file://"))))
        if current.phase in BEFORE_BACKUP:
            _require_still(folder, keys, due=current.due)
        return replace(order, backup_to=folder)
    return order


def _require_still(folder: Path, keys: Path, *, due: int) -> None:
    try:
        copying.require_folder(folder, keys=keys)
    except LedgerUnusable as failure:
        text = f"{failure}, which this purge began with"
        hint = "make it, mount its disk, or name another with `--backup-to`; nothing was destroyed"
        raise PurgeRefused([("backup_to", text, None)], due=due, hint=hint) from failure


def _kept(order: Order) -> dict[str, str]:
    """Return what a purge keeps of *order* to go on with, until it is finished: a path may be no
    text, a URI always is."""
    return {"backup_to": order.backup_to.absolute().as_uri()} if order.backup_to else {}


async def destroy_what_came_back(ledger: Ledger, tell: Tell) -> None:
    """Destroy copies of keys beside backups that the purges before could not reach, if they are in
    reach now. Crash: the next purge destroys the rest."""
    fate = await destroy_key_copies(ledger)
    for line in told_of_key_copies(fate):
        tell(line)
    if fate.gone:
        await ledger.write(keycopies.forget, fate)


async def still_traced(ledger: Ledger, watch: Watch) -> dict[str, int]:
    """Return what is left of the traces that the last purge found, by file; it looks again only
    where there were any."""
    report = await ledger.read(erasing.last_report)
    if report is None or not traced(report):
        return {}
    return dict((await scan(ledger, watch.own, watch.beside)).traces)


async def _begun(ledger: Ledger, order: Order, intended: Plan, sign: Sign) -> Purge:
    """Freeze who is due, by the terms that were judged: read without a lock, then written in an
    instant."""
    frozen = await ledger.read(manifest.freeze, intended.terms)
    if order.at_most is not None and frozen.due > order.at_most:
        due = counted(frozen.due, "recipient is", "recipients are")
        text = f"{due} due by now, but at most {order.at_most} may go"
        hint = "see `repermit purge --dry-run`"
        raise PurgeRefused([("at_most", text, None)], due=frozen.due, hint=hint)
    facts = {
        "scheduled": order.is_scheduled,
        "accepted_outage": order.accepted_outage,
        "readings": intended.readings,
        "owed": intended.owed,
        "held": intended.held,
        "before": sign(*await ledger.read(purges.log_now)),
        "named": await ledger.read(guarding.listed_places, order.terms),
    }
    return await ledger.write(
        erasing.begin_purge,
        intended.terms,
        by=order.by,
        facts=facts,
        frozen=frozen,
        beside=_kept(order),
    )


def _refused(intended: Plan) -> PurgeRefused:
    reasons = [(refusal.code, refusal.text, refusal.until) for refusal in intended.refused]
    return PurgeRefused(reasons, due=intended.due, hint="see `repermit purge --dry-run`")
