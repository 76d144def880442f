"""Taking addresses in; an import that did not complete is taken back."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repermit.domain.address import Address
from repermit.domain.policy import Decision, Outcome, Relationship
from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, move
from repermit.ledger.store.personal import Person, lookups, sealed_fields
from repermit.ledger.store.suppression import is_suppressed
from repermit.ledger.transaction import Transaction

STANDING_AFTER = {
    Outcome.ASK: Standing.LISTED,
    Outcome.EXEMPT: Standing.EXEMPT,
    Outcome.WITHHOLD: Standing.WITHHELD,
}
UNKNOWN_RELATIONSHIP = "unknown"
_OWN_KEY_BYTES = 16


@dataclass(frozen=True)
class Newcomer:
    """One address of a list, screened, that asks to be admitted."""

    person: Person
    language: str | None
    decision: Decision


@dataclass
class Tally:
    """What became of the rows of a list: read = admitted + duplicates + rejected + suppressed."""

    read: int = 0
    admitted: int = 0
    duplicates: int = 0
    rejected: int = 0
    suppressed: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add the counts of *other* to these."""
        self.read += other.read
        self.admitted += other.admitted
        self.duplicates += other.duplicates
        self.rejected += other.rejected
        self.suppressed += other.suppressed
        self.standings.update(other.standings)
        self.reasons.update(other.reasons)


def begin_intake(tx: Transaction, sha256: str) -> int:
    """Return the id of a new import, which counts only once it is finished."""
    inserted = tx.value(
        "INSERT INTO intake (started_at, sha256, read, admitted, duplicates, rejected, suppressed,"
        " reasons) VALUES (?, ?, 0, 0, 0, 0, 0, '{}') RETURNING id",
        *(to_micros(tx.now), sha256),
    )
    return int(inserted)


def admit(tx: Transaction, intake_id: int, newcomers: Sequence[Newcomer]) -> Tally:
    """Admit those who are neither suppressed nor there already, and return what became of all.

    Crash: this part of the list and its log entry are there, or neither; an import that is not
    finished is taken back by `take_back`.
    """
    generation, next_id = tx.one("SELECT generation, next_recipient FROM campaign")
    leaf = tx.value("SELECT size FROM log_head")
    tally, ids = Tally(read=len(newcomers)), dict[Standing, list[int]]()
    for newcomer in newcomers:
        address = newcomer.person.address
        if is_suppressed(tx, address.canonical):
            tally.suppressed += 1
        elif _is_there(tx, address):
            tally.duplicates += 1
        else:
            recipient_id = next_id + tally.admitted
            standing = _insert(
                tx,
                newcomer,
                recipient_id=recipient_id,
                intake_id=intake_id,
                generation=generation,
                leaf=leaf,
            )
            ids.setdefault(standing, []).append(recipient_id)
            tally.admitted += 1
            tally.standings[standing] += 1
            if standing is Standing.WITHHELD:
                tally.reasons[newcomer.decision.reason] += 1
    if tally.admitted:
        tx.run(
            "UPDATE campaign SET next_recipient = ?, admitted = admitted + ?",
            *(next_id + tally.admitted, tally.admitted),
        )
        moves = [move(listed, standing) for standing, listed in ids.items()]
        tx.log.append(Kind.ADMITTED, {"import": intake_id, "moves": moves}, now=tx.now)
    return tally


def _insert(
    tx: Transaction,
    newcomer: Newcomer,
    *,
    recipient_id: int,
    intake_id: int,
    generation: int,
    leaf: int,
) -> Standing:
    """Add one recipient, sealed, and return where they stand."""
    person, decision = newcomer.person, newcomer.decision
    standing = STANDING_AFTER[decision.outcome]
    lookup = tx.vault.lookup(person.address.canonical, generation=generation)
    sealed = tx.vault.seal(sealed_fields(person), generation=generation, recipient_id=recipient_id)
    tx.run(
        "INSERT INTO recipient (id, intake_id, generation, lookup, sealed, leaf_key,"
        " relationship, country, language, standing, cell, reason, listed_at_leaf, attempts,"
        " suspect, restored) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)",
        *(recipient_id, intake_id, generation, lookup, sealed),
        *(secrets.token_bytes(_OWN_KEY_BYTES), _known(person.evidence.relationship)),
        *(person.evidence.country, newcomer.language, str(standing)),
        *(decision.cell, str(decision.reason), leaf),
    )
    return standing


def _known(relationship: str | None) -> str | None:
    """Return a relationship as it may stand unsealed: a list may hold anything in that column."""
    if relationship is None or relationship in frozenset(Relationship):
        return relationship
    return UNKNOWN_RELATIONSHIP


def _is_there(tx: Transaction, address: Address) -> bool:
    found = (
        tx.one("SELECT 1 FROM recipient WHERE lookup = ?", lookup)
        for lookup in lookups(tx, address)
    )
    return any(found)


def finish_intake(tx: Transaction, intake_id: int, tally: Tally, facts: Mapping[str, Any]) -> None:
    """Make the import count: its sums, and in the log what it was told of the whole list.

    The standings in *tally* become those of the end: a later row may have opted an earlier out.
    """
    tally.standings = Counter(
        dict(
            tx.rows(
                "SELECT standing, count(*) FROM recipient WHERE intake_id = ? GROUP BY standing",
                intake_id,
            )
        )
    )
    counts = {
        "read": tally.read,
        "admitted": tally.admitted,
        "duplicates": tally.duplicates,
        "rejected": tally.rejected,
        "suppressed": tally.suppressed,
    }
    tx.run(
        "UPDATE intake SET completed_at = ?, read = ?, admitted = ?, duplicates = ?, rejected = ?,"
        " suppressed = ?, reasons = ? WHERE id = ?",
        *(to_micros(tx.now), *counts.values(), json.dumps(tally.reasons), intake_id),
    )
    tx.log.append(Kind.IMPORTED, {"import": intake_id, **counts, **facts}, now=tx.now)


def unfinished_intakes(tx: Transaction) -> list[int]:
    """Return the imports that were begun and did not complete."""
    return [row[0] for row in tx.rows("SELECT id FROM intake WHERE completed_at IS NULL")]


def take_back(tx: Transaction, intake_id: int, *, slice_rows: int) -> int:
    """Undo a part of an unfinished import and return how many rows went; 0 when it is undone.

    Rows that had a mail, or may have had one, stay.
    Crash: the rows and the entry that says so go together.
    """
    gone = [
        row[0]
        for row in tx.rows(
            "DELETE FROM recipient WHERE id IN (SELECT id FROM recipient WHERE intake_id = ?"
            " AND standing IN ('listed', 'withheld', 'exempt') AND intent_at IS NULL"
            " ORDER BY id DESC LIMIT ?)"
            " RETURNING id",
            *(intake_id, slice_rows),
        )
    ]
    if gone:
        tx.run("UPDATE campaign SET admitted = admitted - ?", len(gone))
        payload = {"import": intake_id, "moves": [move(gone, "taken_back")]}
        tx.log.append(Kind.TAKEN_BACK, payload, now=tx.now)
    else:
        tx.run("DELETE FROM intake WHERE id = ? AND completed_at IS NULL", intake_id)
    return len(gone)
