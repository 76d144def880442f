"""Purges, and what exports had carried out of who is erased, compared with the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, canonical
from repermit.ledger.replay import Replay
from repermit.ledger.store.moved import contradicted
from repermit.ledger.transaction import Transaction

_FACTS: Final = (
    *("started_at", "moment", "by", "terms", "due", "by_reason", "manifest", "generation"),
    *("purged", "facts", "phase", "report", "finished_at"),
)
_UNDER_WAY: Final = frozenset(("erase", "reseal", "verify", "backup", "destroy", "clean", "report"))


class Purges:
    """Compares each purge with its entries as they pass; *note* takes what is false."""

    def __init__(self, tx: Transaction, note: Callable[[str], None]) -> None:
        self._tx, self._note = tx, note
        self._begun: dict[int, Mapping[str, Any]] = {}
        self._reported: dict[int, tuple[int, str]] = {}  # when, and the hash of the report
        self._carried = set[tuple[int, int, int, bool]]()  # as the rows of to_remove have it

    def read(self, kind: str, at: str, said: Mapping[str, Any], *, index: int) -> None:
        """Note what an entry says of a purge, or of what exports had carried out."""
        moment = to_micros(datetime.fromisoformat(at))
        if kind == Kind.FROZEN:
            self._begun[said["purge"]] = {
                **{name: said[name] for name in ("by", "terms", "due", "generation")},
                "facts": {**said["facts"], "sha256": said["sha256"]},
                "by_reason": canonical(said["by_reason"]).decode(),
                "moment": json.loads(said["terms"])["moment"],
                "started_at": moment,
                "manifest": index,
            }
        elif kind == Kind.REPORTED:
            self._reported[said["purge"]] = (moment, said["report"])
        for proof, export_id, told in said.get("exported", ()):
            self._carried.add((proof, export_id, moment, told))

    def end(self, replay: Replay) -> None:
        """Compare every row."""
        rows = {
            row[0]: dict(zip(_FACTS, row[1:], strict=True))
            for row in self._tx.rows(f"SELECT id, {', '.join(_FACTS)} FROM purge")
        }
        for number in sorted({*rows, *self._begun, *replay.purged}):
            self._compare(number, rows.get(number), replay)
        for number in sorted(replay.outside):
            self._note(f"purge {number}: somebody went who is not in its manifest")
        self._compare_carried()

    def _compare(self, number: int, row: Mapping[str, Any] | None, replay: Replay) -> None:
        logged, begun = replay.purged[number], self._begun.get(number)
        if row is None:
            self._note(f"purge {number} is not there, but the log counts {logged}")
        elif row["purged"] != logged:
            self._note(f"purge {number}: it counts {row['purged']!r}, the log {logged}")
        elif begun is None:
            self._note(f"purge {number}: the log does not know that it began")
        elif differing := self._differing(number, row, begun):
            self._note(f"purge {number}: not what was logged ({', '.join(differing)})")

    def _differing(
        self, number: int, row: Mapping[str, Any], begun: Mapping[str, Any]
    ) -> list[str]:
        """Return the facts in which a row is not what the log says."""
        finished_at, hashed = self._reported.get(number, (None, None))
        is_true = {
            **{name: repr(row[name]) == repr(begun[name]) for name in begun},
            "finished_at": repr(row["finished_at"]) == repr(finished_at),
            "phase": row["phase"] == "done" if hashed else row["phase"] in _UNDER_WAY,
            "report": _digest(row["report"]) == hashed,
            "facts": row["facts"] == "{}" if hashed else _has(row["facts"], begun["facts"]),
        }
        return [name for name, holds in is_true.items() if not holds]

    def _compare_carried(self) -> None:
        rows = self._tx.rows("SELECT proof, export_id, erased_at, told FROM to_remove")
        kept = {(proof, export_id, at, _flag(told)) for proof, export_id, at, told in rows}
        logged = {(*each, _flag(told)) for *each, told in self._carried}
        for proof, *_ in sorted(kept ^ logged, key=repr):
            self._note(f"what must be removed elsewhere, entry {proof!r}: not what was logged")


def false_phases(tx: Transaction) -> Iterator[str]:
    """Yield each purge that is not finished and whose phase the rows contradict; the next `repermit
    purge` goes back to where it must, so that this keeps none from running."""
    for number, phase, generation, manifest in tx.rows(
        "SELECT id, phase, generation, manifest FROM purge WHERE finished_at IS NULL"
    ):
        if contradicted(tx, phase, generation=generation, manifest=manifest):
            yield f"purge {number}: it is not as far as its phase says"


def _flag(value: object) -> str:
    """Return how a row has a flag, which SQLite keeps as a number."""
    return repr(int(value) if isinstance(value, bool) else value)


def _digest(report: object) -> str | None:
    """Return the hash of a report; None without one."""
    if report is None:
        return None
    return sha256(report.encode()).hexdigest() if isinstance(report, str) else "something else"


def _has(facts: object, wanted: Mapping[str, Any]) -> bool:
    """Return whether *facts*, JSON, has all that is *wanted*; more may have come since."""
    try:
        known = json.loads(facts) if isinstance(facts, str) else None
    except ValueError:
        return False
    return isinstance(known, dict) and known == {**known, **wanted}
