"""Who approved exactly what; whatever is added or changed later is not approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from repermit.domain.standing import MAY_ANSWER, Standing
from repermit.errors import ApprovalRefused
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, canonical
from repermit.ledger.store.campaign import cells, knows_opt_outs
from repermit.ledger.store.present import require_open
from repermit.ledger.store.undoing import is_unfinished
from repermit.ledger.tables import Approval
from repermit.ledger.transaction import Transaction

_READS_WORDS = MAY_ANSWER | {Standing.LISTED, Standing.DEFERRED}


@dataclass(frozen=True)
class Approved:
    """What was approved: its number, how many may be asked, and (cell, standing, reason, count)."""

    number: int
    listed: int
    cells: list[tuple[str, str, str, int]]


def require_ready(tx: Transaction) -> list[tuple[str, str, str, int]]:
    """Return the cells with their counts, once somebody in them may be asked, or was: the pages
    are for them, too.

    Raises: ApprovalRefused when nobody is listed or was asked, an import has begun and not
    completed, or nobody has said who opted out before; CampaignClosed.
    """
    require_open(tx)
    if is_unfinished(tx):
        raise ApprovalRefused(
            "an import is running, or was cut off", hint="wait until it is done, or run it again"
        )
    counted = cells(tx)
    if not any(standing in _READS_WORDS for _, standing, _, _ in counted):
        raise ApprovalRefused(
            "nobody is listed: there is nobody to ask",
            hint="see the reasons with `repermit screen`",
        )
    if not knows_opt_outs(tx):
        raise ApprovalRefused(
            "nobody has said yet who opted out before",
            hint="`repermit suppress LIST` with everyone who did; if nobody ever did, say so: "
            '`repermit suppress --none "..."`',
        )
    return counted


def approve(
    tx: Transaction, *, by: str, informed: str, digest: str, facts: Mapping[str, Any]
) -> Approved:
    """Record who approved exactly what, with the counts of this very moment; whoever is listed
    after this is not approved. *facts* name the privacy notice, which counts from here, by its
    content hash.

    Raises: ApprovalRefused as `require_ready` does.
    """
    counted = require_ready(tx)
    listed = sum(count for _, standing, _, count in counted if standing == Standing.LISTED)
    counts = {"/".join((cell, standing, why)): count for cell, standing, why, count in counted}
    told = {**facts, "counts": counts}
    log_size = tx.value("SELECT size FROM log_head")
    approval = Approval(
        at=to_micros(tx.now),
        by=by,
        informed=informed,
        digest=digest,
        log_size=log_size,
        facts=canonical(told).decode(),
    )
    number = tx.add(approval)
    payload = {
        "number": number,
        "by": by,
        "informed": informed,
        "digest": digest,
        "log_size": log_size,
        "facts": told,
    }
    tx.log.append(Kind.APPROVED, payload, now=tx.now)
    tx.run("UPDATE campaign SET notice = ?", facts.get("notice"))
    return Approved(number=number, listed=listed, cells=counted)


def latest_approval(tx: Transaction) -> Approval | None:
    """Return the approval that counts, or None."""
    return tx.found(Approval, "ORDER BY id DESC LIMIT 1")


def listed_since(tx: Transaction, approval: Approval) -> dict[int | None, int]:
    """Return how many rows were listed after *approval* was given, by the import that brought
    them; under None those who were there, and that a screening has listed since."""
    rows = tx.rows(
        "SELECT CASE WHEN intake.started_at > ? THEN intake.id END, count(*) FROM recipient"
        " JOIN intake ON intake.id = recipient.intake_id"
        " WHERE standing = 'listed' AND listed_at_leaf >= ? GROUP BY 1 ORDER BY 1",
        *(approval.at, approval.log_size),
    )
    return dict(rows)
