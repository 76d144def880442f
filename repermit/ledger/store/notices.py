"""The privacy notice: which text of it counts, and what a person said of a change."""

from __future__ import annotations

from dataclasses import dataclass

from repermit.errors import ApprovalRefused
from repermit.ledger.log import Kind
from repermit.ledger.store.snapshots import keep_snapshot, snapshot
from repermit.ledger.tables import Snapshot
from repermit.ledger.transaction import Transaction


@dataclass(frozen=True)
class Call:
    """What a person said of a change, from one content hash to another: only a material one voids
    the approval."""

    was: str
    now: str
    is_material: bool
    reason: str = ""


def current_notice(tx: Transaction) -> Snapshot | None:
    """Return the text that counts now, to which answers point; None when none was kept."""
    hashed = tx.value("SELECT notice FROM campaign")
    return snapshot(tx, hashed) if hashed else None


def keep_notice(tx: Transaction, language: str, text: str) -> str:
    """Keep the text of the notice, once, and return its content hash; *language* is that of the
    campaign, or all of them, joined."""
    return keep_snapshot(tx, "notice", language, text)


def judge(tx: Transaction, call: Call, *, by: str) -> None:
    """Put into the log what *by* said of a change; the new text, which is kept, counts from here.

    Raises: ApprovalRefused when another text has been approved or judged meanwhile.
    Crash: the entry and the text that counts land together or not.
    """
    counts = tx.run("UPDATE campaign SET notice = ? WHERE notice = ?", call.now, call.was)
    if not counts:
        raise ApprovalRefused(
            "another privacy notice has been approved meanwhile",
            hint="run it again, and look at what has changed since then",
        )
    payload = {
        "by": by,
        "was": call.was,
        "is": call.now,
        "material": call.is_material,
        "reason": call.reason,
    }
    tx.log.append(Kind.JUDGED, payload, now=tx.now)
