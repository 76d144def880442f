"""Where else a list lives, and whether those who must go are removed there, too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from repermit.domain.clock import iso
from repermit.errors import PlaceUnknown
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.transaction import Transaction

COLUMNS = ("id", "name", "named_at", "handed_over_at", "done_at", "done_by")
_ROWS = f"SELECT {', '.join(COLUMNS)} FROM place"


@dataclass(frozen=True)
class Place:
    """One place: since when it is known, when who must be removed there was last handed over, and
    by whom and on which day that was done. A hand-over that names anybody opens it again."""

    name: str
    named_at: datetime
    handed_over_at: datetime | None
    done_on: date | None
    done_by: str | None

    @property
    def is_done(self) -> bool:
        """Return whether who must be removed there is removed."""
        return self.done_on is not None

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` and the report of a purge tell of it."""
        return {
            "name": self.name,
            "handed_over": iso(self.handed_over_at),
            "done": self.is_done,
            "by": self.done_by,
            "on": self.done_on and self.done_on.isoformat(),
        }


def places(tx: Transaction) -> tuple[Place, ...]:
    """Return every place, in the order in which they were named."""
    return tuple(
        Place(
            name=name,
            named_at=from_micros(named),
            handed_over_at=from_micros(handed),
            done_on=from_micros(done).date() if done is not None else None,
            done_by=by,
        )
        for _, name, named, handed, done, by in tx.rows(f"{_ROWS} ORDER BY id")
    )


def is_told(tx: Transaction) -> bool:
    """Return whether it was ever said where else a list lives, be it nowhere."""
    return tx.one("SELECT 1 FROM log WHERE kind = 'placed' LIMIT 1") is not None


def name_places(tx: Transaction, names: Iterable[str]) -> None:
    """Keep the *names* of places that are not known yet."""
    new = [
        row[0]
        for name in names
        for row in tx.rows(
            "INSERT INTO place (name, named_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
            " RETURNING id",
            *(name, to_micros(tx.now)),
        )
    ]
    if new:
        _log(tx, "named", new)


def say_nowhere(tx: Transaction) -> None:
    """Keep that the list lives nowhere else, as the operator says."""
    _log(tx, "nowhere", [])


def hand_over(tx: Transaction, *, names_anybody: bool) -> None:
    """Note that who must be removed was handed over for every place; where that *names_anybody*,
    what was done before is done no more."""
    done = ", done_at = NULL, done_by = NULL" if names_anybody else ""
    rows = tx.rows(f"UPDATE place SET handed_over_at = ?{done} RETURNING id", to_micros(tx.now))
    if rows:
        _log(tx, "handed_over", [row[0] for row in rows])


def note_done(tx: Transaction, name: str, *, by: str, on: date) -> None:
    """Note who removed there, and on which day, whoever was handed over.

    Raises: PlaceUnknown when there is no such place, or nobody was handed over for it yet.
    """
    known = {place.name: place for place in places(tx)}
    if name not in known:
        names = ", ".join(known) or "none"
        raise PlaceUnknown("no place has that name", hint=f"those that import was told: {names}")
    if known[name].handed_over_at is None:
        raise PlaceUnknown(
            "nobody was handed over yet for the places where else the list lives",
            hint="`repermit handover DIR` names who must be removed there",
        )
    row = tx.one(
        "UPDATE place SET done_at = ?, done_by = ? WHERE name = ? RETURNING id",
        *(to_micros(datetime.combine(on, time(), UTC)), by, name),
    )
    _log(tx, "done", [row[0]])


def _log(tx: Transaction, what: str, ids: list[int]) -> None:
    """Put into the log what became of places, each as it stands from here on."""
    tx.log.append(Kind.PLACED, {"what": what, "places": rows_of(tx, ids)}, now=tx.now)


def rows_of(tx: Transaction, ids: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """Return the rows of those places, of all without *ids*, as the log has them."""
    rows = tx.rows(f"{_ROWS} ORDER BY id")
    wanted = None if ids is None else set(ids)
    return [
        dict(zip(COLUMNS, row, strict=True)) for row in rows if wanted is None or row[0] in wanted
    ]
