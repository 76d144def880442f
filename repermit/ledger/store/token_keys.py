"""Which keys signed the links in the mails, and who could not answer any more because of that."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from repermit.ledger.instants import to_micros
from repermit.ledger.store import due
from repermit.ledger.store.due import Terms
from repermit.ledger.transaction import Transaction


def note(tx: Transaction, fingerprint: str) -> None:
    """Note that mails are signed with that key from now on, unless it was noted before."""
    tx.run(
        "INSERT INTO token_key (fingerprint, since) VALUES (?, ?)"
        " ON CONFLICT (fingerprint) DO NOTHING",
        *(fingerprint, to_micros(tx.now)),
    )


def cut_off(tx: Transaction, terms: Terms, read: Sequence[str]) -> int:
    """Return how many of those who are due by a date have a link of a key that is not among those
    that are *read*: from when that key was noted to when the next one was."""
    noted = tx.rows("SELECT fingerprint, since FROM token_key ORDER BY since, fingerprint")
    found = 0
    for (fingerprint, since), (_, until) in pairwise([*noted, ("", None)]):
        if fingerprint not in read:
            found += _signed(tx, terms, since, until)
    return found


def _signed(tx: Transaction, terms: Terms, since: int, until: int | None) -> int:
    """Return how many of those who are due got their mail within that time; None: until now."""
    values = {**terms.values(), "since": since, "until": until}
    return sum(
        tx.connection.execute(
            f"SELECT count(*) FROM recipient WHERE {due.condition(reason)}"
            " AND intent_at >= :since AND (CAST(:until AS BIGINT) IS NULL OR intent_at < :until)",
            values,
        ).fetchone()[0]
        for reason in terms.by_date
    )
