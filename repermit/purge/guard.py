"""Reads what stands for and against a purge."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from repermit.domain.clock import iso
from repermit.ledger.engine import Ledger
from repermit.ledger.store import due, erasing, guarding, probing, token_keys, undoing
from repermit.ledger.store.due import Terms
from repermit.ledger.transaction import Transaction
from repermit.purge.plan import Order, Plan, Readings, Watch
from repermit.purge.reachable import stretches, within
from repermit.purge.refusals import Judged, judged
from repermit.purge.window import Limits, Seen, Window, seen

__all__ = ["Watch", "plan"]


async def plan(ledger: Ledger, order: Order, watch: Watch, *, other_purge: bool) -> Plan:
    """Return who is due now and everything that stands against *order*; changes nothing.

    A purge that was cut off goes on with its own terms, whatever those of *order* are.
    """
    verified, found, older_copy = await asyncio.gather(
        ledger.verified(),  # it takes longest, and the rest is read beside it
        ledger.read(_found, order, watch),
        ledger.read(ledger.older_copy),
    )
    readings = Readings(
        **found.readings,
        due=sum(found.by_reason.values()),
        log_faults=len(verified.false_entries) + verified.unaccounted,
        older_copy=older_copy,
        other_purge=other_purge,
    )
    return _planned(found, readings, order, watch)


@dataclass(frozen=True)
class _Found:
    """What is read besides the log."""

    by_reason: dict[str, int]
    owed: int
    held: int
    readings: dict[str, Any]


def _found(tx: Transaction, order: Order, watch: Watch) -> _Found:
    unfinished = erasing.unfinished_purge(tx)
    terms = Terms.from_json(unfinished.terms) if unfinished else order.terms
    readings = {
        "now": tx.now,
        "claimed": erasing.still_leaving(tx),
        "latest_entry": datetime.fromisoformat(erasing.latest_entry_at(tx)),
        "unfinished_import": undoing.is_unfinished(tx),
        "resumes": unfinished is not None,
        "seen": _seen(tx, terms, watch),
        "cut_off": token_keys.cut_off(tx, terms, watch.token_keys) if watch.token_keys else 0,
        "unlisted_places": guarding.unlisted_places(tx, terms),
        "is_paused": guarding.is_paused(tx),
        "told": tuple(guarding.told(tx)),
    }
    counts = due.counts(tx, terms)
    return _Found(counts, due.owed(tx, terms), due.held(tx, terms), readings)


def _planned(found: _Found, readings: Readings, order: Order, watch: Watch) -> Plan:
    verdict = judged(readings, order, watch)
    return Plan(
        found.by_reason,
        refused=verdict.refused,
        resumes=readings.resumes,
        owed=found.owed,
        held=found.held,
        warnings=verdict.warnings,
        readings={**readings.to_json(watch), "accepted": _accepted(order, verdict)},
    )


def _seen(tx: Transaction, terms: Terms, watch: Watch) -> tuple[Seen, ...]:
    """Return what is known of the time that those who are due had to answer, date by date."""
    windows = [
        Window(each.printed - terms.window, each.until, each.people)
        for each in guarding.dates(tx, terms)
    ]
    if not windows:
        return ()
    begin = min(window.begin for window in windows)
    answers = guarding.pressed(tx, begin - probing.TOGETHER)
    known = stretches(probing.looked(tx), answers, begin=begin, end=tx.now)
    limits = Limits(watch.outage_percent, watch.last_hours)
    return tuple(
        seen(window, within(known, window.begin, tx.now), limits, now=tx.now) for window in windows
    )


def _accepted(order: Order, found: Judged) -> dict[str, Any] | None:
    """Return what a person went on in spite of, and their reason."""
    if not found.accepted:
        return None
    return {
        "reason": order.accepted_outage,
        "refusals": [
            {"code": each.code, "text": each.text, "until": iso(each.until)}
            for each in found.accepted
        ],
    }
