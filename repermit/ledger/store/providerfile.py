"""What an export of a mail provider says of addresses: that they are dead, or that their owner
complained.

There the address is the key, so only undeliverable or opted out can follow, never a yes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from repermit.domain.address import Address
from repermit.ledger.store import inbound, suppression
from repermit.ledger.store.inbound import Effect, Reported
from repermit.ledger.store.suppression import Suppressed
from repermit.ledger.transaction import Transaction

_DEAD = "5.1.1"  # as a bounce that says the same (RFC 3463 section 3.2)


@dataclass(frozen=True)
class Bounced:
    """How many recipients are undeliverable from now on, and where all of them stood before."""

    moved: int
    stood: Counter[str]


def bounce(tx: Transaction, addresses: Sequence[Address]) -> Bounced:
    """Settle that the mails to *addresses* came back because they are dead, as of a bounce: only
    who was asked, or may have been, becomes undeliverable."""
    stood, moved = Counter[str](), 0
    for address in addresses:
        recipient_id = inbound.whose_address(tx, address.mailbox)
        if recipient_id is not None:
            standing = tx.value("SELECT standing FROM recipient WHERE id = ?", recipient_id)
            stood[standing] += 1
            moved += inbound.bounced(tx, Reported(recipient_id), _DEAD) is Effect.MOVED
    return Bounced(moved, stood)


def complain(tx: Transaction, addresses: Sequence[Address]) -> Suppressed:
    """Opt out and suppress everybody in *addresses*, recipient or not.

    Those who had our mail complained of it, which counts for the waves; the others of another one.
    """
    added, stood, others = 0, Counter[str](), []
    for address in addresses:
        recipient_id = inbound.whose_address(tx, address.mailbox)
        sql = "SELECT standing FROM recipient WHERE id = ? AND intent_at IS NOT NULL"
        standing = tx.value(sql, recipient_id)
        if recipient_id is None or standing is None:
            others.append(address)
            continue
        stood[standing] += 1
        added += not suppression.is_suppressed(tx, address.canonical)
        inbound.complained(tx, Reported(recipient_id))
    rest = suppression.suppress(tx, others, source="elsewhere", reason="complaint")
    return Suppressed(added + rest.added, stood + rest.stood)
