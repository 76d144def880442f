"""What `person` found and did, as the one object that it prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from repermit.domain.clock import iso

if TYPE_CHECKING:
    from repermit.ledger.store.holding import OnHold
    from repermit.ledger.store.reading import OnFile, SuppressedOnFile
    from repermit.report.life import Life
    from repermit.report.outlook import At


@dataclass
class Told:
    """What one call found and did."""

    to: str
    life: Life
    corrected: str | None = None
    erased: int | None = None
    exported: list[int] = field(default_factory=list)
    letter: dict[str, Any] | None = None
    shown: list[str] = field(default_factory=list)


def content(told: Told, at: At) -> dict[str, Any]:
    """Return the one object that `--json` prints; always the same keys."""
    from repermit.report.life import outcome_of
    from repermit.report.outlook import next_steps
    from repermit.report.timeline import says

    life, found = told.life, told.life.found
    return {
        "corrected": told.corrected,
        "erased": told.erased,
        "exported": told.exported,
        "on_file": found and _on_file(found),
        "suppressed": life.never and _suppressed(life.never, at),
        "policy": found
        and {
            "cell": found.cell,
            "outcome": str(outcome_of(found)),
            "reason": found.reason,
            "written_reason": life.reason,
        },
        "hold": life.hold and _hold(life.hold, at.now),
        "lists": [dict(each) for each in life.lists],
        "timeline": [
            {
                "at": iso(each.at),
                "entry": each.entry,
                "event": str(each.kind),
                "says": says(each, at.zone),
                "facts": dict(each.facts),
            }
            for each in life.events
        ],
        "next": [
            {"what": each.what, "at": iso(each.at), "says": each.says}
            for each in next_steps(life, at)
        ],
        "letter": told.letter,
        "shown": told.shown,
    }


def _on_file(found: OnFile) -> dict[str, Any]:
    evidence = {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in vars(found.person.evidence).items()
        if value is not None
    }
    return {
        "id": found.id,
        "address": found.person.address.mailbox,
        "standing": str(found.standing),
        "suspect": found.suspect,
        "cell": found.cell,
        "reason": found.reason,
        "language": found.language,
        "evidence": evidence,
        "mailed_at": iso(found.intent_at),
        "settled_at": iso(found.settled_at),
        "relay_said": found.relay_reply,
        "due_at": iso(found.due_at),
        "falls_due": iso(found.falls_due),
        "purposes": list(found.purposes),
        "answers": [
            {**vars(each), "at": iso(each.at), "purposes": list(each.purposes)}
            for each in found.answers
        ],
        "origins": [{**vars(each), "keep_until": iso(each.keep_until)} for each in found.origins],
        "replies": [
            {
                "id": each.id,
                "at": iso(each.at),
                "kind": each.kind,
                "signed": each.signed,
                "sender": each.sender,
                "subject": each.subject,
                "text": each.text,
            }
            for each in found.replies
        ],
    }


def _hold(hold: OnHold, now: datetime) -> dict[str, Any]:
    return {
        "kind": str(hold.kind),
        "since": iso(hold.since),
        "until": iso(hold.until),
        "by": hold.by,
        "reason": hold.reason,
        "counts": hold.counts(now),
    }


def _suppressed(never: SuppressedOnFile, at: At) -> dict[str, Any]:
    return {
        "since": iso(never.since),
        "source": never.source,
        "reason": never.reason,
        "until": iso(at.code_until(never)),
    }
