"""Reads what stands for and against a purge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from repermit.domain.due import Reason
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import (
    closing,
    due,
    erasing,
    extending,
    guarding,
    probing,
    replies,
    token_keys,
    undoing,
)
from repermit.ledger.store.due import Terms
from repermit.ledger.transaction import Transaction
from repermit.purge.plan import Order, Plan, Postponed, Readings, Refusal, Watch
from repermit.purge.reachable import stretches, within
from repermit.purge.refusals import Judged, judged, page
from repermit.purge.window import Limits, Seen, Window, seen

__all__ = ["Watch", "plan"]


async def plan(ledger: Ledger, order: Order, watch: Watch, *, other_purge: bool) -> Plan:
    """Return who is due now and everything that stands against *order*; changes nothing.

    A purge that was cut off goes on with its own terms, whatever those of *order* are.
    """
    verified = await ledger.verified()
    return await ledger.read(
        _planned,
        order,
        watch,
        log_faults=len(verified.false_entries) + verified.unaccounted,
        older_copy=await ledger.read(ledger.older_copy),
        other_purge=other_purge,
        superseded=ledger.superseded,
    )


def _planned(tx: Transaction, /, order: Order, watch: Watch, **known: Any) -> Plan:
    unfinished = erasing.unfinished_purge(tx)
    wanted = Terms.from_json(unfinished.terms) if unfinished else replace(order.terms, later=())
    seen = _seen(tx, wanted, watch)
    is_judged = not (unfinished or order.accepts)
    later = [date for date, each in seen.items() if is_judged and each.goes > tx.now]
    terms, by_reason = _left(tx, wanted, later)
    readings = Readings(
        now=tx.now,
        due=sum(by_reason.values()),
        claimed=erasing.still_leaving(tx),
        latest_entry=datetime.fromisoformat(erasing.latest_entry_at(tx)),
        unfinished_import=undoing.is_unfinished(tx),
        resumes=unfinished is not None,
        seen=tuple(
            each for date, each in seen.items() if date not in terms.later and each.window.people
        ),
        postponed=tuple(
            Postponed(from_micros(date), seen[date], tuple(page([seen[date]], watch, now=tx.now)))
            for date in terms.later
            if date in seen and seen[date].window.people
        ),
        cut_off=token_keys.cut_off(tx, terms, watch.token_keys) if watch.token_keys else 0,
        cut_short=token_keys.cut_short(tx, terms),
        against_all=_against_all(tx, terms),
        unlisted_places=guarding.unlisted_places(tx, terms),
        unread=replies.waiting_of_due(tx, terms),
        is_paused=guarding.is_paused(tx),
        told=tuple(guarding.told(tx, terms.reasons)),
        queued=guarding.queued(tx),
        extended=extending.extended_until(tx),
        **known,
    )
    found = judged(readings, order, watch)
    return Plan(
        by_reason,
        terms,
        refused=found.refused,
        resumes=readings.resumes,
        owed=due.owed(tx, terms),
        held=due.held(tx, terms),
        postponed=readings.postponed,
        warnings=found.warnings,
        readings={**readings.to_json(watch), "accepted": _accepted(order, found)},
    )


def _against_all(tx: Transaction, terms: Terms) -> tuple[Refusal, ...]:
    """Return what stands against erasing everybody, where that is meant."""
    if Reason.CONTRACT_ENDED not in terms.reasons:
        return ()
    return tuple(Refusal(*each) for each in closing.against_erasing_all(tx))


def _left(tx: Transaction, wanted: Terms, later: Sequence[int]) -> tuple[Terms, Mapping[str, int]]:
    """Return the terms without those whose dates are put off to *later*, and who is due by them.

    Those are *wanted* where nobody would be left: the purge is refused then, for all of them.
    """
    terms = replace(wanted, later=(*wanted.later, *later))
    by_reason = due.counts(tx, terms)
    if by_reason or not later:
        return terms, by_reason
    return wanted, due.counts(tx, wanted)


def _seen(tx: Transaction, terms: Terms, watch: Watch) -> dict[int, Seen]:
    """Return what is known of the time that those who are due had to answer, by the date in their
    mails; of whoever is held or owed a mail, too."""
    windows = {
        to_micros(each.printed): Window(each.printed - terms.window, each.until, each.people)
        for each in guarding.dates(tx, terms)
    }
    if not windows:
        return {}
    begin = min(window.begin for window in windows.values())
    answers = guarding.pressed(tx, begin - probing.TOGETHER)
    known = stretches(probing.looked(tx), answers, begin=begin, end=tx.now)
    limits = Limits(watch.outage_percent, watch.last_hours)
    return {
        date: seen(window, within(known, window.begin, tx.now), limits, now=tx.now)
        for date, window in windows.items()
    }


def _accepted(order: Order, found: Judged) -> dict[str, Any] | None:
    """Return what a person went on in spite of, and their reason."""
    if not found.accepted:
        return None
    return {
        "reason": order.accepted_outage,
        "refusals": [each.to_json() for each in found.accepted],
    }
