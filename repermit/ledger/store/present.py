"""Whether this ledger is the campaign's present one, before anything leaves."""

from __future__ import annotations

from repermit.errors import SendRefused
from repermit.ledger.transaction import Transaction


def require_present(tx: Transaction) -> None:
    """Refuse in an older copy of the ledger: whom it takes for listed may have their mail.

    Raises: SendRefused.
    """
    if tx.value("SELECT older_copy FROM campaign"):
        raise older_copy()


def older_copy() -> SendRefused:
    """Return that this ledger is an older copy, and what to do."""
    return SendRefused(
        "this ledger is an older copy: some of its mails may have left since",
        hint="run `repermit doubt restored`, which makes the unsettled ones doubtful",
    )
