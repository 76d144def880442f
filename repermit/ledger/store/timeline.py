"""What happened to one person, as the log tells it, from the first entry to the last."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from repermit.domain.clock import iso
from repermit.ledger.instants import from_micros
from repermit.ledger.log import MOVING, Kind
from repermit.ledger.transaction import Transaction

_TELLING: Final = (
    'SELECT "index", at, kind, recipient_id, payload FROM log WHERE payload IS NOT NULL'
    " AND (recipient_id = ? OR recipient_id IS NULL"
    " AND kind IN ('admitted', 'screened', 'moved', 'exported', 'extended')) ORDER BY \"index\""
)
_CODES: Final = frozenset({"recipient", "who"})  # whose it is, which is known


@dataclass(frozen=True)
class Event:
    """One thing that happened: its entry in the log, when, of which kind, and the facts in it; of
    a move only where this person came to stand (`to`, with `due`, and `mail` and its `language`,
    if those were new)."""

    entry: int
    at: datetime
    kind: Kind
    facts: Mapping[str, Any]


@dataclass
class _Path:
    """Where a person stood from which entry on, and for what their yes was; the date in their
    mail, or the one to which it was moved."""

    steps: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    due: str | None = None

    def step(self, entry: int, facts: Mapping[str, Any], kind: Kind) -> None:
        """Note where an entry leaves them."""
        self.due = facts.get("until" if kind is Kind.EXTENDED else "due", self.due)
        if "to" in facts:
            covers = self.steps[-1][2] if self.steps else ()
            self.steps.append((entry, facts["to"], covers))
        elif kind in MOVING:
            self.steps.append((entry, facts["standing"], tuple(facts.get("covers", ()))))

    def is_in(self, export: Mapping[str, Any]) -> bool:
        """Return whether an export holds them: that of a ledger with so many entries."""
        stood = [step for step in self.steps if step[0] < export["log_size"]]
        if not stood or stood[-1][1] != export["standing"]:
            return False
        return export["purpose"] is None or export["purpose"] in stood[-1][2]


def timeline(tx: Transaction, recipient_id: int) -> tuple[Event, ...]:
    """Return everything that the log tells of a recipient who is there, the oldest first: their
    own acts, what moved them, and the exports that hold them."""
    return tuple(_events(tx, recipient_id))


def _events(tx: Transaction, recipient_id: int) -> Iterator[Event]:
    path = _Path()
    for entry, at, named, whose, payload in tx.connection.execute(_TELLING, (recipient_id,)):
        kind, said = Kind(named), json.loads(payload)
        if kind is Kind.EXTENDED:
            found = said if path.due is not None and path.due < said["until"] else None
        elif kind is Kind.EXPORTED:
            found = said if "log_size" in said and path.is_in(said) else None
        elif whose is not None:
            found = {name: value for name, value in said.items() if name not in _CODES}
        else:
            found = _moved(tx, said, recipient_id)
        if found is None:
            continue
        path.step(entry, found, kind)
        yield Event(entry, datetime.fromisoformat(at), kind, found)


def _moved(tx: Transaction, said: Mapping[str, Any], recipient_id: int) -> dict[str, Any] | None:
    """Return what a bulk entry says of one of those it moved; None when it did not move them."""
    for move in said.get("moves", ()):
        if any(first <= recipient_id <= last for first, last in move["ids"]):
            told = {name: move[name] for name in ("to", "due", "mail") if name in move}
            if "mail" in told:
                query = "SELECT language FROM snapshot WHERE hash = ?"
                told["language"] = tx.value(query, told["mail"])
            return told | {name: said[name] for name in ("import",) if name in said}
    return None


def lists_of(tx: Transaction, recipient_id: int) -> tuple[Mapping[str, Any], ...]:
    """Return the imports whose lists hold a recipient: number, begin, hash of the list; the one
    that says most first."""
    rows = tx.rows(
        "SELECT id, started_at, sha256 FROM intake WHERE id = (SELECT intake_id FROM recipient"
        " WHERE id = ?1) UNION ALL SELECT id, started_at, sha256 FROM intake WHERE id IN"
        " (SELECT intake_id FROM also_said WHERE recipient_id = ?1)",
        recipient_id,
    )
    return tuple(
        {"import": number, "at": iso(from_micros(at)), "sha256": digest}
        for number, at, digest in rows
    )


def reason_of(tx: Transaction, relationship: str | None, *, before: int | None) -> str | None:
    """Return the operator's written reason to ask people of that relationship, as it stood at an
    entry of the log (None: now); None when there is none."""
    payload = tx.value(
        "SELECT payload FROM log WHERE kind = 'screened'"
        ' AND (CAST(?1 AS BIGINT) IS NULL OR "index" < ?1)'
        " AND json_extract(CAST(payload AS TEXT), '$.table') IS NOT NULL"
        ' ORDER BY "index" DESC LIMIT 1',
        before,
    )
    found = json.loads(payload).get("reasons", {}).get(relationship) if payload else None
    return str(found) if found else None


def owed(tx: Transaction, recipient_id: int) -> tuple[str, ...]:
    """Return the kinds of the mails besides the question that have not left yet."""
    rows = tx.rows(
        "SELECT kind FROM outbox WHERE recipient_id = ? AND standing IN ('waiting', 'claimed')"
        " ORDER BY id",
        recipient_id,
    )
    return tuple(kind for (kind,) in rows)
