"""What was shown, kept once under the hash of its content, for as long as the ledger lives."""

from __future__ import annotations

from hashlib import sha256

from repermit import __version__
from repermit.ledger.log import Kind
from repermit.ledger.tables import Snapshot
from repermit.ledger.transaction import Transaction


def keep_snapshot(tx: Transaction, kind: str, language: str, content: str) -> str:
    """Keep what is shown, once, and return the SHA-256 of its content as hex.

    Crash: it is there with the entry that says so, or not.
    """
    hashed = snapshot_hash(content)
    is_new = tx.run(
        "INSERT INTO snapshot (hash, kind, language, release, content) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (hash) DO NOTHING",
        *(hashed, kind, language, __version__, content),
    )
    if is_new:
        told = {"hash": hashed, "kind": kind, "language": language, "release": __version__}
        tx.log.append(Kind.SHOWN, told, now=tx.now)
    return hashed


def snapshot_hash(content: str) -> str:
    """Return the name under which *content* is kept."""
    return sha256(content.encode()).hexdigest()


def snapshot(tx: Transaction, hashed: str) -> Snapshot | None:
    """Return what was shown under that hash, or None."""
    return tx.found(Snapshot, "WHERE hash = ?", hashed)
