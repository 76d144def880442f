"""Who is due: one condition a reason, for counting, for the manifest, and at the erasing itself."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from repermit.domain.due import BY_DATE, Reason
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import outbox
from repermit.ledger.transaction import Transaction

# The first press after a yes that is no yes itself: void, and then it says which yes stood before
# those that it made void, or a no. See `standing.after_press`.
_VOID: Final = (
    "coalesce((SELECT later.suspect AND coalesce(later.yes_leaf, 0) < yes.leaf"
    " FROM answer AS later WHERE later.recipient_id = yes.recipient_id AND later.leaf > yes.leaf"
    " AND (later.suspect OR later.standing <> 'opted_in') ORDER BY later.leaf LIMIT 1), FALSE)"
)
_SAID_YES: Final = (
    "EXISTS (SELECT 1 FROM answer AS yes WHERE yes.recipient_id = recipient.id"
    f" AND yes.standing = 'opted_in' AND NOT yes.suspect AND NOT {_VOID})"
)
# What changes who is handed over, and how.
CHANGES: Final = "kind IN ('answered', 'opted_out', 'corrected', 'erased')"
HANDED_OVER: Final = (  # the size of the log at the last hand-over; no other file has the exempt
    "(SELECT max(log_size) FROM export WHERE standing = 'exempt')"
)
_WHO: Final[Mapping[Reason, str]] = {
    Reason.SILENT: "recipient.standing = 'asked'",
    Reason.DOUBTFUL: "recipient.standing = 'doubtful'",
    Reason.OPTED_OUT: f"recipient.standing = 'opted_out' AND NOT {_SAID_YES}",
    Reason.WITHDRAWN: f"recipient.standing = 'opted_out' AND {_SAID_YES}",
    Reason.UNDELIVERABLE: "recipient.standing = 'undeliverable'",
    Reason.WITHHELD: "recipient.standing = 'withheld'",
    Reason.NEVER_SENT: "recipient.standing IN ('listed', 'deferred')",
    Reason.CONTRACT_ENDED: (  # whoever has said something since goes with the next hand-over
        "recipient.standing <> 'claimed' AND (SELECT closed_at FROM campaign) IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM log WHERE log.recipient_id = recipient.id"
        f' AND "index" >= coalesce({HANDED_OVER}, 0) AND {CHANGES})'
    ),
}
_NO_PAST: Final = "coalesce(due_at, no_at + :window, 0)"  # no mail, no date
_DATE: Final[Mapping[Reason, str]] = {  # the others wait for none
    Reason.SILENT: "due_at",
    Reason.DOUBTFUL: "due_at",
    Reason.OPTED_OUT: _NO_PAST,
    Reason.WITHDRAWN: f"max({_NO_PAST}, no_at + :proof)",
    Reason.UNDELIVERABLE: "due_at",
}
# Both begin with the few who have a row there, so that nobody else is looked at one by one.
_KEPT: Final = "recipient.id IN (SELECT recipient_id FROM hold WHERE until > :now)"
_OWED: Final = (
    "(recipient.id IN (SELECT recipient_id FROM outbox WHERE recipient_id IS NOT NULL"
    f" AND standing IN ('claimed', 'waiting')) AND EXISTS ({outbox.HOLDS}))"
)
FREE: Final = f"NOT {_KEPT} AND NOT {_OWED}"  # neither held, nor owed a mail
_NOT_LATER: Final = " AND coalesce(due_at, 0) NOT IN (SELECT value FROM json_each(:later))"
_MOVED: Final = "coalesce((SELECT extended_until FROM campaign), 0)"
_HELD_UNTIL: Final = "coalesce((SELECT until FROM hold WHERE hold.recipient_id = recipient.id), 0)"
# Of a row of recipient: the date in their mail or, if that is later, the one it was moved to.
FALLS_DUE: Final = f"max(due_at, {_MOVED})"


@dataclass(frozen=True)
class Terms:
    """Which reasons count, at which moment; `window` is how long people have to answer, `proof`
    how long that of a withdrawn yes is kept, `ask_again` how long who was purged for silence is
    not asked again; `later` are the dates in mails that are put off: who has one is not due yet."""

    moment: datetime
    reasons: tuple[Reason, ...]
    window: timedelta
    proof: timedelta
    ask_again: timedelta = timedelta(days=1095)
    later: tuple[int, ...] = ()  # microseconds, each equal to the `due_at` that is put off

    @property
    def by_date(self) -> tuple[Reason, ...]:
        """Return those of the reasons that wait for a date."""
        return tuple(reason for reason in self.reasons if reason in BY_DATE)

    def values(self) -> dict[str, Any]:
        """Return what the conditions take."""
        return {
            "now": to_micros(self.moment),
            "window": self.window // timedelta(microseconds=1),
            "proof": self.proof // timedelta(microseconds=1),
            "later": json.dumps(self.later),
        }

    def to_json(self) -> str:
        """Return the terms as a purge keeps them, so that it goes on with the same."""
        return json.dumps(
            {
                "moment": to_micros(self.moment),
                "reasons": list(map(str, self.reasons)),
                "window": self.window // timedelta(microseconds=1),
                "proof": self.proof // timedelta(microseconds=1),
                "ask_again": self.ask_again // timedelta(microseconds=1),
                "later": self.later,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Terms:
        """Return the terms that `to_json` wrote."""
        said = json.loads(text)
        return cls(
            moment=from_micros(said["moment"]),
            reasons=tuple(map(Reason, said["reasons"])),
            window=timedelta(microseconds=said["window"]),
            proof=timedelta(microseconds=said["proof"]),
            ask_again=timedelta(microseconds=said["ask_again"]),
            later=tuple(said["later"]),
        )


@dataclass(frozen=True)
class Due:
    """Why somebody falls due, and from when on."""

    reason: Reason
    at: datetime


def condition(reason: Reason) -> str:
    """Return the SQL condition on a row of recipient that *reason* makes due: past its date, which
    is not put off, not held, and owed no mail. It takes `Terms.values`."""
    return f"{ended(reason)} AND {FREE}"


def past(reason: Reason) -> str:
    """Return the same whether or not a mail is owed to them, or their date is put off: neither
    changes anything about where else they must be removed."""
    return f"{_past(reason)} AND NOT {_KEPT}"


def ended(reason: Reason) -> str:
    """Return the same as `condition` of whoever has that behind them, held and owed a mail or not;
    whoever of them is `FREE` is due."""
    return _past(reason) + (_NOT_LATER if reason in BY_DATE else "")


def is_due(terms: Terms) -> str:
    """Return the same for all reasons of *terms*, for rows that are found by their ids: an index
    over all who stand there would be read once a slice."""
    either = " OR ".join(f"({condition(reason)})" for reason in terms.reasons) or "FALSE"
    return either.replace("recipient.standing", "+recipient.standing")


def counts(tx: Transaction, terms: Terms) -> dict[str, int]:
    """Return how many recipients are due, by reason, without reasons that nobody has."""
    found = {str(reason): _count(tx, terms, condition(reason)) for reason in terms.reasons}
    return {reason: count for reason, count in found.items() if count}


def ids(tx: Transaction, terms: Terms) -> list[int]:
    """Return who is due, sorted by id."""
    return sorted(each for found in by_reason(tx, terms).values() for each in found)


def by_reason(tx: Transaction, terms: Terms) -> dict[str, array[int]]:
    """Return the ids of who is due, 8 bytes each, by reason, without reasons that nobody has."""
    found = {}
    for reason in terms.reasons:
        sql = f"SELECT id FROM recipient WHERE {condition(reason)}"
        rows = tx.connection.execute(sql, terms.values())
        found[str(reason)] = array("q", (row[0] for row in rows))
    return {reason: those for reason, those in found.items() if those}


def following(tx: Transaction, terms: Terms) -> datetime | None:
    """Return the next instant after the moment of *terms* at which somebody falls due, if they do
    not answer before and nobody is held anew; None when nobody ever does, but for those to whom a
    mail is owed."""
    dates = []
    for reason in terms.reasons:
        sql = (
            f"SELECT min(date) FROM (SELECT {_falls_due(reason)} AS date FROM recipient"
            f" WHERE {_WHO[reason]} AND NOT {_OWED}) AS dates WHERE date > :now"
        )
        dates.append(tx.connection.execute(sql, terms.values()).fetchone()[0])
    return from_micros(min((date for date in dates if date is not None), default=None))


def of(tx: Transaction, terms: Terms, recipient_id: int) -> Due | None:
    """Return why and from when on a recipient falls due as they stand now, whether or not that is
    past and a mail is owed to them; None when no reason of *terms* is ever theirs."""
    for reason in terms.reasons:
        sql = f"SELECT {_falls_due(reason)} FROM recipient WHERE id = :id AND {_WHO[reason]}"
        row = tx.connection.execute(sql, {**terms.values(), "id": recipient_id}).fetchone()
        if row is not None and row[0] is not None:
            return Due(reason, from_micros(row[0]))
    return None


def owed(tx: Transaction, terms: Terms) -> int:
    """Return how many would be due if no mail was owed to them."""
    return _sum(tx, terms, f"NOT {_KEPT} AND {_OWED}")


def held(tx: Transaction, terms: Terms) -> int:
    """Return how many would be due if they were not held."""
    return _sum(tx, terms, _KEPT)


def _sum(tx: Transaction, terms: Terms, also: str) -> int:
    return sum(_count(tx, terms, f"{ended(reason)} AND {also}") for reason in terms.reasons)


def _past(reason: Reason) -> str:
    if reason not in _DATE:
        return _WHO[reason]
    return f"{_WHO[reason]} AND {_DATE[reason]} <= :now AND {_MOVED} <= :now"


def _falls_due(reason: Reason) -> str:
    """Return from which instant on `past` holds of a row that *reason* is about."""
    date = f"{_DATE[reason]}, {_MOVED}" if reason in _DATE else "0"
    return f"max({date}, {_HELD_UNTIL})"


def _count(tx: Transaction, terms: Terms, where: str) -> int:
    sql = f"SELECT count(*) FROM recipient WHERE {where}"
    return int(tx.connection.execute(sql, terms.values()).fetchone()[0])
