"""Applying the policy again to those who had no mail yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from repermit.domain.decay import years_between
from repermit.domain.policy import Evidence, Rules, decide
from repermit.domain.standing import Standing
from repermit.ledger.log import Kind, move
from repermit.ledger.store.admission import STANDING_AFTER
from repermit.ledger.store.personal import open_person
from repermit.ledger.transaction import Transaction

_NO_MAIL: Final = (Standing.LISTED, Standing.WITHHELD, Standing.EXEMPT)
# No date is printed in a mail that nobody has, so that each part comes in the order of the ids, and
# has a limit of its own; else all who are left would be sorted once a slice.
_PARTS: Final = " UNION ALL ".join(
    f"SELECT id FROM (SELECT id FROM recipient WHERE standing = '{standing}' AND due_at IS NULL"
    f" AND id > :after AND NOT restored ORDER BY id LIMIT :limit) AS {standing}"
    for standing in _NO_MAIL
)
NEXT: Final = (
    "SELECT id, generation, sealed, relationship, country, language, standing, cell, reason"
    f" FROM recipient WHERE id IN (SELECT id FROM ({_PARTS}) AS parts ORDER BY id LIMIT :limit)"
    " ORDER BY id"
)


@dataclass
class Counts:
    """What a screening found: everyone by cell, standing and reason; those who may be asked also
    by the whole years since their last contact, and by what decides on the words of their mail:
    language, relationship, and whether it must be neutral."""

    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    ages: Counter[int] = field(default_factory=Counter)
    mails: Counter[tuple[str | None, str | None, str, bool]] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add the counts of *other* to these."""
        self.cells.update(other.cells)
        self.ages.update(other.ages)
        self.mails.update(other.mails)

    def count_mail(self, evidence: Evidence, language: str | None, today: date) -> None:
        """Count somebody who may be asked."""
        contacts = [day for day in (evidence.collected, evidence.last_contact) if day]
        self.ages[years_between(max(contacts, default=today), today)] += 1
        asked = (language, evidence.country, evidence.relationship or "", evidence.sensitive)
        self.mails[asked] += 1


def screen_slice(
    tx: Transaction, rules: Rules, *, today: date, after_id: int, slice_rows: int
) -> tuple[int, Counts]:
    """Screen the next rows that had no mail; return the last id seen (0 at the end) and what was
    found."""
    rows = tx.connection.execute(NEXT, {"after": after_id, "limit": slice_rows}).fetchall()
    found = Counts()
    ids: dict[Standing, list[int]] = {}
    leaf = tx.value("SELECT size FROM log_head")
    for row in rows:
        person, (recipient_id, *_, language, was, cell, reason) = open_person(tx, row), row
        decision = decide(person.evidence, rules, today=today)
        standing = STANDING_AFTER[decision.outcome]
        found.cells[decision.cell, standing, decision.reason] += 1
        if standing is Standing.LISTED:
            found.count_mail(person.evidence, language, today)
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
    return (rows[-1][0] if rows else 0), found
