"""A ledger from before a purge that ended: it was put back, and the keys of its rows are gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from repermit.ledger import keys
from repermit.ledger.database import Connection

_OLDEST = (  # the oldest generation that a row is sealed under
    "SELECT min(oldest) FROM (SELECT generation AS oldest FROM campaign"
    " UNION ALL SELECT min(generation) FROM recipient) AS each"
)


@dataclass(frozen=True)
class Superseded:
    """The day of the purge that destroyed the keys, and the copy that it left of what remained."""

    day: str
    backup: str

    def __str__(self) -> str:
        return f"this copy of the ledger is from before the purge of {self.day}"

    @property
    def hint(self) -> str:
        """Return what to do."""
        return (
            f"put back the ledger from after that purge, or {self.backup}, which it left, and then"
            " run `repermit doubt restored`"
        )


def superseded(opened: Connection, path: Path, burn: Path) -> Superseded | None:
    """Return what the ledger at *path* is if a purge destroyed keys that it still needs; None: it
    needs none of those.

    Raises: KeysUnusable when what says which were destroyed cannot be read.
    """
    gone = keys.destroyed(burn)  # first: what a purge destroys now, no row needs any more
    at = gone.get(opened.execute(_OLDEST).fetchone()[0]) if gone else None
    return Superseded(at[:10], f"backup/{path.name}") if at else None
