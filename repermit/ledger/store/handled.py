"""Which messages that came in were handled, by their digests."""

from __future__ import annotations

from collections.abc import Iterable

from repermit.ledger.instants import to_micros
from repermit.ledger.store import waves
from repermit.ledger.transaction import Transaction


def note(tx: Transaction, digest: bytes, *, kind: str, outcome: str) -> None:
    """Note that a message was handled, so that it never is again, and that the way in was read."""
    tx.run(
        "INSERT INTO handled (digest, at, kind, outcome) VALUES (?, ?, ?, ?)",
        *(digest, to_micros(tx.now), kind, outcome),
    )
    waves.note_inbound(tx)


def outcome_of(tx: Transaction, digest: bytes) -> str | None:
    """Return what became of the message with that digest; None when it was never handled."""
    found: str | None = tx.value("SELECT outcome FROM handled WHERE digest = ?", digest)
    return found


def unknown(tx: Transaction, digests: Iterable[bytes]) -> list[bool]:
    """Return of each digest whether it is not on file."""
    return [outcome_of(tx, each) is None for each in digests]


def leave(tx: Transaction, digests: Iterable[bytes], outcome: str) -> None:
    """Note that messages stay where they are, so that they are not fetched again; of these digests
    no kind is kept, for each message has another that counts."""
    rows = [(each, to_micros(tx.now), "", outcome) for each in digests]
    tx.many(
        "INSERT INTO handled (digest, at, kind, outcome) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (digest) DO NOTHING",
        rows,
    )


def is_first(tx: Transaction, what: str, *numbers: int) -> bool:
    """Return whether this is the first time that *what* is counted of these *numbers*, and note
    it under a keyed digest; like those of `leave`, it has no kind."""
    text = " ".join(("repermit.counted", what, *map(str, numbers)))
    mark = tx.vault.mac(tx.vault.keys.message, text.encode())
    added = tx.run(
        "INSERT INTO handled (digest, at, kind, outcome) VALUES (?, ?, '', 'counted')"
        " ON CONFLICT (digest) DO NOTHING",
        *(mark, to_micros(tx.now)),
    )
    return added == 1
