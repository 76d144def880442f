"""Whether this ledger is the campaign's present one, before anything leaves."""

from __future__ import annotations

from repermit.errors import SendRefused
from repermit.ledger.transaction import Transaction


def require_present(tx: Transaction) -> None:
    """Raise SendRefused in an older copy of the ledger: whom it takes for listed may have their
    mail."""
    if tx.value("SELECT older_copy FROM campaign"):
        raise SendRefused(
            "this ledger is an older copy: some of its mails may have left since",
            hint="run `repermit doubt restored`, which makes the unsettled ones doubtful",
        )
