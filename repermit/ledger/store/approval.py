"""Who approved exactly what; whatever is added or changed later is not approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import col, select

from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, canonical
from repermit.ledger.tables import Approval
from repermit.ledger.transaction import Transaction


def approve(
    tx: Transaction, *, by: str, informed: str, digest: str, facts: Mapping[str, Any]
) -> int:
    """Record who approved exactly what and return its number; whoever is listed after this is
    not approved."""
    approval = Approval(
        at=to_micros(tx.now),
        by=by,
        informed=informed,
        digest=digest,
        log_size=tx.value("SELECT size FROM log_head"),
        facts=canonical(facts).decode(),
    )
    tx.session.add(approval)
    tx.session.flush()
    payload = {"by": by, "informed": informed, "digest": digest, "facts": dict(facts)}
    tx.log.append(Kind.APPROVED, payload, now=tx.now)
    return approval.id or 0


def latest_approval(tx: Transaction) -> Approval | None:
    """Return the approval that counts, or None."""
    return tx.session.exec(select(Approval).order_by(col(Approval.id).desc())).first()


def listed_since(tx: Transaction, approval: Approval) -> int:
    """Return how many rows were listed after *approval* was given."""
    return int(
        tx.value(
            "SELECT count(*) FROM recipient WHERE standing = 'listed' AND listed_at_leaf >= ?",
            approval.log_size,
        )
    )
