"""Applying the policy again to those who had no mail yet."""

from __future__ import annotations

from collections import Counter
from datetime import date

from repermit.domain.policy import Rules, decide
from repermit.domain.standing import Standing
from repermit.ledger.log import Kind, move
from repermit.ledger.store.admission import STANDING_AFTER
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction


def screen_slice(
    tx: Transaction, rules: Rules, *, today: date, after_id: int, slice_rows: int
) -> tuple[int, Counter[tuple[str, str, str]]]:
    """Screen the next rows that had no mail; return the last id seen (0 at the end) and the
    count by cell, standing and reason."""
    rows = tx.rows(
        "SELECT id, generation, sealed, relationship, country, standing, cell, reason"
        " FROM recipient WHERE id > ? AND standing IN ('listed', 'withheld', 'exempt')"
        " AND NOT restored"
        " ORDER BY id LIMIT ?",
        *(after_id, slice_rows),
    )
    counts: Counter[tuple[str, str, str]] = Counter()
    ids: dict[Standing, list[int]] = {}
    leaf = tx.value("SELECT size FROM log_head")
    for row in rows:
        person, (recipient_id, *_, was, cell, reason) = open_person(tx, row), row
        decision = decide(person.evidence, rules, today=today)
        standing = STANDING_AFTER[decision.outcome]
        counts[decision.cell, standing, decision.reason] += 1
        if (standing, decision.cell, decision.reason) == (was, cell, reason):
            continue
        tx.run(
            "UPDATE recipient SET standing = ?, cell = ?, reason = ?, lease_by = NULL,"
            " lease_until = NULL, listed_at_leaf = CASE WHEN standing = ? THEN listed_at_leaf"
            " ELSE ? END WHERE id = ?",
            *(str(standing), decision.cell, str(decision.reason)),
            *(str(standing), leaf, recipient_id),
        )
        if standing != was:
            ids.setdefault(standing, []).append(recipient_id)
    if ids:
        moves = [move(listed, standing) for standing, listed in ids.items()]
        tx.log.append(Kind.SCREENED, {"moves": moves}, now=tx.now)
    return (rows[-1][0] if rows else 0), counts
