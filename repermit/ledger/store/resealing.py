"""Sealing somebody anew, under another generation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from repermit.ledger.store.origin import reseal_origins
from repermit.ledger.store.replies import reseal_replies
from repermit.ledger.transaction import Transaction

_MAILBOX = '{"mailbox":"'
_READ = json.JSONDecoder().raw_decode


def mailbox_in(text: str) -> str:
    """Return the mailbox among the sealed fields *text*, where it comes first: reading the rest
    would take most of the time."""
    if text.startswith(_MAILBOX):
        return str(_READ(text, len(_MAILBOX) - 1)[0])
    return str(json.loads(text)["mailbox"])


def reseal(tx: Transaction, rows: Sequence[Sequence[Any]], *, generation: int) -> None:
    """Seal recipients anew, with all that is theirs, under *generation*; *rows* begin with id,
    generation and sealed. Raises: KeysUnusable, SealBroken."""
    values, kept = [], _kept_keys(tx, [row[0] for row in rows])
    for recipient_id, old, sealed, *_ in rows:
        text = tx.vault.open_text(sealed, generation=old, recipient_id=recipient_id)
        lookup = tx.vault.lookup(mailbox_in(text).casefold(), generation=generation)
        fresh = tx.vault.seal_text(text, generation, recipient_id)
        own = tx.vault.own_key(kept[recipient_id], generation=old, recipient_id=recipient_id)
        own = tx.vault.own_key(own, generation=generation, recipient_id=recipient_id)
        values.append((generation, fresh, lookup, own, recipient_id))
    tx.many(
        "UPDATE recipient SET generation = ?, sealed = ?, lookup = ?, leaf_key = ? WHERE id = ?",
        values,
    )
    ids = [row[0] for row in rows]
    reseal_origins(tx, ids, generation=generation)
    reseal_replies(tx, ids, generation=generation)


def _kept_keys(tx: Transaction, ids: Sequence[int]) -> dict[int, bytes]:
    """Return the own keys of recipients, as their rows keep them."""
    sql = "SELECT id, leaf_key FROM recipient WHERE id IN (SELECT value FROM json_each(?))"
    return dict(tx.rows(sql, json.dumps(ids)))


def reseal_one(tx: Transaction, row: Sequence[Any]) -> int:
    """Seal the recipient of *row* anew if a purge has not got there yet; return the generation
    that they are sealed under now. What is sealed of them next must be, too."""
    current = int(tx.value("SELECT generation FROM campaign"))
    if row[1] < current:
        reseal(tx, [row], generation=current)
    return current
