"""Taking addresses in."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from repermit.domain.policy import Decision, Evidence, Outcome
from repermit.domain.standing import Standing
from repermit.errors import LedgerUnusable
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, move
from repermit.ledger.store import enriching, personal
from repermit.ledger.store.present import require_open
from repermit.ledger.store.suppression import suppressed_among
from repermit.ledger.transaction import Transaction

STANDING_AFTER = {
    Outcome.ASK: Standing.LISTED,
    Outcome.EXEMPT: Standing.EXEMPT,
    Outcome.WITHHOLD: Standing.WITHHELD,
}
_OWN_KEY_BYTES = 16
_COLUMNS = (
    *("id", "intake_id", "generation", "lookup", "sealed", "leaf_key", "relationship", "country"),
    *("language", "provider", "contact", "standing", "cell", "reason", "listed_at_leaf"),
    *("attempts", "suspect", "restored"),
)


class Screened(NamedTuple):
    """What is known of somebody and where that puts them.

    `known` is the evidence as `personal.known_text` writes it, `richness` how much that is.
    """

    known: str
    richness: int
    relationship: str | None
    country: str | None
    language: str | None
    contact: int | None
    standing: str
    cell: str
    reason: str

    @classmethod
    def of(cls, evidence: Evidence, language: str | None, decision: Decision) -> Screened:
        """Return *evidence* as it will be kept, with what the policy decided of it."""
        return cls(
            personal.known_text(evidence),
            personal.richness(evidence, language),
            personal.open_relationship(evidence.relationship),
            evidence.country,
            language,
            personal.contact_month(evidence),
            str(STANDING_AFTER[decision.outcome]),
            decision.cell,
            str(decision.reason),
        )


class Newcomer(NamedTuple):
    """One address of a list that asks to be admitted, with the fields of `Screened`: plain values
    only, so that many can wait outside the ledger.

    `lookup` finds it under the present generation; `hashes` are those under which it may be
    suppressed.
    """

    lookup: bytes
    hashes: tuple[bytes, ...]
    mailbox: str
    provider: str | None
    known: str
    richness: int
    relationship: str | None
    country: str | None
    language: str | None
    contact: int | None
    standing: str
    cell: str
    reason: str

    @property
    def said(self) -> tuple[str, str | None, str | None, str | None]:
        """Return what a list says of this person, to compare with what another says."""
        return self.known, self.relationship, self.country, self.language


@dataclass
class Tally:
    """What became of the rows of a list: read = admitted + duplicates + rejected + suppressed.

    `richer` counts those duplicates whose row said more and replaced what was known, `differing`
    those that say something else than what counts now.
    """

    read: int = 0
    admitted: int = 0
    duplicates: int = 0
    rejected: int = 0
    suppressed: int = 0
    richer: int = 0
    differing: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add the counts of *other* to these."""
        for name in (
            "read",
            "admitted",
            "duplicates",
            "rejected",
            "suppressed",
            "richer",
            "differing",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.standings.update(other.standings)
        self.reasons.update(other.reasons)


def begin_intake(tx: Transaction, sha256: str) -> tuple[int, int]:
    """Return the id of a new import, which counts only once it is finished, and the generation
    of the vault that newcomers are looked up under. Raises: CampaignClosed."""
    require_open(tx)
    inserted = tx.value(
        "INSERT INTO intake (started_at, sha256, read, admitted, duplicates, rejected, suppressed,"
        " reasons) VALUES (?, ?, 0, 0, 0, 0, 0, '{}') RETURNING id",
        *(to_micros(tx.now), sha256),
    )
    return int(inserted), int(tx.value("SELECT generation FROM campaign"))


def admit(
    tx: Transaction, intake_id: int, newcomers: Sequence[Newcomer], *, generation: int
) -> Tally:
    """Admit those who are neither suppressed nor there already, and return what became of all
    (`read` stays 0: the list was read before).

    *newcomers* are of different addresses, in the order of their look-ups, which lie under
    *generation*. Where one knows more of somebody who is there and had no mail, that replaces
    what was known.
    Raises: LedgerUnusable when the import was taken back meanwhile.
    Crash: this part of the list and its log entries are there, or neither; an import that is not
    finished is taken back by `undoing.take_back`.
    """
    _require_running(tx, intake_id)
    tally = Tally()
    keys = len(tx.vault.suppression_keys())
    current, next_id = tx.one("SELECT generation, next_recipient FROM campaign")
    if current != generation:
        newcomers = [_looked_up(tx, newcomer, current) for newcomer in newcomers]
    if any(len(one.hashes) < keys for one in newcomers):
        newcomers = [_hashed(tx, newcomer) for newcomer in newcomers]
    stopped = suppressed_among(tx, [hashed for one in newcomers for hashed in one.hashes])
    there = enriching.there_already(tx, newcomers, generation=current)
    fresh = [
        one
        for one in newcomers
        if one.lookup not in there and (not stopped or stopped.isdisjoint(one.hashes))
    ]
    known = [(one, there[one.lookup]) for one in newcomers if one.lookup in there]
    known = [each for each in known if stopped.isdisjoint(each[0].hashes)]
    tally.admitted, tally.duplicates = len(fresh), len(known)
    tally.suppressed = len(newcomers) - len(fresh) - len(known)
    if fresh:
        fresh.sort(key=_standing)  # so that the ids of a standing follow each other in the log
        _insert(tx, fresh, first_id=next_id, intake_id=intake_id, generation=current)
        _count(tx, fresh, tally, first_id=next_id, intake_id=intake_id)
    tally.richer, tally.differing = enriching.merge(tx, known, intake_id=intake_id)
    return tally


def _standing(newcomer: Newcomer) -> str:
    return newcomer.standing


def _looked_up(tx: Transaction, newcomer: Newcomer, generation: int) -> Newcomer:
    """Return *newcomer* as it is found under another generation: a purge came between."""
    lookup = tx.vault.lookup(newcomer.mailbox.casefold(), generation=generation)
    return newcomer._replace(lookup=lookup)


def _hashed(tx: Transaction, newcomer: Newcomer) -> Newcomer:
    """Return *newcomer* as it may be suppressed now: the list of another campaign came between."""
    return newcomer._replace(hashes=tx.vault.suppressions(newcomer.mailbox.casefold()))


def _insert(
    tx: Transaction,
    fresh: Sequence[Newcomer],
    *,
    first_id: int,
    intake_id: int,
    generation: int,
) -> None:
    """Add recipients, sealed, with ids from *first_id* on."""
    leaf = tx.value("SELECT size FROM log_head")
    # Random as it is kept, and so is what `Vault.own_key` makes of it.
    own_keys = secrets.token_bytes(_OWN_KEY_BYTES * len(fresh))
    texts = [personal.sealed_text(one.mailbox, one.known) for one in fresh]
    sealed = tx.vault.seal_texts(texts, generation=generation, first_id=first_id)
    tx.fill(
        "recipient",
        _COLUMNS,
        [
            (
                first_id + at,
                intake_id,
                generation,
                one.lookup,
                sealed[at],
                own_keys[at * _OWN_KEY_BYTES : (at + 1) * _OWN_KEY_BYTES],
                one.relationship,
                one.country,
                one.language,
                one.provider,
                one.contact,
                one.standing,
                one.cell,
                one.reason,
                leaf,
                0,
                False,
                False,
            )
            for at, one in enumerate(fresh)
        ],
    )


def _count(
    tx: Transaction, fresh: Sequence[Newcomer], tally: Tally, *, first_id: int, intake_id: int
) -> None:
    """Keep in the campaign, the log and *tally* who came where."""
    tally.standings.update(one.standing for one in fresh)
    tally.reasons.update(one.reason for one in fresh if one.standing == Standing.WITHHELD)
    ids: dict[str, list[int]] = {}
    for recipient_id, one in enumerate(fresh, start=first_id):
        ids.setdefault(one.standing, []).append(recipient_id)
    tx.run(
        "UPDATE campaign SET next_recipient = ?, admitted = admitted + ?",
        *(first_id + len(fresh), len(fresh)),
    )
    moves = [move(listed, standing) for standing, listed in ids.items()]
    tx.log.append(Kind.ADMITTED, {"import": intake_id, "moves": moves}, now=tx.now)


def _require_running(tx: Transaction, intake_id: int) -> None:
    """Refuse to go on with what another import has taken back: on a shared ledger the lock of the
    one that runs can be lost with the way to the database."""
    if tx.value("SELECT undone_at FROM intake WHERE id = ?", intake_id) is not None:
        raise LedgerUnusable(
            "the database was away for a moment, and another import has taken this one back",
            hint="run it again: nothing of it is there",
        )


def finish_intake(tx: Transaction, intake_id: int, tally: Tally, facts: Mapping[str, Any]) -> None:
    """Make the import count: its sums, and in the log what it was told of the whole list.

    Raises: LedgerUnusable when it was taken back meanwhile.
    """
    _require_running(tx, intake_id)
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
    told = {"import": intake_id, **counts, "richer": tally.richer, **facts}
    tx.log.append(Kind.IMPORTED, told, now=tx.now)
