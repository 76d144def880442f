"""Whom a purge may erase: read without a lock, written into the log before anybody goes."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from itertools import islice
from typing import Any

from repermit.ledger.log import canonical
from repermit.ledger.store import due
from repermit.ledger.store.due import Terms
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Frozen:
    """Who is due by some terms: how many by which reason, their ids as [first, last] pairs in JSON
    without white space, and its SHA-256; made before whoever writes has to wait for it."""

    by_reason: Mapping[str, int]
    due: int
    ids: bytes
    sha256: str

    @classmethod
    def of(cls, by_reason: Mapping[str, int], pairs: Sequence[Sequence[int]]) -> Frozen:
        """Return it of the ids in *pairs*."""
        due = sum(last - first + 1 for first, last in pairs)
        ids = json.dumps(pairs, separators=(",", ":")).encode()
        return cls(by_reason, due, ids, sha256(ids).hexdigest())

    def entry(self, told: Mapping[str, Any]) -> bytes:
        """Return the canonical payload of the entry that says what is *told*, and the ids; some
        names in it sort before "ids", and some after it."""
        before = canonical({name: each for name, each in told.items() if name < "ids"})
        after = canonical({name: each for name, each in told.items() if name > "ids"})
        return b'%b,"ids":%b,%b' % (before[:-1], self.ids, after[1:])


class Manifest:
    """The ids of one purge, in order, in 16 bytes for each run of them."""

    def __init__(self, pairs: Sequence[Sequence[int]]) -> None:
        self._firsts = array("q", [first for first, _ in pairs])
        self._lasts = array("q", [last for _, last in pairs])

    def after(self, last_id: int, limit: int) -> list[int]:
        """Return up to *limit* ids that come after *last_id*."""
        at = bisect_right(self._lasts, last_id)
        runs = zip(self._firsts[at : at + limit], self._lasts[at : at + limit], strict=True)
        ids = (each for first, last in runs for each in range(max(first, last_id + 1), last + 1))
        return list(islice(ids, limit))

    def __contains__(self, recipient_id: int) -> bool:
        at = bisect_left(self._lasts, recipient_id)
        return at < len(self._lasts) and self._firsts[at] <= recipient_id


def freeze(tx: Transaction, terms: Terms) -> Frozen:
    """Return who is due by *terms*; it only reads, which may take a while."""
    found = due.by_reason(tx, terms)
    by_reason = {reason: len(those) for reason, those in found.items()}
    return Frozen.of(by_reason, _runs(merge(*map(sorted, found.values()))))


def _runs(ids: Iterable[int]) -> list[list[int]]:
    """Return *ids*, sorted, as [first, last] pairs; without the copies that `ranges` makes."""
    pairs: list[list[int]] = []
    for each in ids:
        if pairs and pairs[-1][1] == each - 1:
            pairs[-1][1] = each
        else:
            pairs.append([each, each])
    return pairs


def manifest_of(tx: Transaction, purge: Purge) -> Manifest:
    """Return the manifest of *purge*, as the log has it."""
    payload = tx.value('SELECT payload FROM log WHERE "index" = ?', purge.manifest)
    return Manifest(json.loads(payload)["ids"])


def still_there(tx: Transaction, purge: Purge) -> int:
    """Return how many of the manifest of *purge* are not gone."""
    listed = manifest_of(tx, purge)
    return sum(row[0] in listed for row in tx.connection.execute("SELECT id FROM recipient"))


def generations(tx: Transaction, purge: Purge) -> dict[str, Any]:
    """Return which generation of keys *purge* has destroyed, which one counts now, and since when,
    as the log has it."""
    at, payload = tx.one(
        "SELECT at, payload FROM log WHERE kind = 'resealed' AND \"index\" > ?"
        ' ORDER BY "index" LIMIT 1',
        purge.manifest,
    )
    return {**json.loads(payload), "at": at}
