"""What a third party needs to check the log for themselves, as it stands in the ledger."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from repermit.domain.clock import iso
from repermit.errors import ProofBroken
from repermit.ledger.instants import from_micros
from repermit.ledger.log import PERSONAL, Kind, leaf_key
from repermit.ledger.mark import Mark
from repermit.ledger.store.personal import own_key
from repermit.ledger.transaction import Transaction
from repermit.ledger.verify import Verified, verify

_ENTRIES: Final = (
    'SELECT "index", log.at, kind, log.recipient_id, commitment, hash, payload, leaf_key,'
    " generation FROM log"
    ' LEFT JOIN recipient ON recipient.id = log.recipient_id ORDER BY "index"'
)
_YESES: Final = (
    "SELECT yes_leaf, id FROM recipient"
    " WHERE standing = 'opted_in' AND yes_leaf IS NOT NULL ORDER BY yes_leaf"
)


_RULES: Final = frozenset({Kind.APPROVED, Kind.JUDGED, Kind.EXTENDED})


@dataclass(frozen=True)
class Entry:
    """One entry of the log. Of a payload that is still there, `key` is what its commitment was
    made with: that of this very entry, which opens no other."""

    index: int
    at: str
    kind: str
    recipient: int | None
    commitment: bytes
    hash: bytes
    payload: bytes | None
    key: bytes | None

    @property
    def said(self) -> dict[str, Any]:
        """Return the payload; nothing when it is erased."""
        return json.loads(self.payload) if self.payload else {}


def proven(tx: Transaction, mark: Mark | None) -> Verified:
    """Return what the replay of the log finds. Raises: ProofBroken unless everything holds."""
    found = verify(tx, mark)
    if not found.holds:
        faults = [*found.false_entries, *found.false_standings, *found.false_records]
        raise ProofBroken(
            f"the log does not verify: {'; '.join(faults)}",
            hint="see `repermit proof verify`; evidence is given only of a ledger that holds",
        )
    return found


def entries(tx: Transaction) -> Iterator[Entry]:
    """Yield every entry, from the first to the last."""
    for row in tx.connection.execute(_ENTRIES):
        index, at, kind, recipient, commitment, hashed, payload, kept, generation = row
        key: bytes | None = None
        if payload is not None:
            own = tx.log_key
            if kind in PERSONAL:
                own = tx.vault.own_key(kept, generation=generation, recipient_id=recipient)
            key = leaf_key(own, index)
        yield Entry(index, at, kind, recipient, commitment, hashed, payload, key)


def about(tx: Transaction, recipient_id: int, shown: Collection[str]) -> Iterator[Entry]:
    """Yield the entries that tell of one person: their own acts, what moved them, the approvals,
    later dates, changes of the privacy notice and the policy they were asked under, and that what
    they saw, by those hashes, was shown."""
    for entry in entries(tx):
        said = entry.said if entry.recipient is None else {}
        moved = any(
            first <= recipient_id <= last
            for move in said.get("moves", ())
            for first, last in move["ids"]
        )
        is_theirs = entry.recipient == recipient_id or moved
        if is_theirs or _is_rule(entry, said) or said.get("hash") in shown:
            yield entry


def _is_rule(entry: Entry, said: dict[str, Any]) -> bool:
    return entry.kind in _RULES or (entry.kind == Kind.SCREENED and "table" in said)


def leaves(tx: Transaction) -> Iterator[bytes]:
    """Yield the hash of every leaf, in order."""
    for (hashed,) in tx.connection.execute('SELECT hash FROM log ORDER BY "index"'):
        yield hashed


def yeses(tx: Transaction) -> Iterator[tuple[int, int]]:
    """Yield the entry of each yes that stands, in their order, with whose it is."""
    yield from tx.connection.execute(_YESES)


def count_yeses(tx: Transaction) -> int:
    """Return how many they are."""
    return int(tx.value(f"SELECT count(*) FROM ({_YESES}) AS yeses"))


def approvals(tx: Transaction) -> list[dict[str, Any]]:
    """Return what the log says of each approval, with its entry and time."""
    return _told(tx, "kind = 'approved'")


def screenings(tx: Transaction) -> list[dict[str, Any]]:
    """Return the same of each screening: the policy, its reasons, and the counts by cell."""
    has_table = "json_extract(CAST(payload AS TEXT), '$.table') IS NOT NULL"
    return _told(tx, f"kind = 'screened' AND {has_table}")


def purges(tx: Transaction) -> list[dict[str, Any]]:
    """Return every purge that was begun: who did it, who was due, how many are gone, and the text
    of its report, whose hash the log has."""
    rows = tx.rows(
        "SELECT id, by, started_at, finished_at, due, by_reason, purged, report FROM purge"
        " ORDER BY id"
    )
    return [
        {
            "number": number,
            "by": by,
            "started_at": iso(from_micros(started)),
            "finished_at": iso(from_micros(finished)),
            "due": due,
            "by_reason": json.loads(by_reason),
            "purged": purged,
            "report": report,
        }
        for number, by, started, finished, due, by_reason, purged, report in rows
    ]


def shown(tx: Transaction) -> Iterator[tuple[str, str, str, str]]:
    """Yield what was shown: hash, kind, language, content."""
    yield from tx.connection.execute(
        "SELECT hash, kind, language, content FROM snapshot ORDER BY hash"
    )


def mail_of(tx: Transaction, recipient_id: int) -> str | None:
    """Return the hash of the mail that somebody had, or None."""
    hashed: str | None = tx.value("SELECT mail FROM recipient WHERE id = ?", recipient_id)
    return hashed


def notices_of(tx: Transaction, recipient_id: int) -> list[str]:
    """Return the hashes of the privacy notices that their answers point to, in their order."""
    rows = tx.rows(
        "SELECT notice FROM answer WHERE recipient_id = ? AND notice IS NOT NULL"
        " GROUP BY notice ORDER BY min(leaf)",
        recipient_id,
    )
    return [hashed for (hashed,) in rows]


def address_key(tx: Transaction, recipient_id: int) -> bytes:
    """Return the key that ties the acts of one person to their address; see `Vault.who`."""
    key = own_key(tx, recipient_id)
    assert key is not None  # noqa: S101 - whoever asks has read the row in this transaction
    return tx.vault.who_key(key)


def note_bundle(tx: Transaction, *, people: int) -> None:
    """Put into the log that evidence was given out, naming so many; never to which file."""
    tx.log.append(Kind.EXPORTED, {"bundle": people}, now=tx.now)


def _told(tx: Transaction, condition: str) -> list[dict[str, Any]]:
    rows = tx.rows(
        f'SELECT "index", at, payload FROM log WHERE {condition} ORDER BY "index"',
    )
    return [{"entry": index, "at": at, "said": json.loads(payload)} for index, at, payload in rows]
