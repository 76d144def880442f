"""Whether recipients could answer: what probes of the answer page found, when, and from where.

Between two successes of one vantage that are at most `TOGETHER` apart the page counts as up. Who
could not reach it from elsewhere could not tell either: such an outage is a gap between rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from repermit.domain.token import MONITOR
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.transaction import Transaction

TOGETHER = timedelta(minutes=15)  # probes further apart than this say nothing of the time between
_PRESSES_KEPT = timedelta(hours=1)


class Vantage(StrEnum):
    """From where the answer page was looked at, always at the address in the mails."""

    SERVER = "server"  # `serve`, at its own pages
    HERE = "here"  # another command on the machine of the ledger
    ELSEWHERE = "elsewhere"  # a machine that has the link for a monitor, and nothing else

    @property
    def words(self) -> str:
        """Return the vantage as part of a sentence."""
        return _SAID[self]


_SAID = {
    Vantage.SERVER: "by the server itself",
    Vantage.HERE: "from this machine",
    Vantage.ELSEWHERE: "from elsewhere",
}


_TRIAL = -1  # the number of a press that is taken back at once


@dataclass(frozen=True)
class Sight:
    """When the answer page was seen, from where, and in one word why nobody could answer."""

    at: datetime
    vantage: Vantage
    code: str = ""  # empty: a recipient could answer


@dataclass(frozen=True)
class Looked:
    """What probes of one vantage found time after time, at most `TOGETHER` apart."""

    since: datetime
    until: datetime  # the last of them
    probes: int
    vantage: Vantage
    code: str = ""  # empty: a recipient could answer


def file_press(tx: Transaction, number: int) -> None:
    """Put the press of a probe on file.

    That of a monitor, whose link is always the same, is the proof that the page works; any other
    is looked up by the probe that made it, which then notes what it found.
    Raises: KeysUnusable, as `try_out` does.
    """
    _as_an_answer(tx)
    if number == MONITOR:
        note(tx, "", Vantage.ELSEWHERE)
        return
    tx.run("DELETE FROM probe_press WHERE at < ?", to_micros(tx.now - _PRESSES_KEPT))
    tx.run(
        "INSERT INTO probe_press (number, at) VALUES (?, ?)"
        " ON CONFLICT (number) DO UPDATE SET at = excluded.at",
        *(number, to_micros(tx.now)),
    )


def try_out(tx: Transaction) -> None:
    """Leave everything as it is, over the way that an answer takes to the disk: lock, write-ahead
    log, mark, and the keys that people are sealed under. (A column that is set to what it is would
    not be written.)

    Raises: KeysUnusable where a purge on another machine has made keys that are not here yet.
    """
    _as_an_answer(tx)
    tx.run("INSERT INTO probe_press (number, at) VALUES (?, 0)", _TRIAL)
    tx.run("DELETE FROM probe_press WHERE number = ?", _TRIAL)


def _as_an_answer(tx: Transaction) -> None:
    """Need what an answer needs besides: the mark, and the keys that people are sealed under."""
    tx.marks = True
    tx.vault.lookup("", generation=tx.value("SELECT generation FROM campaign"))


def is_pressed(tx: Transaction, number: int) -> bool:
    """Return whether the press of that probe is on file in this very ledger."""
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM probe_press WHERE number = ?)", number))


def note(tx: Transaction, code: str, vantage: Vantage) -> None:
    """Note what a probe found: an empty *code* when a recipient could answer, else why not.

    However often the same is found, it is one row, so that a monitor adds none by being diligent.
    """
    now = to_micros(tx.now)
    since = to_micros(tx.now - TOGETHER)
    is_same = tx.run(
        "UPDATE probe SET until = ?, probes = probes + 1 WHERE code = ? AND until BETWEEN ? AND ?"
        " AND id = (SELECT max(id) FROM probe WHERE vantage = ?)",
        *(now, code, since, now, vantage),
    )
    if not is_same:
        tx.run(
            "INSERT INTO probe (since, until, probes, vantage, code) VALUES (?, ?, 1, ?, ?)",
            *(now, now, vantage, code),
        )


def looked(tx: Transaction) -> list[Looked]:
    """Return everything that probes have found."""
    return [
        Looked(from_micros(since), from_micros(until), probes, Vantage(vantage), code)
        for since, until, probes, vantage, code in tx.rows(
            "SELECT since, until, probes, vantage, code FROM probe ORDER BY id"
        )
    ]


def has_answered(tx: Transaction) -> bool:
    """Return whether the answer page of this campaign has ever been seen to work by anybody but
    the server itself."""
    sql = "SELECT EXISTS (SELECT 1 FROM probe WHERE code = '' AND vantage <> ?)"
    return bool(tx.value(sql, Vantage.SERVER))


def last_seen(tx: Transaction) -> Sight | None:
    """Return when the answer page was last seen to work, and from where; None if never."""
    row = tx.one("SELECT until, vantage FROM probe WHERE code = '' ORDER BY until DESC LIMIT 1")
    return Sight(from_micros(row[0]), Vantage(row[1])) if row else None


def outage(tx: Transaction) -> Sight | None:
    """Return what the newest probe on record found, if that was that nobody can answer."""
    row = tx.one("SELECT until, vantage, code FROM probe ORDER BY until DESC, id DESC LIMIT 1")
    return Sight(from_micros(row[0]), Vantage(row[1]), row[2]) if row and row[2] else None
