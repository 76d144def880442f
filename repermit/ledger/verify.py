"""Replays the log: every hash, every payload that is left, and every row that it accounts for."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from repermit.domain.standing import Standing
from repermit.errors import KeysUnusable, ProofBroken
from repermit.ledger.binding import false_addresses
from repermit.ledger.checkpoint import Checkpoint
from repermit.ledger.log import PERSONAL, Kind, leaf_data, leaf_key
from repermit.ledger.mark import Mark
from repermit.ledger.merkle import Frontier, leaf_hash
from repermit.ledger.records import ANSWER_COLUMNS, Records
from repermit.ledger.replay import Replay
from repermit.ledger.transaction import Transaction

_MOST_IDS = 100_000_000  # a replay takes 26 bytes for each
_FIRST = 1  # the entry that a ledger is made with
_OTHER = "something else"
_NAMED = 20  # false rows that are named one by one
_ENTRIES = (
    'SELECT "index", log.at, kind, log.recipient_id, CAST(commitment AS BLOB), CAST(hash AS BLOB),'
    " CAST(payload AS BLOB), CAST(recipient.leaf_key AS BLOB), recipient.generation,"
    " typeof(commitment) || typeof(hash) || typeof(payload)"
    f", {ANSWER_COLUMNS} FROM log"
    " LEFT JOIN recipient ON recipient.id = log.recipient_id"
    ' LEFT JOIN answer ON kind = \'answered\' AND leaf = "index" ORDER BY "index"'
)
_KINDS = frozenset(("blobblobblob", "blobblobnull"))  # what an entry's bytes are kept as
_FACTS = 10  # columns of an entry itself; those of an answer follow
_ROWS = "SELECT id, standing, due_at, mail, purposes, suspect, yes_leaf FROM recipient ORDER BY id"
_ROW_FACTS = ("standing", "due date", "mail", "purposes", "suspect", "yes")


@dataclass
class Verified:
    """What the replay found: the size and root it computed, and everything that is false."""

    size: int = 0
    root: str = ""
    false_entries: list[str] = field(default_factory=list)
    false_standings: list[str] = field(default_factory=list)
    false_records: list[str] = field(default_factory=list)  # of answers, approvals, what was shown
    unaccounted: int = 0

    @property
    def holds(self) -> bool:
        """Return whether the log verifies and accounts for everything."""
        return not self.false_entries and not self.unaccounted

    @property
    def faults(self) -> list[str]:
        """Return what is named as false, the log's own entries first."""
        return [*self.false_entries, *self.false_standings, *self.false_records]

    def require(self) -> None:
        """Raise ProofBroken naming the first fault unless all of it holds."""
        if not self.holds:
            raise ProofBroken(
                f"the log does not verify: {self.faults[0]}",
                hint="`repermit proof verify` names every fault; put back a backup that verifies",
            )

    def note_entry(self, text: str) -> None:
        """Note that an entry is false, if it is the first."""
        if not self.false_entries:
            self.false_entries.append(text)

    def note_standing(self, text: str) -> None:
        """Note a recipient of whom the log says something else."""
        self._note(self.false_standings, text)

    def note_record(self, text: str) -> None:
        """Note another row that does not fit the log."""
        self._note(self.false_records, text)

    def _note(self, named: list[str], text: str) -> None:
        self.unaccounted += 1
        if len(named) < _NAMED:
            named.append(text)


def verify(tx: Transaction, mark: Mark | None, known: Sequence[Checkpoint] = ()) -> Verified:
    """Return what a replay of the whole log finds, in one snapshot; *known* are roots that were
    kept elsewhere, the smallest first. Takes some 20 bytes a recipient.

    Reading goes on past the first false entry only to account for rows; entries after it are
    judged by their own hashes.
    """
    found, _ = replayed(tx, mark, known)
    return found


def replayed(
    tx: Transaction, mark: Mark | None, known: Sequence[Checkpoint] = ()
) -> tuple[Verified, Replay]:
    """Return the same, with where the log leaves everybody."""
    found, replay = Verified(), Replay(_next_id(tx))
    records = Records(tx, found.note_record)
    frontier, expected = Frontier(), 0
    points = _points(mark, known)
    for row in tx.connection.execute(_ENTRIES):
        index, at, kind, payload = row[0], row[1], row[2], row[6]
        frontier = frontier.with_leaf(row[5])
        if index != expected:
            found.note_entry(f"entry {expected} is missing")
        false = _entry_fault(tx, row[:_FACTS])
        found.size, expected = found.size + 1, index + 1
        if false:
            found.note_entry(f"entry {index} ({_known(kind, Kind)}): {false}")
        elif act := records.proven(at, payload, row[_FACTS:]):
            replay.act(act)
        elif payload is not None:
            said = json.loads(payload)
            replay.read(index, kind, said)
            records.compare(kind, at, said, index=index, answer=row[_FACTS:])
        for who, root in points.pop(found.size, ()):
            if frontier.root() != root:
                found.false_entries.append(
                    f"the first {found.size} entries are not those that {who}"
                )
    if mark is None and found.size > _FIRST:
        found.false_entries.append("the mark in the key folder is gone: it may be an older copy")
    found.root = frontier.root().hex()
    for size, ((who, _), *_) in points.items():
        found.false_entries.append(
            f"the log has {found.size} entries, {who} {size}: this ledger is an older copy"
        )
    _compare_head(tx, found, frontier)
    records.end(replay)
    standing = replay.standing[:]
    _compare_rows(tx, replay, found)
    for recipient_id, false in false_addresses(tx):
        found.note_standing(f"recipient {recipient_id}: {false}")
    replay.standing = standing  # the comparison crosses out whom it has seen
    return found, replay


