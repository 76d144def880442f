"""Keys that a purge destroyed and that came back: with a key folder from another machine, or from
a backup of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from repermit.errors import KeysUnusable
from repermit.ledger import keys
from repermit.ledger.database import Connection

_DESTROYED = (
    "SELECT CAST(json_extract(CAST(payload AS TEXT), '$.destroyed') AS INTEGER), at FROM log"
    " WHERE kind = 'resealed'"
)
_NEEDED_FROM = (  # the oldest generation that a row, or a purge that is not finished, needs
    "SELECT min(oldest) FROM (SELECT generation AS oldest FROM campaign"
    " UNION ALL SELECT min(generation) FROM recipient UNION ALL SELECT min(generation) FROM origin"
    " UNION ALL SELECT min(generation) FROM reply"
    " UNION ALL SELECT min(generation) FROM purge WHERE finished_at IS NULL) AS each"
)


@dataclass(frozen=True)
class Leftover:
    """A copy of a generation's keys that came back, when a purge had destroyed it, and whether the
    copy is destroyed now, too: only the log of the present ledger is enough for that."""

    generation: int
    destroyed_at: str
    is_dropped: bool = True

    def __str__(self) -> str:
        if self.is_dropped:
            return (
                f"a copy of the keys of generation {self.generation}, which a purge destroyed on"
                f" {self.destroyed_at[:10]}, was in the key folder again; it is destroyed now, too"
            )
        return (
            f"generation {self.generation} was destroyed on {self.destroyed_at[:10]}, and a copy of"
            f" its key lies in the key folder: delete burn/{self.generation}.key there"
        )


def drop(opened: Connection, burn: Path) -> tuple[Leftover, ...]:
    """Destroy every generation in *burn* that the log of the ledger says was destroyed and that
    nothing needs any more; return which, and those that only the key folder knows as destroyed.

    Raises: KeysUnusable when the folder is older than the ledger, and lacks what it needs now; what
    was destroyed is dropped from it all the same.
    """
    current = opened.execute("SELECT generation FROM campaign").fetchone()[0]
    there = sorted(int(path.stem) for path in burn.glob("*.key") if path.stem.isdecimal())
    noted = keys.destroyed(burn)
    if there == [current] and current not in noted:
        return ()
    needed_from = opened.execute(_NEEDED_FROM).fetchone()[0]
    known = logged(opened)
    found = []
    for one in there:
        if one in known and one < needed_from:
            keys.destroy_generation(burn, one)
            keys.note_destroyed(burn, one, known[one])
            found.append(Leftover(one, known[one]))
        elif one in noted:
            found.append(Leftover(one, noted[one], is_dropped=False))
    if current not in there and current - 1 in known:
        has = "".join(
            f"has generation {each.generation}, destroyed on {each.destroyed_at[:10]}, and "
            for each in found[-1:]
        )
        raise KeysUnusable(
            f"this key folder is older than the ledger: it {has}lacks {current}",
            hint="put back the newest copy of it",
        )
    return tuple(found)


def logged(opened: Connection) -> dict[int, str]:
    """Return which generations the log of a ledger says were destroyed, and when."""
    return {int(number): at for number, at in opened.execute(_DESTROYED).fetchall()}
