"""Moving the date up to which people may answer: only later, by an approval, with a reason.

What a mail prints stays as it was printed; the log keeps both dates.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from repermit.domain.clock import iso
from repermit.domain.deadline import last_day
from repermit.errors import ApprovalRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.transaction import Transaction

_OPEN: Final = "('claimed', 'asked', 'doubtful', 'undeliverable', 'opted_out')"


@dataclass(frozen=True)
class Extension:
    """From `at` on nobody falls due before `until`."""

    at: datetime
    until: datetime


def require_later(tx: Transaction, until: datetime, zone: tzinfo = UTC) -> None:
    """Refuse a date that moves nobody's, or not to later; days are said in *zone*.

    Raises: ApprovalRefused.
    """
    was = extended_until(tx)
    if was is not None and until <= was:
        raise ApprovalRefused(
            f"the deadline was moved to the end of {last_day(was, zone=zone)} already, and it only"
            " moves later",
            hint="give a later day to --extend-to",
        )
    if until <= tx.now:
        raise ApprovalRefused(
            f"nobody can answer up to the end of {last_day(until, zone=zone)} any more: that has"
            " passed",
            hint="give a day to come to --extend-to",
        )
    first = tx.value(f"SELECT min(due_at) FROM recipient WHERE standing IN {_OPEN}")
    if first is None or until <= from_micros(first):
        printed = "no mail has left"
        if first is not None:
            printed = f"the first is {last_day(from_micros(first), zone=zone)}"
        raise ApprovalRefused(
            f"no mail prints a day before {last_day(until, zone=zone)}: {printed}, and dates only"
            " move later",
            hint="leave --extend-to out, or give a later day; `repermit status` shows the dates",
        )


def extend(
    tx: Transaction, until: datetime, *, reason: str, by: str, informed: str, approval: int
) -> None:
    """Let nobody fall due before *until*, by that approval.

    Raises: ApprovalRefused as `require_later`.
    Crash: the date and its entry in the log go together, with the approval, or not at all.
    """
    require_later(tx, until)
    payload = {
        "was": iso(extended_until(tx)),
        "until": iso(until),
        "reason": reason,
        "by": by,
        "informed": informed,
        "approval": approval,
    }
    tx.run("UPDATE campaign SET extended_until = ?", to_micros(until))
    tx.log.append(Kind.EXTENDED, payload, now=tx.now)


def extended_until(tx: Transaction) -> datetime | None:
    """Return before when nobody falls due, whatever their mail prints; None: never moved."""
    moved: int | None = tx.value("SELECT extended_until FROM campaign")
    return from_micros(moved)


def extensions(tx: Transaction) -> tuple[Extension, ...]:
    """Return every move of the date, the first one first."""
    if extended_until(tx) is None:
        return ()
    rows = tx.rows("SELECT at, payload FROM log WHERE kind = 'extended' ORDER BY \"index\"")
    return tuple(
        Extension(datetime.fromisoformat(at), datetime.fromisoformat(json.loads(payload)["until"]))
        for at, payload in rows
    )
