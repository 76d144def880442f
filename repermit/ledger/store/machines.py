"""Which machines work on this campaign, whether they agree, and who still holds older keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from repermit.errors import MachineDiffers
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.transaction import Transaction

GENERATION: Final = "vault generation "  # of a part: a machine may have it or not
_SILENT: Final = timedelta(minutes=10)  # who says nothing for so long does not work any more


@dataclass(frozen=True)
class Machine:
    """One machine: its host name, the release of repermit, the fingerprint of each part that must
    be the same everywhere, and the oldest generation of the vault in its key folder."""

    name: str
    release: str
    facts: Mapping[str, str]
    generation: int


@dataclass(frozen=True)
class Seen:
    """A machine as it was last seen, and whether something runs there."""

    machine: Machine
    at: datetime
    is_present: bool


def join(tx: Transaction, machine: Machine) -> bool:
    """Note that *machine* works from now on, and return whether it did already.

    Raises: MachineDiffers, and nothing is noted, when another one that works now is not the same.
    """
    tx.run("UPDATE campaign SET generation = generation")  # of two that join, one waits
    seen = known(tx)
    differing = {
        each.machine.name: found
        for each in seen
        if each.machine.name != machine.name
        and each.is_present
        and (found := differences(machine, each.machine))
    }
    if differing:
        latest = max(each.at for each in seen if each.machine.name in differing)
        raise MachineDiffers(differing, counts_until=latest + _SILENT)
    tx.run(
        "INSERT INTO machine (name, release, facts, generation, seen_at, left_at)"
        " VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (name) DO UPDATE SET"
        " release = excluded.release, facts = excluded.facts, generation = excluded.generation,"
        " seen_at = excluded.seen_at, left_at = NULL",
        *(machine.name, machine.release, json.dumps(dict(machine.facts)), machine.generation),
        to_micros(tx.now),
    )
    return any(each.machine.name == machine.name and each.is_present for each in seen)


def stay(tx: Transaction, machine: Machine) -> None:
    """Note that *machine* still works, with these facts. The generation that it held when it
    started is left as it is: what runs there may have it in its memory."""
    tx.marks = True  # a copy that was put back on the server is known again here, too
    tx.run(
        "UPDATE machine SET facts = ?, seen_at = ?, left_at = NULL WHERE name = ?",
        *(json.dumps(dict(machine.facts)), to_micros(tx.now), machine.name),
    )


def leave(tx: Transaction, name: str) -> None:
    """Note that nothing runs on that machine any more. Its keys stay where they are, so it is not
    forgotten."""
    tx.run("UPDATE machine SET left_at = ? WHERE name = ?", to_micros(tx.now), name)


def known(tx: Transaction) -> list[Seen]:
    """Return every machine that ever joined, by its name."""
    rows = tx.rows(
        "SELECT name, release, facts, generation, seen_at, left_at FROM machine ORDER BY name"
    )
    return [_seen(tx, row) for row in rows]


def lagging(tx: Transaction, generation: int, *, here: str = "") -> list[str]:
    """Return which machines but the one *here* held an older generation than that when they
    started last; they may do so still, whether or not anything runs there."""
    rows = tx.rows("SELECT name FROM machine WHERE generation < ? ORDER BY name", generation)
    return [name for (name,) in rows if name != here]


def differences(one: Machine, other: Machine) -> list[str]:
    """Return which parts of *other* are not those of *one*; of another release, only that."""
    if one.release != other.release:
        return [f"release {other.release}"]
    parts = sorted(one.facts.keys() | other.facts.keys())
    return [part for part in parts if _differs(part, one.facts, other.facts)]


def _differs(part: str, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    if part.startswith(GENERATION) and not (part in one and part in other):
        return False
    return one.get(part) != other.get(part)


def _seen(tx: Transaction, row: Any) -> Seen:
    name, release, facts, generation, seen_at, left_at = row
    at = from_micros(seen_at)
    is_present = left_at is None and tx.now - at < _SILENT
    return Seen(Machine(name, release, json.loads(facts), generation), at, is_present)
