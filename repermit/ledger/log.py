"""The append-only proof log: a Merkle tree over commitments whose payloads can be erased.

A leaf's data is the canonical JSON of {at, commitment, index, kind, recipient}; the commitment is
HMAC-SHA-256(leaf key, payload). The leaf key of a person's own act is HMAC(the recipient's own
random key, index), that of a bulk fact HMAC(the campaign's log key, index). Once payload and
recipient are erased nothing ties the leaf to a person, and the tree still verifies.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from repermit.domain.clock import iso
from repermit.domain.standing import Standing
from repermit.ledger.merkle import Frontier, leaf_hash


class Kind(StrEnum):
    """What an entry of the log says happened."""

    CREATED = "created"  # the campaign began
    ADMITTED = "admitted"  # a part of a list was taken in and screened
    TAKEN_BACK = "taken_back"  # an import that did not complete was undone
    IMPORTED = "imported"  # a list was taken in to its end: the counts
    SHOWN = "shown"  # words that somebody reads, for the first time: their hash
    SCREENED = "screened"  # the policy was applied again
    APPROVED = "approved"
    JUDGED = "judged"  # a person called a change of the privacy notice material, or not
    MOVED = "moved"  # standings changed in bulk: intents, settles, decisions on doubt
    ANSWERED = "answered"  # a recipient pressed
    OPTED_OUT = "opted_out"  # a recipient was suppressed after they were admitted
    SUPPRESSED = "suppressed"  # addresses went onto the suppression list
    CORRECTED = "corrected"  # which field of a recipient, on their own word
    ERASED = "erased"  # on the person's own wish
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"  # sending stopped by itself, with the figures
    CONTINUED = "continued"  # a person looked and let it go on
    EXPORTED = "exported"
    HELD = "held"  # a recipient is kept although their date has passed: kind, dates, why
    RELEASED = "released"  # and is not any more
    EXTENDED = "extended"  # nobody falls due before a later date than was told
    PLACED = "placed"  # where else a list lives; when it was cleaned there
    FROZEN = "frozen"  # a purge begins: the ids that it may erase, their counts, who, why
    PURGED = "purged"
    LAPSED = "lapsed"  # how many need not be known any more so that they are not asked again
    REPORTED = "reported"  # a purge is finished: the hash of its report
    DESTROYED = "destroyed"  # the original list of an import is overwritten and gone
    CLOSED = "closed"  # the campaign has ended: who, what was decided, the counts
    RESEALED = "resealed"  # survivors stand under a new generation
    REQUESTED = "requested"  # a recipient asked for everything that is held about them
    MAILED = "mailed"  # the relay took, or is taken to have, a mail owed besides the question
    ROTATED = "rotated"  # the links of new mails have another key: fingerprints
    REVOKED = "revoked"  # no link works any more that was made before: fingerprints, of how many
    RESTORED = "restored"  # an older copy was put back and its unsettled rows made doubtful


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
PERSONAL = frozenset(
    {
        *(Kind.ANSWERED, Kind.OPTED_OUT, Kind.CORRECTED, Kind.REQUESTED, Kind.MAILED),
        *(Kind.HELD, Kind.RELEASED),
    }
)
MOVING = frozenset({Kind.ANSWERED, Kind.OPTED_OUT})  # of those, what says where they stand


class Where(NamedTuple):
    """Where a recipient now stands; the date and the mail are told once, when they are new."""

    to: str
    due: str | None
    mail: str | None


class Statements(Protocol):
    """What the log needs of a transaction."""

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None."""

    def run(self, sql: str, *values: Any) -> int:
        """Return how many rows the statement changed."""


