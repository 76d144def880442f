"""Who comes next: those whose next try is due, then the newest contacts, within the caps.

For each provider a cursor runs down an index of its own, and only as far as rows are taken from
it; so a reservation costs the same whether ten people wait or a million, and whatever share of
them is capped.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from repermit.domain.provider import PROVIDERS
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.transaction import Transaction

_LISTED = (
    "SELECT -coalesce(contact, 0), id FROM recipient WHERE standing = 'listed' AND {}"
    " AND {{provider}} AND listed_at_leaf < :approved"
    " AND (lease_until IS NULL OR lease_until < :moment) ORDER BY provider DESC NULLS FIRST,"
    " contact DESC NULLS LAST, id DESC LIMIT :limit"
)
FIRST_TIME = _LISTED.format("attempts = 0")
# A relay has refused us over these before: others come first, so that they cannot block the way.
RETURNED = _LISTED.format("attempts > 0")
DUE = (
    "SELECT try_at, id FROM recipient WHERE standing = 'deferred' AND {provider}"
    " AND try_at <= :now AND (lease_until IS NULL OR lease_until < :moment)"
    " ORDER BY provider, try_at, id LIMIT :limit"
)
_DRAWN = (
    "SELECT provider, id FROM recipient WHERE id IN (SELECT value FROM json_each(:drawn))"
    " AND standing = 'listed' AND {provider} AND listed_at_leaf < :approved"
    " AND (lease_until IS NULL OR lease_until < :moment) ORDER BY attempts > 0"
)


def providers(tx: Transaction, drawn: str | None = None) -> list[str | None]:
    """Return the providers of those who are listed, or of those among *drawn*, as JSON, when only
    they may leave; None for all that are none of these."""
    if drawn is not None:
        rows = tx.rows(
            "SELECT DISTINCT provider FROM recipient"
            " WHERE id IN (SELECT value FROM json_each(?)) AND standing = 'listed'",
            drawn,
        )
        return [row[0] for row in rows]
    return [name for name in (None, *PROVIDERS) if any(_has(tx, name, sign) for sign in "=>")]


def of_provider(sql: str, provider: str | None) -> str:
    """Return *sql* for one provider, or for all that are none of them. PostgreSQL finds no value
    that may be NULL by an index, and for it only an order that begins with the provider is that of
    the index."""
    return sql.format(provider="provider IS NULL" if provider is None else "provider = :provider")


def _has(tx: Transaction, provider: str | None, sign: str) -> bool:
    """Return whether anybody is listed there whose tries are *sign* 0."""
    sql = (
        "SELECT EXISTS (SELECT 1 FROM recipient WHERE standing = 'listed'"
        f" AND attempts {sign} 0 AND {{provider}})"
    )
    values = {"provider": provider} if provider is not None else {}
    found = tx.connection.execute(of_provider(sql, provider), values).fetchone()
    return bool(found[0])


def next_tries(tx: Transaction) -> list[tuple[str | None, datetime]]:
    """Return when the first of those who were put off is tried again, by provider."""
    rows = tx.rows(
        "SELECT provider, min(try_at) FROM recipient WHERE standing = 'deferred' GROUP BY provider"
    )
    return [(provider, from_micros(micros)) for provider, micros in rows]


def listed_by(tx: Transaction) -> list[tuple[str | None, int, int]]:
    """Return (provider, month of the last contact or 0, count) of who is listed."""
    return [
        tuple(row)
        for row in tx.rows(
            "SELECT provider, coalesce(contact, 0), count(*) FROM recipient"
            " WHERE standing = 'listed' GROUP BY provider, contact"
        )
    ]


def due(tx: Transaction, rooms: Mapping[str, int], limit: int) -> list[int]:
    """Return up to *limit* deferred rows whose next try is due, the longest due first."""
    values = {"now": to_micros(tx.now), "moment": to_micros(tx.moment)}
    return _merged(tx, DUE, rooms, values, limit)


def newest(tx: Transaction, rooms: Mapping[str, int], limit: int, *, approved: int) -> list[int]:
    """Return up to *limit* listed rows, the newest contacts first; who was returned comes last."""
    values = {"moment": to_micros(tx.moment), "approved": approved}
    found = _merged(tx, FIRST_TIME, rooms, values, limit)
    return found or _merged(tx, RETURNED, rooms, values, limit)


def drawn(
    tx: Transaction, ids: str, rooms: Mapping[str, int], limit: int, *, approved: int
) -> list[int]:
    """Return up to *limit* of the rows of a pilot, *ids* as JSON, that are listed."""
    values = {"moment": to_micros(tx.moment), "approved": approved, "drawn": ids}
    left, found = dict(rooms), list[tuple[int, str | None]]()
    for provider, recipient_id in tx.connection.execute(_DRAWN.format(provider="TRUE"), values):
        if len(found) == limit:
            break
        if left.get(provider, 1) > 0:
            found.append((recipient_id, provider))
            if provider in left:
                left[provider] -= 1
    return _held(tx, f"{_DRAWN} LIMIT :limit", values, found)


def _merged(
    tx: Transaction, sql: str, rooms: Mapping[str, int], values: Mapping[str, Any], limit: int
) -> list[int]:
    """Return the ids of the first rows over all providers, at most so many of each as it has
    room for."""
    opened = [
        _rows_of(tx, sql, name, {**values, "limit": room})
        for name in (None, *PROVIDERS)
        if (room := min(limit, rooms.get(name or "", limit))) > 0
    ]
    first = islice(heapq.merge(*opened), limit)
    return _held(tx, sql, values, [(recipient_id, name) for _, recipient_id, name in first])


def _rows_of(
    tx: Transaction, sql: str, provider: str | None, values: Mapping[str, Any]
) -> Iterator[tuple[int, int, str | None]]:
    """Yield (order, id, provider) of the rows of one provider."""
    rows = tx.connection.execute(of_provider(sql, provider), {**values, "provider": provider})
    for order, recipient_id in rows:
        yield order, recipient_id, provider


def _held(
    tx: Transaction,
    sql: str,
    values: Mapping[str, Any],
    found: Sequence[tuple[int, str | None]],
) -> list[int]:
    """Return the ids of *found*. Where other machines reserve at this moment: as many of each
    provider that none of them has in hand, and that none gets before this transaction ends."""
    if not tx.is_shared:
        return [recipient_id for recipient_id, _ in found]
    ids: list[int] = []
    for name, most in Counter(name for _, name in found).items():
        taken = f"{of_provider(sql, name)} FOR UPDATE SKIP LOCKED"
        rows = tx.connection.execute(taken, {**values, "provider": name, "limit": most})
        ids += [recipient_id for _, recipient_id in rows.fetchall()]
    return ids
