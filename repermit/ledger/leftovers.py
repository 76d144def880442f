"""Keys that a purge destroyed and that came back: with a key folder from another machine, or from
a backup of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from repermit.errors import KeysUnusable
from repermit.ledger import keys

_DESTROYED = (
    "SELECT json_extract(CAST(payload AS TEXT), '$.destroyed'), at FROM log WHERE kind = 'resealed'"
)
_NEEDED_FROM = (  # the oldest generation that a row, or a purge that is not finished, needs
    "SELECT min(oldest) FROM (SELECT generation AS oldest FROM campaign"
    " UNION ALL SELECT min(generation) FROM recipient UNION ALL SELECT min(generation) FROM origin"
    " UNION ALL SELECT min(generation) FROM purge WHERE finished_at IS NULL)"
)


@dataclass(frozen=True)
class Leftover:
    """A copy of a generation's keys that was dropped, and when a purge had destroyed it."""

    generation: int
    destroyed_at: str

    def __str__(self) -> str:
        return (
            f"a copy of the keys of generation {self.generation}, which a purge destroyed on"
            f" {self.destroyed_at[:10]}, was in the key folder again; it is destroyed now, too"
        )


def drop(opened: sqlite3.Connection, burn: Path) -> tuple[Leftover, ...]:
    """Destroy every generation in *burn* that the log of the ledger says was destroyed and that
    nothing needs any more; return which.

    Raises: KeysUnusable when the folder is older than the ledger, and lacks what it needs now; what
    was destroyed is dropped from it all the same.
    """
    current = opened.execute("SELECT generation FROM campaign").fetchone()[0]
    there = sorted(int(path.stem) for path in burn.glob("*.key") if path.stem.isdecimal())
    if there == [current]:
        return ()
    needed_from = opened.execute(_NEEDED_FROM).fetchone()[0]
    when = dict(opened.execute(_DESTROYED).fetchall())
    old = [Leftover(one, when[one]) for one in there if one in when and one < needed_from]
    for each in old:
        keys.destroy_generation(burn, each.generation)
        keys.note_destroyed(burn, each.generation, each.destroyed_at)
    if current not in there and current - 1 in when:
        has = "".join(
            f"has generation {each.generation}, destroyed on {each.destroyed_at[:10]}, and "
            for each in old[-1:]
        )
        raise KeysUnusable(
            f"this key folder is older than the ledger: it {has}lacks {current}",
            hint="put back the newest copy of it",
        )
    return tuple(old)
