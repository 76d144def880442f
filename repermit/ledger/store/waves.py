"""Which part of the campaign leaves now, what came of it, and what stopped it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from repermit.domain.refusal import is_about_address
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.transaction import Transaction

_WAVE = (
    "number, step, size, begun_at, mails, drawn IS NOT NULL, expected_dead, ended_at, looked_at,"
    " seen_mails, seen_dead, seen_complaints"
)


@dataclass(frozen=True)
class Wave:
    """A part of the campaign that leaves together; `size` None: everybody who is left.

    What a person saw who let the sending go on is `seen`: mails, dead, complaints.
    """

    number: int
    step: int
    size: int | None
    begun_at: datetime
    mails: int
    is_drawn: bool
    expected_dead: int
    ended_at: datetime | None
    looked_at: datetime | None
    seen: tuple[int, int, int]


@dataclass(frozen=True)
class State:
    """Where the waves stand: the last one that was begun, and what came of it.

    `listed` counts who may be asked, `waiting` those of them whom the wave still holds; of its
    `undeliverable`, the address itself is `dead`. `complaints` and `all_mails` are those of the
    whole campaign. `inbound_at`: when what comes back was last read, however little it was.
    """

    wave: Wave | None
    listed: int
    waiting: int
    undeliverable: int
    dead: int
    complaints: int
    all_mails: int
    stopped_for: Mapping[str, Any] | None
    inbound_at: datetime | None = None


def state(tx: Transaction) -> State:
    """Return where the waves stand."""
    row = tx.one(f"SELECT {_WAVE}, drawn FROM wave ORDER BY number DESC LIMIT 1")  # noqa: S608
    wave = _wave(row) if row else None
    listed = tx.value("SELECT count(*) FROM recipient WHERE standing = 'listed'")
    why, inbound_at = tx.one("SELECT stopped_for, inbound_at FROM campaign")
    undeliverable, dead = _undeliverable(tx, wave.number) if wave else (0, 0)
    return State(
        wave=wave,
        listed=listed,
        waiting=_still_listed(tx, row[-1]) if wave and wave.is_drawn else listed,
        undeliverable=undeliverable,
        dead=dead,
        complaints=tx.value("SELECT count(*) FROM suppression WHERE source = 'complaint'"),
        all_mails=tx.value("SELECT coalesce(sum(mails), 0) FROM wave"),
        stopped_for=json.loads(why) if why else None,
        inbound_at=from_micros(inbound_at),
    )


def _wave(row: Sequence[Any]) -> Wave:
    return Wave(
        number=row[0],
        step=row[1],
        size=row[2],
        begun_at=from_micros(row[3]),
        mails=row[4],
        is_drawn=bool(row[5]),
        expected_dead=row[6],
        ended_at=from_micros(row[7]),
        looked_at=from_micros(row[8]),
        seen=(row[9], row[10], row[11]),
    )


def _still_listed(tx: Transaction, drawn: str) -> int:
    return int(
        tx.value(
            "SELECT count(*) FROM recipient WHERE id IN (SELECT value FROM json_each(?))"
            " AND standing = 'listed'",
            drawn,
        )
    )


def _undeliverable(tx: Transaction, number: int) -> tuple[int, int]:
    """Return how many of a wave are undeliverable, and of how many the address itself is dead."""
    rows = tx.rows(
        "SELECT coalesce(relay_reply, ''), count(*) FROM recipient"
        " WHERE standing = 'undeliverable' AND wave = ? GROUP BY relay_reply",
        number,
    )
    dead = sum(count for reply, count in rows if is_about_address(reply))
    return sum(count for _, count in rows), dead


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
    expected_dead: int = 0,
) -> bool:
    """Begin a wave; False when another sender has begun it."""
    ids = json.dumps(drawn) if drawn is not None else None
    return (
        tx.run(
            "INSERT INTO wave (number, step, size, begun_at, mails, drawn, expected_dead,"
            " seen_mails, seen_dead, seen_complaints)"
            " VALUES (?, ?, ?, ?, 0, ?, ?, 0, 0, ?) ON CONFLICT (number) DO NOTHING",
            *(number, step, size, to_micros(tx.now), ids, expected_dead, _seen_complaints(tx)),
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


def stop(tx: Transaction, why: Mapping[str, Any]) -> None:
    """Hold every sender of this ledger before its next intent until a person has looked.

    The first reason stays when there are several.
    """
    stopped = tx.run(
        "UPDATE campaign SET stopped_at = ?, stopped_for = ? WHERE stopped_at IS NULL",
        *(to_micros(tx.now), json.dumps(why)),
    )
    if stopped:
        tx.log.append(Kind.STOPPED, why, now=tx.now)


def look(tx: Transaction, *, by: str) -> bool:
    """Let the sending go on because a person has looked; False when no wave had begun.

    What came of the last wave until now does not stop it again; what comes later does.
    """
    row = tx.one("SELECT number, mails FROM wave ORDER BY number DESC LIMIT 1")
    if row is None:
        return False
    number, mails = row
    seen = (
        mails,
        _undeliverable(tx, number)[1],
        tx.value("SELECT count(*) FROM suppression WHERE source = 'complaint'"),
    )
    tx.run(
        "UPDATE wave SET looked_at = ?, looked_by = ?, seen_mails = ?, seen_dead = ?,"
        " seen_complaints = ? WHERE number = ?",
        *(to_micros(tx.now), by, *seen, number),
    )
    why = tx.value("SELECT stopped_for FROM campaign")
    tx.run("UPDATE campaign SET stopped_at = NULL, stopped_for = NULL")
    payload = {"by": by, "wave": number, "seen": list(seen)}
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


def count_mails(tx: Transaction, number: int, more: int) -> None:
    """Count people of a wave whose mail is about to leave."""
    tx.run("UPDATE wave SET mails = mails + ? WHERE number = ?", more, number)
