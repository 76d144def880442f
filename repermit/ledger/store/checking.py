"""The mail to a dead address that tries whether bounces come back: its number, and its bounce.

It is nobody's mail, so the log says nothing of it. `inbound.note_check` notes its bounce.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Tried:
    """The last of these mails: when it left (None: the relay did not take it), and when a bounce
    of one of them was last read. `kind` is what its own bounce was, `status` its codes; both None
    while it has not come back."""

    number: int | None = None
    left_at: datetime | None = None
    seen_at: datetime | None = None
    kind: str | None = None
    status: str | None = None

    @property
    def took(self) -> timedelta | None:
        """Return how long its bounce took; None while it has not come back."""
        if self.left_at is None or self.seen_at is None or self.seen_at < self.left_at:
            return None
        return self.seen_at - self.left_at


def tried(tx: Transaction) -> Tried:
    """Return what became of the last of these mails."""
    number, left, seen, kind, status = tx.one(
        "SELECT bounce_check, bounce_check_at, bounce_seen_at, bounce_kind, bounce_status"
        " FROM campaign"
    )
    return Tried(number, from_micros(left), from_micros(seen), kind, status)


def begin(tx: Transaction) -> int:
    """Note that such a mail is about to leave, and return its number."""
    return int(
        tx.one(
            "UPDATE campaign SET bounce_check = coalesce(bounce_check, 0) + 1, bounce_check_at = ?,"
            " bounce_kind = NULL, bounce_status = NULL RETURNING bounce_check",
            to_micros(tx.now),
        )[0]
    )


def refused(tx: Transaction, number: int) -> None:
    """Note that the relay did not take the mail of that number, so that no bounce can come."""
    tx.run("UPDATE campaign SET bounce_check_at = NULL WHERE bounce_check = ?", number)
