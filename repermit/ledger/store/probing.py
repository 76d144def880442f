"""Whether recipients could answer: what probes of the answer page found, and when."""

from __future__ import annotations

from datetime import timedelta

from repermit.ledger.instants import to_micros
from repermit.ledger.transaction import Transaction

TOGETHER = timedelta(minutes=15)  # probes further apart than this say nothing of the time between
_PRESSES_KEPT = timedelta(hours=1)


def file_press(tx: Transaction, number: int) -> None:
    """Put the press of a probe on file, and forget those of long ago."""
    tx.run("DELETE FROM probe_press WHERE at < ?", to_micros(tx.now - _PRESSES_KEPT))
    tx.run(
        "INSERT INTO probe_press (number, at) VALUES (?, ?)"
        " ON CONFLICT (number) DO UPDATE SET at = excluded.at",
        *(number, to_micros(tx.now)),
    )


def is_pressed(tx: Transaction, number: int) -> bool:
    """Return whether the press of that probe is on file in this very ledger."""
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM probe_press WHERE number = ?)", number))


def note(tx: Transaction, code: str) -> None:
    """Note what a probe found: an empty *code* when a recipient could answer, else why not."""
    now = to_micros(tx.now)
    since = to_micros(tx.now - TOGETHER)
    is_same = tx.run(
        "UPDATE probe SET until = ?, probes = probes + 1 WHERE code = ? AND until BETWEEN ? AND ?"
        " AND id = (SELECT max(id) FROM probe)",
        *(now, code, since, now),
    )
    if not is_same:
        tx.run("INSERT INTO probe (since, until, probes, code) VALUES (?, ?, 1, ?)", now, now, code)


def has_answered(tx: Transaction) -> bool:
    """Return whether the answer page of this campaign has ever been seen to work."""
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM probe WHERE code = '')"))
