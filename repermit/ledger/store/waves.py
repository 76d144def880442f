"""Which part of the campaign leaves now, what came of it, and what stopped it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.store import caps, stretches
from repermit.ledger.store.caps import Day
from repermit.ledger.store.stretches import Outcomes
from repermit.ledger.transaction import Transaction

_WAVE = (
    "number, step, size, mails, drawn IS NOT NULL, expected_bounces, ended_at, looked_at,"
    " seen_complaints"
)


@dataclass(frozen=True)
class Wave:
    """A part of the campaign that leaves together; `size` None: everybody who is left.

    `looked_at` is when a person let the sending go on, `seen_complaints` what they had seen.
    """

    number: int
    step: int
    size: int | None
    mails: int
    is_drawn: bool
    expected_bounces: int
    ended_at: datetime | None
    looked_at: datetime | None
    seen_complaints: int

    @property
    def is_pilot(self) -> bool:
        """Return whether it was drawn at random, to learn how the rest will go."""
        return self.step == 0 and self.size is not None


@dataclass(frozen=True)
class State:
    """Where the waves stand: the last one that was begun, and what came of all mails.

    `listed` counts who may be asked, `waiting` those of them whom the wave still holds.
    `inbound_at`: when what comes back was last read, however little it was.
    """

    wave: Wave | None
    listed: int
    waiting: int
    outcomes: Outcomes
    complaints: int
    stopped_for: Mapping[str, Any] | None
    inbound_at: datetime | None = None
    providers: Mapping[str, Day] = field(default_factory=dict)  # within the last 24 hours


def state(tx: Transaction) -> State:
    """Return where the waves stand."""
    row = tx.one(f"SELECT {_WAVE}, drawn FROM wave ORDER BY number DESC LIMIT 1")
    wave = _wave(row) if row else None
    listed = tx.value("SELECT count(*) FROM recipient WHERE standing = 'listed'")
    why, inbound_at = tx.one("SELECT stopped_for, inbound_at FROM campaign")
    return State(
        wave=wave,
        listed=listed,
        waiting=_still_listed(tx, row[-1]) if wave and wave.is_drawn else listed,
        outcomes=stretches.outcomes(tx),
        complaints=_complaints(tx),
        stopped_for=json.loads(why) if why else None,
        inbound_at=from_micros(inbound_at),
        providers=caps.last_day(tx),
    )


def _wave(row: Sequence[Any]) -> Wave:
    return Wave(
        number=row[0],
        step=row[1],
        size=row[2],
        mails=row[3],
        is_drawn=bool(row[4]),
        expected_bounces=row[5],
        ended_at=from_micros(row[6]),
        looked_at=from_micros(row[7]),
        seen_complaints=row[8],
    )


def _still_listed(tx: Transaction, drawn: str) -> int:
    return int(
        tx.value(
            "SELECT count(*) FROM recipient WHERE id IN (SELECT value FROM json_each(?))"
            " AND standing = 'listed'",
            drawn,
        )
    )


def _complaints(tx: Transaction) -> int:
    return int(tx.value("SELECT count(*) FROM suppression WHERE source = 'complaint'"))


def draw(tx: Transaction, size: int, *, approved_size: int) -> tuple[list[int], dict[int, int]]:
    """Return up to *size* listed rows drawn at random, over all providers and ages, and how many
    of them there are by the month of their last contact."""
    rows = tx.rows(
        "SELECT id, coalesce(contact, 0) FROM recipient WHERE standing = 'listed'"
        " AND listed_at_leaf < ? ORDER BY random() LIMIT ?",
        *(approved_size, size),
    )
    months: dict[int, int] = {}
    for _, month in rows:
        months[month] = months.get(month, 0) + 1
    return [row[0] for row in rows], months


def begin(
    tx: Transaction,
    number: int,
    *,
    step: int,
    size: int | None,
    drawn: Sequence[int] | None = None,
    expected_bounces: int = 0,
) -> bool:
    """Begin a wave; False when another sender has begun it."""
    ids = json.dumps(drawn) if drawn is not None else None
    return (
        tx.run(
            "INSERT INTO wave (number, step, size, begun_at, mails, drawn, expected_bounces,"
            " seen_complaints) VALUES (?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT (number) DO NOTHING",
            *(number, step, size, to_micros(tx.now), ids, expected_bounces, _seen_complaints(tx)),
        )
        == 1
    )


def _seen_complaints(tx: Transaction) -> int:
    """Return the complaints that a person has seen already."""
    return tx.value("SELECT seen_complaints FROM wave ORDER BY number DESC LIMIT 1") or 0


def end(tx: Transaction, number: int) -> None:
    """Note that the last mail of a wave has left; who was drawn for it is forgotten."""
    tx.run(
        "UPDATE wave SET ended_at = ?, drawn = NULL WHERE number = ? AND ended_at IS NULL",
        *(to_micros(tx.now), number),
    )


def note_inbound(tx: Transaction) -> None:
    """Note that what comes back was read: bounces and complaints are seen from here on."""
    tx.run("UPDATE campaign SET inbound_at = ?", to_micros(tx.now))


def stop(tx: Transaction, why: Mapping[str, Any]) -> bool:
    """Hold every sender of this ledger before its next intent until a person has looked; False
    when they were held already: the first reason stays when there are several."""
    stopped = tx.run(
        "UPDATE campaign SET stopped_at = ?, stopped_for = ? WHERE stopped_at IS NULL",
        *(to_micros(tx.now), json.dumps(why)),
    )
    if stopped:
        tx.log.append(Kind.STOPPED, why, now=tx.now)
    return stopped == 1


def look(tx: Transaction, *, by: str) -> bool:
    """Let the sending go on because a person has looked; False when no wave had begun and nothing
    was stopped.

    What came of all mails until now does not stop it again; what comes later does.
    """
    number = tx.value("SELECT max(number) FROM wave")
    why, about_us = tx.one("SELECT stopped_for, about_us FROM campaign")
    if number is None and why is None:
        return False
    found, complaints = stretches.outcomes(tx), _complaints(tx)
    bounces = found.since_look.bounces + found.before_look.bounces
    stretches.look(tx)
    caps.look(tx)
    tx.run(
        "UPDATE wave SET looked_at = ?, looked_by = ?, seen_complaints = ? WHERE number = ?",
        *(to_micros(tx.now), by, complaints, number),
    )
    tx.run("UPDATE campaign SET stopped_at = NULL, stopped_for = NULL, about_us_seen = about_us")
    seen = {
        "mails": found.mails,
        "new_bounces": bounces,
        "complaints": complaints,
        "about_us": about_us,
    }
    payload = {"by": by, "wave": number, "seen": seen}
    told = payload if why is None else {**payload, "stopped_for": json.loads(why)}
    tx.log.append(Kind.CONTINUED, told, now=tx.now)
    return True


@dataclass(frozen=True)
class Open:
    """Who may be reserved now: at most `left` listed rows (None: any number), of those drawn."""

    number: int | None
    left: int | None
    drawn: str | None


def opened(tx: Transaction) -> Open:
    """Return the wave that is open; nobody listed may leave between two waves, and anybody may
    where no wave was ever begun."""
    row = tx.one(
        "SELECT number, size, mails, drawn, ended_at FROM wave ORDER BY number DESC LIMIT 1"
    )
    if row is None:
        return Open(None, None, None)
    number, size, mails, drawn, ended_at = row
    if ended_at is not None:
        return Open(number, 0, None)
    return Open(number, None if size is None else max(0, size - mails), drawn)


def leave_out(tx: Transaction, ids: Sequence[int]) -> None:
    """Take out of the pilot that is open who could not be mailed, so that it can end."""
    row = tx.one("SELECT number, drawn FROM wave WHERE drawn IS NOT NULL")
    if row is not None:
        left = sorted(set(json.loads(row[1])) - set(ids))
        tx.run("UPDATE wave SET drawn = ? WHERE number = ?", json.dumps(left), row[0])


def count_mails(tx: Transaction, more: int) -> None:
    """Count people of the wave that is open whose mail is about to leave."""
    if more:
        tx.run(
            "UPDATE wave SET mails = mails + ? WHERE ended_at IS NULL"
            " AND number = (SELECT max(number) FROM wave)",
            more,
        )
