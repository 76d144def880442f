"""What puts a mail into the outbox: a no that is to be acknowledged, a person who wants their data.

It is owed in the transaction of the fact that it is owed for, and changes nobody's standing.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from repermit.domain.policy import owes_acknowledgement
from repermit.domain.standing import CONTRARY_WINDOW
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind as Fact
from repermit.ledger.store.personal import Person
from repermit.ledger.transaction import Transaction

_A_DAY = timedelta(days=1)


class Kind(StrEnum):
    """What a mail of the outbox is."""

    ACKNOWLEDGEMENT = "acknowledgement"  # that we heard the no
    DATA = "data"  # everything we hold about its recipient, on their own request


def owe_acknowledgement(
    tx: Transaction, recipient_id: int, person: Person, *, language: str
) -> None:
    """Owe the acknowledgement of the no that a recipient has just given, where the policy does,
    once for ever; one that has not left yet waits until this no has stood unchallenged.

    Nothing is owed to who has complained.
    """
    if not owes_acknowledgement(person.evidence.country) or has_complained(tx, person):
        return
    not_before = to_micros(tx.now + CONTRARY_WINDOW)
    tx.run(
        "INSERT INTO outbox (recipient_id, kind, language, created_at, not_before, standing,"
        " attempts) VALUES (?, 'acknowledgement', ?, ?, ?, 'waiting', 0)"
        " ON CONFLICT (recipient_id) WHERE kind = 'acknowledgement' AND standing <> 'dropped'"
        " DO UPDATE SET not_before = excluded.not_before, language = excluded.language"
        " WHERE standing = 'waiting'",
        *(recipient_id, language, to_micros(tx.now), not_before),
    )


def owe_data(tx: Transaction, recipient_id: int, *, language: str) -> bool:
    """Owe a recipient the mail with everything that is held about them, on their own request;
    False, changing nothing, when they are not there, or one is owed or was within a day.

    Source: GDPR art. 12(5) and 15(3).
    """
    own_key = tx.value("SELECT leaf_key FROM recipient WHERE id = ?", recipient_id)
    recent = tx.one(
        "SELECT 1 FROM outbox WHERE recipient_id = ? AND kind = 'data'"
        " AND (standing IN ('waiting', 'claimed')"
        "  OR (created_at > ? AND standing IN ('sent', 'doubtful')))",
        *(recipient_id, to_micros(tx.now - _A_DAY)),
    )
    if own_key is None or recent is not None:
        return False
    now = to_micros(tx.now)
    tx.run(
        "INSERT INTO outbox (recipient_id, kind, language, created_at, not_before, standing,"
        " attempts) VALUES (?, 'data', ?, ?, ?, 'waiting', 0)",
        *(recipient_id, language, now, now),
    )
    payload = {"recipient": recipient_id, "request": str(Kind.DATA), "language": language}
    tx.log.append(Fact.REQUESTED, payload, now=tx.now, recipient=(recipient_id, own_key))
    return True


def has_complained(tx: Transaction, person: Person) -> bool:
    """Return whether somebody has complained about a mail to this person."""
    return any(
        tx.one("SELECT 1 FROM suppression WHERE hash = ? AND source = 'complaint'", hashed)
        for hashed in tx.vault.suppressions(person.address.canonical)
    )
