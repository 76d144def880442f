"""Replays the log: every hash, every payload that is left, and every standing it accounts for."""

from __future__ import annotations

import hmac
import json
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from repermit.domain.standing import Standing
from repermit.ledger.log import MOVING, PERSONAL, leaf_data, leaf_key
from repermit.ledger.mark import Mark
from repermit.ledger.merkle import Frontier, leaf_hash
from repermit.ledger.transaction import Transaction

_GONE = ("purged", "erased", "taken_back")
_NAMES = ("", *map(str, Standing), *_GONE)
_CODES = {name: code for code, name in enumerate(_NAMES)}
_NAMED = 20  # standings without an entry that are named one by one


@dataclass
class Verified:
    """What the replay found: the size and root it computed, and everything that is false."""

    size: int = 0
    root: str = ""
    false_entries: list[str] = field(default_factory=list)
    false_standings: list[str] = field(default_factory=list)
    unaccounted: int = 0

    @property
    def holds(self) -> bool:
        """Return whether the log verifies and accounts for every standing."""
        return not self.false_entries and not self.unaccounted


def verify(tx: Transaction, mark: Mark | None) -> Verified:
    """Replay the whole log in one snapshot, in memory that grows by a byte a recipient.

    Reading goes on past the first false entry only to count standings; entries after it are
    judged by their own hashes.
    """
    found = Verified()
    next_id = tx.value("SELECT next_recipient FROM campaign")
    standings = array("B", bytes(next_id))
    frontier, expected = Frontier(), 0
    for row in tx.connection.execute(
        'SELECT "index", at, kind, recipient_id, CAST(commitment AS BLOB), CAST(hash AS BLOB),'
        ' CAST(payload AS BLOB) FROM log ORDER BY "index"'
    ):
        frontier = frontier.with_leaf(row[5])
        false = _entry_fault(tx, row, expected=expected)
        found.size, expected = found.size + 1, row[0] + 1
        if false and not found.false_entries:
            found.false_entries.append(f"entry {row[0]} ({row[2]}): {false}")
        if not false and row[6] is not None:
            _replay(row[2], json.loads(row[6]), standings)
        if mark and mark.committed.size == found.size:
            _compare_mark(found, frontier, mark)
    found.root = frontier.root().hex()
    if mark and found.size < mark.committed.size:
        found.false_entries.append(
            f"the log has {found.size} entries, the mark in the key folder knew"
            f" {mark.committed.size}: this ledger is an older copy"
        )
    _compare_head(tx, found, frontier)
    _compare_standings(tx, standings, found)
    return found


def _entry_fault(tx: Transaction, row: tuple[Any, ...], *, expected: int) -> str | None:
    """Return what is false about one entry, or None."""
    index, at, kind, recipient_id, commitment, hashed, payload = row
    if index != expected:
        return f"entry {expected} is missing"
    if leaf_hash(leaf_data(index, at, kind, recipient_id, commitment)) != hashed:
        return "its hash is not that of its content"
    if payload is None:
        there = tx.one("SELECT 1 FROM recipient WHERE id = ?", recipient_id)
        return None if kind in PERSONAL and there is None else "its payload is gone"
    if kind in PERSONAL:
        own = tx.one("SELECT leaf_key FROM recipient WHERE id = ?", recipient_id)
        if own is None:
            return "it names a recipient who is not there"
        key = own[0]
    else:
        key = tx.log_key
    if hmac.digest(leaf_key(key, index), payload, "sha256") != commitment:
        return "its payload is not the one that was committed to"
    return None


def _replay(kind: str, payload: dict[str, Any], standings: array[int]) -> None:
    """Set in *standings* what an entry says of its recipients."""
    if kind in MOVING:
        _set(standings, payload["recipient"], payload["recipient"], payload["standing"])
    for moved in payload.get("moves", ()):
        for first, last in moved["ids"]:
            _set(standings, first, last, moved["to"])


def _set(standings: array[int], first: int, last: int, name: str) -> None:
    if 0 <= first <= last < len(standings) and name in _CODES:
        code = _CODES[name]
        standings[first : last + 1] = array("B", bytes([code]) * (last - first + 1))


def _compare_mark(found: Verified, frontier: Frontier, mark: Mark) -> None:
    if frontier.root() != mark.committed.root:
        found.false_entries.append(
            f"the first {found.size} entries are not those that the mark in the key folder knew"
        )


def _compare_head(tx: Transaction, found: Verified, frontier: Frontier) -> None:
    size, subtrees = tx.one("SELECT size, frontier FROM log_head")
    if size != found.size:
        found.false_entries.append(f"the log has {found.size} entries, its head says {size}")
    elif subtrees != frontier.to_bytes():
        found.false_entries.append("the head of the log does not fit its entries")


def _compare_standings(tx: Transaction, standings: array[int], found: Verified) -> None:
    """Name the rows whose standing no entry accounts for, and the rows that should be there."""
    for recipient_id, standing in tx.connection.execute("SELECT id, standing FROM recipient"):
        logged = _NAMES[standings[recipient_id]] if recipient_id < len(standings) else ""
        if logged != standing:
            _note(found, f"recipient {recipient_id}: {standing}, but the log says {logged or '-'}")
        if recipient_id < len(standings):
            standings[recipient_id] = 0
    for recipient_id in _remaining(standings):
        name = _NAMES[standings[recipient_id]]
        _note(found, f"recipient {recipient_id}: not there, but the log says {name}")


def _remaining(standings: array[int]) -> Iterable[int]:
    gone = {_CODES[name] for name in _GONE} | {0}
    return (recipient for recipient, code in enumerate(standings) if code not in gone)


def _note(found: Verified, text: str) -> None:
    found.unaccounted += 1
    if len(found.false_standings) < _NAMED:
        found.false_standings.append(text)
