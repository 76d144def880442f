"""People for tests, in every standing, without a ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from repermit.domain.due import Reason
from repermit.domain.standing import Standing
from repermit.ledger.log import Kind
from repermit.ledger.store.due import Due
from repermit.ledger.store.reading import AnswerOnFile, OnFile, SuppressedOnFile
from repermit.ledger.store.timeline import Event
from repermit.report.life import Life
from tests.builders import NOW
from tests.dispatch.builders import a_person

ADDRESS = "an.peeters@telenet.example"
DUE = NOW + timedelta(days=31)
_REASONS = {
    Standing.ASKED: Reason.SILENT,
    Standing.DOUBTFUL: Reason.DOUBTFUL,
    Standing.OPTED_OUT: Reason.OPTED_OUT,
    Standing.UNDELIVERABLE: Reason.UNDELIVERABLE,
}
ANSWER: dict[str, Any] = {
    "answer": "yes",
    "button": "Ja, ik wil dit ontvangen",
    "language": "nl",
    "page": "a" * 64,
    "purposes": ["newsletter"],
    "suspect": False,
    "way": "form",
    "standing": "opted_in",
}


def event(kind: Kind, /, entry: int = 1, at: datetime = NOW, **facts: Any) -> Event:
    """Return something that happened."""
    return Event(entry, at, kind, facts)


def an_export(standing: Standing, entry: int, **facts: Any) -> Event:
    """Return that an export held them."""
    told: dict[str, Any] = {
        "number": 3,
        "format": "csv",
        "purpose": None,
        "standing": str(standing),
    }
    return event(Kind.EXPORTED, entry, **(told | facts))


def on_file(standing: Standing = Standing.ASKED, **changes: Any) -> OnFile:
    """Return what is on file of somebody who stands there."""
    was_mailed = standing not in (Standing.LISTED, Standing.WITHHELD, Standing.EXEMPT)
    reasons = {Standing.WITHHELD: "collected_missing", Standing.EXEMPT: "no_question_needed"}
    known: dict[str, Any] = {
        "id": 7,
        "person": a_person(ADDRESS, relationship="signed_up_no_proof", country="BE"),
        "language": "nl",
        "standing": standing,
        "cell": "BE.signed_up_no_proof",
        "reason": reasons.get(standing, "allowed"),
        "suspect": False,
        "intent_at": NOW if was_mailed else None,
        "due_at": DUE if was_mailed else None,
        "settled_at": NOW if was_mailed else None,
        "relay_reply": None,
        "purposes": ("newsletter",) if standing is Standing.OPTED_IN else (),
        "answers": (),
    }
    return OnFile(**(known | changes))


def an_answer(language: str) -> AnswerOnFile:
    """Return a press on a page in that language."""
    shown = ("form", "opted_in", "Ja", language, ("newsletter",), None, None, "0.1.0", 4)
    return AnswerOnFile(NOW, "yes", *shown)


def a_code(source: str, at: datetime = NOW) -> SuppressedOnFile:
    """Return that only a code is kept, and why."""
    return SuppressedOnFile(at, source, "")


def a_life(standing: Standing | None, *events: Event, source: str = "", **changes: Any) -> Life:
    """Return somebody who stands there (None: no row), suppressed if a source is given."""
    found = on_file(standing, **changes) if standing else None
    due = None
    if found and found.standing in _REASONS and found.falls_due:
        due = Due(_REASONS[found.standing], found.falls_due)
    return Life(found, a_code(source) if source else None, events, due=due)
