"""Who was here and is not any more: told from the keyed hashes that stay when they go.

Nobody leaves the campaign without a hash on the suppression list: whoever is purged, so that they
are not asked again, whoever is erased or said no, so that they are never mailed again. A hash of
an address that no recipient has now therefore tells of somebody who is gone, and no other list
of them needs to be kept. It also tells of people who were never admitted because they had said
stop before: they have no more business in a file of ours than the others.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from repermit.domain.address import Address
from repermit.ledger.store.personal import lookups
from repermit.ledger.transaction import Transaction


def gone(tx: Transaction, canonicals: Iterable[str], own: Container[str] = ()) -> bytes | None:
    """Return the code of the person who is gone and whom the first known one of *canonicals*
    names, readings of one and the same text; None when it names a recipient, one of the
    controller's *own* addresses, or nobody."""
    for canonical in canonicals:
        if canonical in own:
            return None
        code = _suppressed(tx, canonical)
        if _is_recipient(tx, canonical):
            return None
        if code is not None:
            return code
    return None


def own_words(tx: Transaction) -> Iterator[str]:
    """Yield every text that everybody is shown, or that was approved: whose address stands in one
    is named by the controller, whoever else they are."""
    for (text,) in tx.connection.execute(
        "SELECT content FROM snapshot UNION ALL SELECT facts FROM approval"
        " UNION ALL SELECT approval.by FROM approval UNION ALL SELECT informed FROM approval"
    ):
        yield text


def _suppressed(tx: Transaction, canonical: str) -> bytes | None:
    for hashed in tx.vault.suppressions(canonical):
        if tx.one("SELECT 1 FROM suppression WHERE hash = ?", hashed) is not None:
            return hashed
    return None


def _is_recipient(tx: Transaction, canonical: str) -> bool:
    keys = lookups(tx, Address(canonical, canonical))
    return any(tx.one("SELECT 1 FROM recipient WHERE lookup = ?", each) for each in keys)
