"""Which of the mails that are about to leave may: nobody who is suppressed, and no more than the
open wave and the caps have room for, whatever other senders have reserved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from repermit.domain.provider import Caps
from repermit.ledger.store import caps as provider_caps
from repermit.ledger.store.suppression import suppressed_among
from repermit.ledger.store.waves import Open
from repermit.ledger.transaction import Transaction

if TYPE_CHECKING:
    from repermit.ledger.store.sending import Intent


def allowed(tx: Transaction, intents: Sequence[Intent], wave: Open, caps: Caps) -> list[Intent]:
    """Return those of *intents* that may be claimed."""
    return _within(tx, _unsuppressed(tx, intents), wave, caps)


def _unsuppressed(tx: Transaction, intents: Sequence[Intent]) -> list[Intent]:
    """Return the intents about those who are not suppressed."""
    hashes = tx.vault.suppressions_of(
        [intent.reserved.person.address.canonical for intent in intents]
    )
    stopped = suppressed_among(tx, [hashed for several in hashes for hashed in several])
    return [
        intent
        for intent, several in zip(intents, hashes, strict=True)
        if stopped.isdisjoint(several)
    ]


def _within(tx: Transaction, intents: Sequence[Intent], wave: Open, caps: Caps) -> list[Intent]:
    """Return the intents that the wave and the caps have room for: other senders have reserved
    too."""
    theirs = {one.reserved.provider for one in intents}
    rooms = provider_caps.rooms(tx, {name: caps[name] for name in caps if name in theirs})
    left = wave.left
    found: list[Intent] = []
    for intent in intents:
        provider, is_first = intent.reserved.provider, intent.reserved.first_try_at is None
        if (provider in rooms and not rooms[provider]) or (left == 0 and is_first):
            continue
        if provider in rooms:
            rooms[provider] -= 1
        if left is not None and is_first:
            left -= 1
        found.append(intent)
    return found