def _next_id(tx: Transaction) -> int:
    """Return the id that comes next. Raises: ProofBroken when no campaign can have got so far."""
    found = tx.value("SELECT next_recipient FROM campaign")
    if not isinstance(found, int) or not 0 < found <= _MOST_IDS:
        raise ProofBroken(
            "the log does not verify: the ledger's count of ids is not one that it can have",
            hint="somebody changed the ledger outside repermit: keep it, and put back a backup",
        )
    return found


def _points(mark: Mark | None, known: Sequence[Checkpoint]) -> dict[int, list[tuple[str, bytes]]]:
    """Return by size who knew it, and the root that it had then."""
    points: dict[int, list[tuple[str, bytes]]] = {}
    marked = [(mark.committed.size, mark.committed.root)] if mark else []
    kept = [(each.size, each.root) for each in known]
    for who, roots in (("the mark in the key folder knew", marked), ("a checkpoint knew", kept)):
        for size, root in roots:
            if size:
                points.setdefault(size, []).append((who, root))
    return points


def _entry_fault(tx: Transaction, row: tuple[Any, ...]) -> str | None:
    """Return what is false about one entry, or None."""
    index, at, kind, recipient_id, commitment, hashed, payload, kept, generation, kinds = row
    if isinstance(at, bytes) or isinstance(kind, bytes) or isinstance(recipient_id, bytes):
        return "it is not what was written"
    if leaf_hash(leaf_data(index, at, kind, recipient_id, commitment)) != hashed:
        return "its hash is not that of its content"
    if payload is None:
        gone = kind in PERSONAL and kept is None
        return _kind_fault(kinds) if gone else "its payload is gone"
    if kind in PERSONAL and kept is None:
        return "it names a recipient who is not there"
    key = tx.log_key
    if kind in PERSONAL:
        try:
            key = tx.vault.own_key(kept, generation=generation, recipient_id=recipient_id)
        except KeysUnusable as failure:
            return f"it cannot be checked: {failure}"
    if hmac.digest(leaf_key(key, index), payload, "sha256") != commitment:
        return "its payload is not the one that was committed to"
    return _kind_fault(kinds)


def _kind_fault(kinds: str) -> str | None:
    return None if kinds in _KINDS else "its bytes are kept as something else"


def _compare_head(tx: Transaction, found: Verified, frontier: Frontier) -> None:
    heads = tx.rows("SELECT id, size, CAST(frontier AS BLOB) FROM log_head")
    if len(heads) != 1 or heads[0][0] != 1 or heads[0][1] != found.size:
        size = (
            ", ".join(str(each[1]) if isinstance(each[1], int) else _OTHER for each in heads)
            or "nothing"
        )
        found.false_entries.append(f"the log has {found.size} entries, its head says {size}")
    elif heads[0][2] != frontier.to_bytes():
        found.false_entries.append("the head of the log does not fit its entries")


def _compare_rows(tx: Transaction, replay: Replay, found: Verified) -> None:
    """Name the recipients of whom the log says something else, and those who should be there."""
    for row in tx.connection.execute(_ROWS):
        recipient_id, logged = row[0], replay.row(row[0])
        if logged != row[1:]:
            found.note_standing(f"recipient {recipient_id}: {_difference(row[1:], logged)}")
        replay.forget(recipient_id)
    for recipient_id, name in replay.left():
        found.note_standing(f"recipient {recipient_id}: not there, but the log says {name}")


def _known(value: object, names: type[StrEnum]) -> str:
    """Return *value* if it is one of *names*; anything else, which somebody wrote by hand, may be
    an address and is not repeated."""
    return str(value) if value in set(map(str, names)) else _OTHER


def _difference(row: Sequence[Any], logged: Sequence[Any]) -> str:
    """Return the first of the facts in which a recipient is not what the log says."""
    name, has, said = next(
        (name, has, said)
        for name, has, said in zip(_ROW_FACTS, row, logged, strict=True)
        if has != said
    )
    if name == "standing":
        return f"{_known(has, Standing)}, but the log says {said or '-'}"
    return f"its {name} is not that of the log"
