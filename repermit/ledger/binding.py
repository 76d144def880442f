"""Whether the address that is sealed in a row is the one whose yes the log has.

The entry of every answer holds `who`, an HMAC of the address under a key of the row's own; the
row is found under `lookup`, another HMAC of it. Both are computed anew of what is sealed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from repermit.errors import KeysUnusable, ProofBroken, SealBroken
from repermit.ledger.transaction import Transaction

_FALSE = "its address is not that of the log"
_YESES = (
    "SELECT recipient.id, generation, CAST(sealed AS BLOB), CAST(lookup AS BLOB),"
    " CAST(leaf_key AS BLOB), who FROM recipient JOIN answer ON leaf = recipient.yes_leaf"
    " WHERE recipient.standing = 'opted_in' ORDER BY recipient.id"
)
_OTHERS = (
    "SELECT id, generation, CAST(sealed AS BLOB) FROM recipient WHERE standing IS NOT 'opted_in'"
    " ORDER BY id"
)


def false_addresses(tx: Transaction) -> Iterator[tuple[int, str]]:
    """Yield the number of each recipient who stands as opted in and whose sealed address is not
    that of their yes, or cannot be opened, with what is false about it; a yes of which the log
    does not know is not looked at."""
    for recipient_id, generation, sealed, lookup, kept, who in tx.connection.execute(_YESES):
        if not isinstance(generation, int):
            yield recipient_id, "its generation is not one"
            continue
        try:
            content = tx.vault.open(sealed, generation=generation, recipient_id=recipient_id)
            canonical = _canonical(content)
            filed = tx.vault.lookup(canonical, generation=generation)
            own_key = tx.vault.own_key(kept, generation=generation, recipient_id=recipient_id)
        except (KeysUnusable, SealBroken) as failure:
            yield recipient_id, f"its address cannot be opened: {failure}"
            continue
        if not _is_theirs(tx, own_key, canonical, who):
            yield recipient_id, _FALSE
        elif filed != lookup:
            yield recipient_id, "it is not filed under its address"


def unreadable(tx: Transaction) -> Iterator[str]:
    """Yield each other recipient whose sealed fields cannot be opened; a purge does not stop at
    them where they are due."""
    for recipient_id, generation, sealed in tx.connection.execute(_OTHERS):
        try:
            tx.vault.open_text(sealed, generation=generation, recipient_id=recipient_id)
        except (KeysUnusable, SealBroken) as failure:
            yield f"recipient {recipient_id}: its address cannot be opened: {failure}"


def require_theirs(tx: Transaction, recipient_id: int, canonical: str) -> None:
    """Raise ProofBroken unless *canonical* is the address whose yes stands at that recipient."""
    kept, generation, who = tx.one(
        "SELECT CAST(leaf_key AS BLOB), generation, who FROM recipient"
        " LEFT JOIN answer ON leaf = recipient.yes_leaf WHERE recipient.id = ?",
        recipient_id,
    )
    own_key = tx.vault.own_key(kept, generation=generation, recipient_id=recipient_id)
    if not _is_theirs(tx, own_key, canonical, who):
        raise ProofBroken(
            f"recipient {recipient_id}: {_FALSE}",
            hint="`repermit proof verify` names every fault; put back a backup that verifies",
        )


def _canonical(content: Any) -> str:
    """Return the address among sealed fields; an empty one where whoever has the keys sealed
    something else."""
    mailbox = content.get("mailbox") if isinstance(content, dict) else None
    return mailbox.casefold() if isinstance(mailbox, str) else ""


def _is_theirs(tx: Transaction, own_key: bytes, canonical: str, who: Any) -> bool:
    return bool(tx.vault.who(own_key, canonical) == who)
