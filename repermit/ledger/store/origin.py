"""Where a yes came from: a network and a browser's name, if configured, and only for a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store.personal import reseal_rows
from repermit.ledger.transaction import Transaction

_SLICE = 1_000


@dataclass(frozen=True)
class Origin:
    """Where a press came from: the first 24 bits of an IPv4 address or 48 of an IPv6 one, and the
    first word of the user agent; kept until then."""

    network: str
    agent: str
    keep_until: datetime


def keep_origin(tx: Transaction, recipient_id: int, origin: Origin) -> None:
    """Keep where the yes came from that was recorded just now in this very transaction; nothing
    when none was, or when it was void.

    Sealed like every personal field, in a row of its own, so that it can go before the proof does.
    """
    leaf = tx.value(
        "SELECT max(leaf) FROM answer WHERE recipient_id = ? AND at = ? AND answer = 'yes'"
        " AND standing = 'opted_in' AND NOT suspect",
        *(recipient_id, to_micros(tx.now)),
    )
    if leaf is None:
        return
    generation = tx.value("SELECT generation FROM campaign")
    fields = {"network": origin.network, "agent": origin.agent}
    tx.run(
        "INSERT INTO origin (leaf, recipient_id, generation, sealed, keep_until)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (leaf) DO NOTHING",
        *(leaf, recipient_id, generation),
        tx.vault.seal(fields, generation=generation, recipient_id=recipient_id),
        to_micros(origin.keep_until),
    )


def origins(tx: Transaction, recipient_id: int) -> tuple[Origin, ...]:
    """Return what is kept of where a recipient's presses came from, the oldest first."""
    rows = tx.rows(
        "SELECT sealed, generation, keep_until FROM origin WHERE recipient_id = ? ORDER BY leaf",
        recipient_id,
    )
    return tuple(
        Origin(
            **tx.vault.open(sealed, generation=generation, recipient_id=recipient_id),
            keep_until=from_micros(until),
        )
        for sealed, generation, until in rows
    )


def forget_origins(tx: Transaction, *, slice_rows: int = _SLICE) -> int:
    """Erase a slice of the origins whose time is over; return how many."""
    return tx.run(
        "DELETE FROM origin WHERE leaf IN (SELECT leaf FROM origin WHERE keep_until <= ? LIMIT ?)",
        *(to_micros(tx.now), slice_rows),
    )


def reseal_origins(tx: Transaction, ids: Sequence[int], *, generation: int) -> None:
    """Seal the origins of the recipients *ids* under *generation*."""
    reseal_rows(tx, "origin", "leaf", ids, generation=generation)
