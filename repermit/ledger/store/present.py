"""Whether this ledger is the campaign's present one, and still open, before anything leaves."""

from __future__ import annotations

from datetime import datetime

from repermit.errors import CampaignClosed, SendRefused
from repermit.ledger.instants import from_micros
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


def closed_at(tx: Transaction) -> datetime | None:
    """Return when the campaign was closed, or None."""
    moment: datetime | None = from_micros(tx.value("SELECT closed_at FROM campaign"))
    return moment


def require_open(tx: Transaction) -> None:
    """Refuse whatever asks, or may lead to asking, somebody. Raises: CampaignClosed."""
    if since := closed_at(tx):
        raise CampaignClosed(since)