@dataclass
class Log:
    """Appends to the log within one transaction; moves of standings are gathered into one entry."""

    statements: Statements = field(repr=False)
    log_key: bytes = field(repr=False)
    _moves: list[tuple[Where, int]] = field(default_factory=list)
    _is_shut: bool = False
    _head: Frontier | None = None  # as this transaction has it

    def append(
        self,
        kind: Kind,
        payload: Mapping[str, Any] | bytes,
        *,
        now: datetime,
        recipient: tuple[int, bytes] | None = None,
    ) -> int:
        """Add one entry and return its index; *recipient* is the id and own key of a person, and
        *payload* may be canonical already.

        What was noted as moved before comes first, so that the entries stand in the order of the
        facts. Crash: the entry lands with the transaction that states the same fact, or not.
        """
        self._require_not_shut()
        self.flush(now=now)
        frontier = self._head or self._read_head()
        content = payload if isinstance(payload, bytes) else canonical(payload)
        index, at = frontier.size, _stamp(now)
        key = leaf_key(recipient[1] if recipient else self.log_key, index)
        commitment = hmac.digest(key, content, "sha256")
        person = recipient[0] if recipient else None
        leaf = leaf_hash(leaf_data(index, at, kind, person, commitment))
        self.statements.run(
            'INSERT INTO log ("index", at, kind, recipient_id, commitment, hash, payload)'
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(index, at, str(kind), person),
            *(commitment, leaf, content),
        )
        grown = frontier.with_leaf(leaf)
        self.statements.run(
            "UPDATE log_head SET size = ?, frontier = ? WHERE id = 1", grown.size, grown.to_bytes()
        )
        self._head = grown
        return index

    def moved(
        self,
        ids: Iterable[int],
        to: Standing,
        *,
        due: datetime | None = None,
        mail: str | None = None,
    ) -> None:
        """Note that *ids* now stand at *to*, with the date that their mail prints and the hash of
        its words if that is new; `flush` writes one entry for all that was noted."""
        self._require_not_shut()
        where = Where(str(to), iso(due), mail)
        self._moves.extend([(where, recipient) for recipient in ids])

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Let it be a defect, for the length of a block, to add an entry or to note a move: whoever
        shares the ledger has not the lock that keeps the entries one after the other."""
        self._is_shut = True
        try:
            yield
        finally:
            self._is_shut = False

    def _require_not_shut(self) -> None:
        if self._is_shut:
            raise RuntimeError("a part that shares the ledger changes nothing of the log")

    def noted(self) -> list[tuple[Where, int]]:
        """Return the moves that are noted and not yet written, for `take_back`."""
        return list(self._moves)

    def take_back(self, noted: list[tuple[Where, int]]) -> None:
        """Go back to the moves that `noted` returned: what came since was rolled back."""
        self._moves, self._head = noted, None

    def flush(self, *, now: datetime) -> None:
        """Write the noted moves, as one entry unless somebody moved twice."""
        noted, self._moves = self._moves, []
        gathered: dict[Where, list[int]] = {}
        seen: set[int] = set()
        for where, recipient in noted:
            if recipient in seen:
                self._write(gathered, now)
                gathered, seen = {}, set()
            gathered.setdefault(where, []).append(recipient)
            seen.add(recipient)
        if gathered:
            self._write(gathered, now)

    def _read_head(self) -> Frontier:
        return Frontier.from_bytes(
            *self.statements.one("SELECT size, frontier FROM log_head WHERE id = 1")
        )

    def _write(self, gathered: Mapping[Where, list[int]], now: datetime) -> None:
        moves = [move(ids, *where) for where, ids in gathered.items()]
        self.append(Kind.MOVED, {"moves": moves}, now=now)


def move(
    ids: Sequence[int], to: str, due: str | None = None, mail: str | None = None
) -> dict[str, Any]:
    """Return the part of a payload that says which ids now stand where."""
    entry: dict[str, Any] = {"to": str(to), "ids": ranges(ids)}
    if due is not None:
        entry["due"] = due
    if mail is not None:
        entry["mail"] = mail
    return entry


def ranges(ids: Iterable[int]) -> list[list[int]]:
    """Return *ids* as sorted [first, last] pairs without gaps."""
    pairs: list[list[int]] = []
    for number in sorted(set(ids)):
        if pairs and pairs[-1][1] == number - 1:
            pairs[-1][1] = number
        else:
            pairs.append([number, number])
    return pairs


def canonical(payload: Mapping[str, Any]) -> bytes:
    """Return *payload* as JSON with sorted keys, no white space, UTF-8."""
    return _CANONICAL.encode(payload).encode()


def listed(names: Sequence[str]) -> str:
    """Return *names* as an entry lists them, in JSON without white space."""
    return _CANONICAL.encode(names)


def leaf_key(own_key: bytes, index: int) -> bytes:
    """Return the key of the commitment at *index*."""
    return hmac.digest(own_key, b"leaf:%d" % index, "sha256")


def leaf_data(index: int, at: str, kind: str, recipient: int | None, commitment: bytes) -> bytes:
    """Return what the leaf at *index* is the hash of, as canonical JSON; *recipient* is whose own
    act it was."""
    person = recipient if isinstance(recipient, int) else json.dumps(recipient)
    return (
        f'{{"at":"{at}","commitment":"{commitment.hex()}","index":{index},"kind":"{kind}",'
        f'"recipient":{person}}}'
    ).encode()


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
