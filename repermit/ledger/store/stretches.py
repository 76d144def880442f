"""What became of the mails, a stretch of some thousand after the other.

A stretch is counted when something happens to one of its mails, and never by looking for rows: who
answers, is erased or is purged leaves the rows, and what came of their mail stays true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from repermit.domain.refusal import is_about_address
from repermit.ledger.transaction import Transaction

_CAME_BACK = "bounced"
FULL_MAILS = 1000  # from which on the next mails belong to another stretch


@dataclass(frozen=True)
class Outcome:
    """So many mails, and how many of them bounced since a person last looked."""

    mails: int = 0
    bounces: int = 0


@dataclass(frozen=True)
class Outcomes:
    """What became of all mails: of those that left since a person last looked, of those that had
    left before, and of the full stretch with the largest share of bounces. `undeliverable`: how
    many came back at all, for whatever reason."""

    since_look: Outcome = Outcome()
    before_look: Outcome = Outcome()
    worst: Outcome = Outcome()
    undeliverable: int = 0

    @property
    def mails(self) -> int:
        """Return how many mails of the campaign have left, or may have."""
        return self.since_look.mails + self.before_look.mails


def coming(tx: Transaction) -> int:
    """Return the number of the stretch to which the next mails belong."""
    row = tx.one("SELECT number, mails, looked FROM stretch ORDER BY number DESC LIMIT 1")
    if row is None:
        return 1
    number, mails, looked = row
    return int(number) + (1 if looked or mails >= FULL_MAILS else 0)


def count_mails(tx: Transaction, number: int, more: int) -> None:
    """Count people of a stretch whose mail is about to leave."""
    tx.run(
        "INSERT INTO stretch (number, mails, undeliverable, bounces, seen, looked)"
        " VALUES (?, ?, 0, 0, 0, FALSE)"
        " ON CONFLICT (number) DO UPDATE SET mails = stretch.mails + excluded.mails",
        *(number, more),
    )


def count_undeliverable(tx: Transaction, mails: Iterable[tuple[int, str]], *, by: int = 1) -> None:
    """Count mails, given as (stretch, reply), whose recipients have become undeliverable; *by* -1
    takes it back, because the reply was not about them, also for a person who has seen it."""
    tx.many(
        "UPDATE stretch SET undeliverable = undeliverable + ?1, bounces = bounces + ?2,"
        " seen = min(seen, bounces + ?2) WHERE number = ?3",
        [(by, by * is_bounce(reply), number) for number, reply in mails],
    )


def came_back(status: str) -> str:
    """Return what is kept as the reply about a mail that the relay took, and that came back
    because its address is dead; *status* are the codes of the report."""
    return f"{_CAME_BACK} {status}".rstrip()


def has_come_back(reply: str | None) -> bool:
    """Return whether that is such a reply."""
    return (reply or "").startswith(_CAME_BACK)


def is_bounce(reply: str) -> bool:
    """Return whether that says of a mail that its address is dead."""
    return has_come_back(reply) or is_about_address(reply)


def outcomes(tx: Transaction) -> Outcomes:
    """Return what became of all mails."""
    sums = {
        looked: Outcome(mails, bounces)
        for looked, mails, bounces in tx.rows(
            "SELECT looked, sum(mails), sum(bounces - seen) FROM stretch GROUP BY looked"
        )
    }
    worst = tx.one(
        "SELECT mails, bounces - seen FROM stretch WHERE mails >= ?"
        " ORDER BY 1.0 * (bounces - seen) / mails DESC LIMIT 1",
        FULL_MAILS,
    )
    return Outcomes(
        since_look=sums.get(0, Outcome()),
        before_look=sums.get(1, Outcome()),
        worst=Outcome(*worst) if worst else Outcome(),
        undeliverable=tx.value("SELECT coalesce(sum(undeliverable), 0) FROM stretch"),
    )


def look(tx: Transaction) -> None:
    """Note that a person has seen all that came back; the next mails begin another stretch."""
    tx.run("UPDATE stretch SET looked = TRUE, seen = bounces")
