"""Everything about one person, read at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from repermit.domain.policy import Outcome, Reason
from repermit.domain.standing import Standing
from repermit.ledger.log import Kind
from repermit.ledger.store import due, holding, reading, timeline
from repermit.ledger.store.due import Due, Terms
from repermit.ledger.store.holding import OnHold
from repermit.ledger.store.reading import OnFile, SuppressedOnFile
from repermit.ledger.store.timeline import Event
from repermit.ledger.transaction import Transaction

_OUTCOMES: Final[Mapping[str, Outcome]] = {
    Reason.ALLOWED: Outcome.ASK,
    Reason.NO_QUESTION_NEEDED: Outcome.EXEMPT,
}


@dataclass(frozen=True)
class Life:
    """Everything about one person: what is on file (None: no row), since when they are never
    mailed, what happened, the lists they were on, why they were asked, what is owed to them, what
    keeps them, and from when on a purge erases them."""

    found: OnFile | None
    never: SuppressedOnFile | None
    events: tuple[Event, ...] = ()
    lists: tuple[Mapping[str, Any], ...] = ()
    reason: str | None = None
    owed: tuple[str, ...] = ()
    hold: OnHold | None = None
    due: Due | None = None

    @property
    def exports(self) -> tuple[Event, ...]:
        """Return the exports that carried their yes out."""
        return tuple(
            each
            for each in self.events
            if each.kind is Kind.EXPORTED and each.facts["standing"] == Standing.OPTED_IN
        )

    @property
    def is_untold(self) -> bool:
        """Return whether a yes that is none any more was carried out, and no export of those who
        must stop has named them since."""
        told = [
            each.entry
            for each in self.events
            if each.kind is Kind.EXPORTED and each.facts["standing"] == Standing.OPTED_OUT
        ]
        out = self.found is not None and self.found.standing is Standing.OPTED_OUT
        return out and any(each.entry > max(told, default=-1) for each in self.exports)


def life(tx: Transaction, found: OnFile, terms: Terms) -> Life:
    """Return everything about the person on file as *found*; a purge would be by *terms*."""
    events = timeline.timeline(tx, found.id)
    mails = [each.entry for each in events if each.facts.get("to") == Standing.CLAIMED]
    relationship = found.person.evidence.relationship
    return Life(
        found,
        reading.suppressed(tx, found.person.address),
        events,
        timeline.lists_of(tx, found.id),
        timeline.reason_of(tx, relationship, before=mails[-1] if mails else None),
        timeline.owed(tx, found.id),
        holding.hold_on(tx, found.id),
        due.of(tx, terms, found.id),
    )


def outcome_of(found: OnFile) -> Outcome:
    """Return what the policy said of them."""
    return _OUTCOMES.get(found.reason, Outcome.WITHHOLD)
