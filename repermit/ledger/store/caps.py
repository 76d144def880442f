"""How many mails left for each provider, hour by hour, and came back, and how many still may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from repermit.domain.provider import Caps, reopens, room
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.transaction import Transaction

_HOUR_MICROS = 3_600_000_000
_HOURS_BACK = 24
_WEEK_HOURS = 168
OTHERS = ""  # the provider of who has none that is known


class Back(StrEnum):
    """As what a mail came back; the column that counts it."""

    HARD = "hard"
    TEMPORARY = "temporary"
    ABOUT_US = "about_us"
    COMPLAINTS = "complaints"


@dataclass(frozen=True)
class Day:
    """What left for a provider within the last 24 hours, and what came back meanwhile; of two of
    these, how much nobody has seen yet who let the sending go on. `week_mails` left within the last
    7 days: what comes back is mostly of them."""

    mails: int = 0
    hard: int = 0
    temporary: int = 0
    about_us: int = 0
    complaints: int = 0
    new_hard: int = 0
    new_complaints: int = 0
    week_mails: int = 0


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
        _add(tx, name, hour, "mails", more)


def count_back(tx: Transaction, provider: str | None, what: Back) -> None:
    """Count one mail that came back, within this hour, whenever it had left."""
    _add(tx, provider or OTHERS, hour_of(tx.now), what, 1)


def take_back(tx: Transaction, provider: str | None, what: Back, *, counted_at: int) -> None:
    """Take back what was counted at *counted_at*, an instant: it was not so, also for a person who
    has seen it."""
    name, hour = provider or OTHERS, counted_at // _HOUR_MICROS
    _add(tx, name, hour, what, -1)
    tx.run(
        "UPDATE provider_hour SET seen_hard = min(seen_hard, hard), seen_complaints ="
        " min(seen_complaints, complaints) WHERE provider = ? AND hour = ?",
        *(name, hour),
    )


def _add(tx: Transaction, provider: str, hour: int, column: str, more: int) -> None:
    tx.run(
        "INSERT INTO provider_hour (provider, hour, mails, hard, temporary, about_us, complaints,"
        " seen_hard, seen_complaints) VALUES (?, ?, 0, 0, 0, 0, 0, 0, 0)"
        " ON CONFLICT (provider, hour) DO NOTHING",
        *(provider, hour),
    )
    tx.run(
        f"UPDATE provider_hour SET {column} = {column} + ? WHERE provider = ? AND hour = ?",
        *(more, provider, hour),
    )


def last_day(tx: Transaction) -> dict[str, Day]:
    """Return what left for each provider within the last 24 hours, and what came back."""
    rows = tx.rows(
        "SELECT provider, sum(mails), sum(hard), sum(temporary), sum(about_us), sum(complaints),"
        " sum(hard - seen_hard), sum(complaints - seen_complaints), (SELECT sum(mails) FROM"
        " provider_hour AS week WHERE week.provider = provider_hour.provider AND week.hour >= ?)"
        " FROM provider_hour WHERE hour >= ? GROUP BY provider ORDER BY provider",
        *(hour_of(tx.now) - _WEEK_HOURS, hour_of(tx.now) - _HOURS_BACK),
    )
    return {row[0]: Day(*row[1:]) for row in rows}


def look(tx: Transaction) -> None:
    """Note that a person has seen all that came back."""
    tx.run("UPDATE provider_hour SET seen_hard = hard, seen_complaints = complaints")


def give_back(tx: Transaction, mails: Iterable[tuple[str | None, int]]) -> None:
    """Take back that mails were counted, given as (provider, instant of the intent), because the
    relay did not take them."""
    counts = Counter((name or OTHERS, micros // _HOUR_MICROS) for name, micros in mails)
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
