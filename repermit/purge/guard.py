"""Reads what stands for and against a purge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.ledger.engine import Ledger
from repermit.ledger.store import due, erasing, undoing
from repermit.ledger.store.due import Terms
from repermit.purge.plan import Order, Plan, Readings, refusals


@dataclass(frozen=True)
class Watch:
    """What the guard is told besides the ledger: how long the answer page may have been away, as a
    share of the time to answer and before its end; the fingerprints of the keys that read links;
    how far an outside clock is ahead of ours, where one is at hand."""

    outage_percent: float = 5.0
    last_hours: timedelta = timedelta(hours=24)
    token_keys: tuple[str, ...] = ()
    outside: timedelta | None = None


async def plan(ledger: Ledger, order: Order, watch: Watch, *, other_purge: bool) -> Plan:
    """Return who is due now and everything that stands against *order*; changes nothing.

    A purge that was cut off goes on with its own terms, whatever those of *order* are.
    """
    unfinished = await ledger.read(erasing.unfinished_purge)
    terms = Terms.from_json(unfinished.terms) if unfinished else order.terms
    by_reason = await ledger.read(due.counts, terms)
    verified = await ledger.verified()
    readings = Readings(
        now=ledger.clock.now(),
        due=sum(by_reason.values()),
        claimed=await ledger.read(erasing.still_leaving),
        log_faults=len(verified.false_entries) + verified.unaccounted,
        latest_entry=datetime.fromisoformat(await ledger.read(erasing.latest_entry_at)),
        older_copy=await ledger.read(ledger.older_copy),
        other_purge=other_purge,
        unfinished_import=await ledger.read(undoing.is_unfinished),
    )
    return Plan(
        by_reason,
        refused=refusals(readings, at_most=order.at_most),
        resumes=unfinished is not None,
        owed=await ledger.read(due.owed, terms),
        held=await ledger.read(due.held, terms),
    )
