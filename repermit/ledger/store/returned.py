"""What an export of a mail provider says of addresses: that they are dead, or that their owner
wants no mail.

There the address is the key, so only undeliverable or opted out can follow, never a yes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from repermit.domain.address import Address
from repermit.domain.standing import Standing
from repermit.ledger.store import stretches, suppression
from repermit.ledger.store.personal import lookups
from repermit.ledger.store.suppression import Suppressed
from repermit.ledger.transaction import Transaction

_DEAD = "550 5.1.1"  # as a reply that says the same
_MAY_BE_DEAD = frozenset({Standing.ASKED, Standing.DOUBTFUL})


@dataclass(frozen=True)
class Bounced:
    """How many recipients are undeliverable from now on, and where all of them stood before."""

    moved: int
    stood: Counter[str]

    @property
    def leaving(self) -> int:
        """Return how many have a mail on its way: what comes of that is not known yet."""
        return self.stood[Standing.CLAIMED]


def bounce(tx: Transaction, addresses: Sequence[Address]) -> Bounced:
    """Make the recipients among *addresses* undeliverable who were asked, or may have been.

    Whoever answered, opted out or had no mail stays where they stand, and so does who has one on
    its way.
    """
    stood, moved = Counter[str](), []
    for row in filter(None, (_row(tx, each) for each in addresses)):
        recipient_id, standing, stretch = row
        stood[standing] += 1
        if standing in _MAY_BE_DEAD:
            tx.run("UPDATE recipient SET standing = 'undeliverable' WHERE id = ?", recipient_id)
            moved.append((recipient_id, stretch))
    stretches.count_undeliverable(tx, [(stretch, _DEAD) for _, stretch in moved])
    tx.log.moved([recipient_id for recipient_id, _ in moved], Standing.UNDELIVERABLE)
    return Bounced(len(moved), stood)


def complain(tx: Transaction, addresses: Sequence[Address]) -> Suppressed:
    """Opt out and suppress everybody in *addresses*, recipient or not.

    Those who had our mail complained of it, which counts for the waves; the others of another one.
    """
    ours: list[Address] = []
    others: list[Address] = []
    for each in addresses:
        (ours if _had_mail(tx, each) else others).append(each)
    of_ours = suppression.suppress(tx, ours, source="complaint", reason="")
    of_others = suppression.suppress(tx, others, source="elsewhere", reason="complaint")
    return Suppressed(of_ours.added + of_others.added, of_ours.stood + of_others.stood)


def _had_mail(tx: Transaction, address: Address) -> bool:
    row = _row(tx, address)
    return row is not None and bool(
        tx.value("SELECT intent_at IS NOT NULL FROM recipient WHERE id = ?", row[0])
    )


def _row(tx: Transaction, address: Address) -> tuple[int, str, int] | None:
    """Return id, standing and stretch of the recipient with that address, or None."""
    for lookup in lookups(tx, address):
        row = tx.one("SELECT id, standing, stretch FROM recipient WHERE lookup = ?", lookup)
        if row is not None:
            return row[0], row[1], row[2]
    return None
