"""How many mails left for each provider, hour by hour, and how many still may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from repermit.domain.provider import Caps, reopens, room
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.transaction import Transaction

_HOUR_MICROS = 3_600_000_000
_HOURS_BACK = 24


def rooms(tx: Transaction, caps: Caps) -> dict[str, int]:
    """Return how many mails may leave now, by provider; one that has no cap is not there."""
    hour = hour_of(tx.now)
    return {name: room(_sent(tx, name, hour), caps[name], hour) for name in caps}


def reopening(tx: Transaction, caps: Caps) -> dict[str, datetime]:
    """Return when the next mail may leave, by provider; only those that may not have one now."""
    hour, found = hour_of(tx.now), {}
    for name, theirs in caps.items():
        first = reopens(_sent(tx, name, hour), theirs, hour)
        if first > hour:
            found[name] = from_micros(first * _HOUR_MICROS)
    return found


def count(tx: Transaction, mails: Mapping[str, int]) -> None:
    """Count mails that are about to leave, by provider."""
    hour = hour_of(tx.now)
    for name, more in mails.items():
        tx.run(
            "INSERT INTO provider_hour (provider, hour, mails, hard, temporary, about_us,"
            " complaints) VALUES (?, ?, ?, 0, 0, 0, 0)"
            " ON CONFLICT (provider, hour) DO UPDATE SET mails = provider_hour.mails"
            " + excluded.mails",
            *(name, hour, more),
        )


def give_back(tx: Transaction, mails: Iterable[tuple[str | None, int]]) -> None:
    """Take back that mails were counted, given as (provider, instant of the intent), because the
    relay did not take them."""
    counts = Counter((name, micros // _HOUR_MICROS) for name, micros in mails if name is not None)
    tx.many(
        "UPDATE provider_hour SET mails = mails - ? WHERE provider = ? AND hour = ?",
        [(count, name, hour) for (name, hour), count in counts.items()],
    )


def sent_by_hour(tx: Transaction, caps: Caps) -> dict[str, dict[int, int]]:
    """Return how many mails left in each of the last hours, by provider that has a cap."""
    hour = hour_of(tx.now)
    return {name: _sent(tx, name, hour) for name in caps}


def hour_of(moment: datetime) -> int:
    """Return the hour of *moment*, counted from 1970."""
    return to_micros(moment) // _HOUR_MICROS


def _sent(tx: Transaction, provider: str, hour: int) -> dict[int, int]:
    rows = tx.rows(
        "SELECT hour, mails FROM provider_hour WHERE provider = ? AND hour >= ?",
        *(provider, hour - _HOURS_BACK),
    )
    return dict(rows)
