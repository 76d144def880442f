"""Everything that a ledger holds about one person, for that person.

It is read column by column from the tables, so that a column that is added is told unless UNTOLD
says why not.

Source: GDPR art. 15(1), 15(3) and 20(1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from repermit.domain.clock import iso
from repermit.ledger import tables
from repermit.ledger.instants import from_micros
from repermit.ledger.store import extending, reading
from repermit.ledger.store.personal import person_from
from repermit.ledger.transaction import Transaction

_OF_A_PROCESS = "names a process of ours, for minutes"
_OF_A_NOTICE = "of mails to the operator, which are about nobody"
_OF_A_SEAL = "how the personal fields are sealed; they are told themselves"
UNTOLD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "recipient.generation": _OF_A_SEAL,
        "recipient.lookup": "a code that is computed from the address, which is told",
        "recipient.leaf_key": "the key that protects their entries in the log from being guessed",
        "recipient.listed_at_leaf": "where the log stood, the same for a whole list",
        "recipient.lease_by": _OF_A_PROCESS,
        "recipient.lease_until": _OF_A_PROCESS,
        "recipient.claimed_by": _OF_A_PROCESS,
        "answer.recipient_id": "their number, which is told",
        "answer.who": "a code that is computed from the address, which is told",
        "also_said.recipient_id": "their number, which is told",
        "also_said.richness": "a sum over what is told, to compare two lists by",
        "origin.recipient_id": "their number, which is told",
        "origin.generation": _OF_A_SEAL,
        "reply.recipient_id": "their number, which is told",
        "reply.generation": _OF_A_SEAL,
        "outbox.recipient_id": "their number, which is told",
        "outbox.claimed_by": _OF_A_PROCESS,
        "outbox.lease_until": _OF_A_PROCESS,
        "hold.recipient_id": "their number, which is told",
        "hold.by": "who of the controller's own people said so",
        "outbox.receiver": _OF_A_NOTICE,
        "outbox.said": _OF_A_NOTICE,
    }
)
_OPENED = frozenset({"sealed"})  # told as what is in them
_LISTS = frozenset({"purposes", "purposes_before", "covers"})
_TRUTHS = frozenset({"suspect", "restored", "signed"})
_INSTANTS = frozenset({"at", "not_before", "keep_until", "since", "until"})


def everything(tx: Transaction, recipient_id: int) -> dict[str, Any] | None:
    """Return everything that is held about a recipient, as JSON can hold it; None when they are
    not there. Instants are UTC, ISO 8601. Of replies only those that are surely about
    their mail: any other may be somebody else's words, and is for the controller's own people.

    Raises: KeysUnusable, SealBroken.
    """
    found = _rows(tx, "recipient", "id", recipient_id)
    if not found:
        return None
    row = found[0]
    answers = _rows(tx, "answer", "recipient_id", recipient_id)
    other_lists = _rows(tx, "also_said", "recipient_id", recipient_id)
    person = person_from(row["personal"], relationship=None, country=None)
    suppressed = reading.suppressed(tx, person.address)
    return {
        "person": row,
        "answers": answers,
        "origins": _rows(tx, "origin", "recipient_id", recipient_id),
        "other_lists": other_lists,
        "imports": [_import(tx, one["intake_id"]) for one in (row, *other_lists)],
        "extended_until": iso(extending.extended_until(tx)),
        "holds": [
            {**one, "counts": datetime.fromisoformat(one["until"]) > tx.now}
            for one in _rows(tx, "hold", "recipient_id", recipient_id)
        ],
        "other_mails": _rows(tx, "outbox", "recipient_id", recipient_id),
        "replies": [
            one for one in _rows(tx, "reply", "recipient_id", recipient_id) if one["signed"]
        ],
        "never_mailed": suppressed
        and {
            "since": iso(suppressed.since),
            "source": suppressed.source,
            "reason": suppressed.reason,
        },
        "log": [
            {"entry": index, "at": at, "kind": kind}
            for index, at, kind in tx.rows(
                'SELECT "index", at, kind FROM log WHERE recipient_id = ? ORDER BY "index"',
                recipient_id,
            )
        ],
        "shown": _shown(tx, [row["mail"], *(one["page"] for one in answers)]),
    }


def _rows(tx: Transaction, table: str, column: str, recipient_id: int) -> list[dict[str, Any]]:
    """Return the rows of a person in *table*, by the names of its columns."""
    names = tables.Campaign.metadata.tables[table].columns.keys()
    columns = ", ".join(f'"{name}"' for name in names)
    found = tx.rows(f"SELECT {columns} FROM {table} WHERE {column} = ? ORDER BY 1, 2", recipient_id)
    rows = (dict(zip(names, row, strict=True)) for row in found)
    return [_told(tx, table, recipient_id, row) for row in rows]


def _told(tx: Transaction, table: str, recipient_id: int, row: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        name: _plain(name, value)
        for name, value in row.items()
        if f"{table}.{name}" not in UNTOLD and name not in _OPENED
    }
    if "sealed" in row:
        generation = row.get("generation") or tx.value(
            "SELECT generation FROM recipient WHERE id = ?", recipient_id
        )
        told["personal"] = tx.vault.open(
            row["sealed"], generation=generation, recipient_id=recipient_id
        )
    return told


def _plain(name: str, value: Any) -> Any:
    if name in _LISTS:
        return json.loads(value) if value else []
    if name in _TRUTHS:
        return bool(value)
    if name in _INSTANTS or name.endswith("_at"):
        return iso(from_micros(value))
    return value


def _import(tx: Transaction, intake_id: int) -> dict[str, Any]:
    started = tx.value("SELECT started_at FROM intake WHERE id = ?", intake_id)
    return {"number": intake_id, "at": iso(from_micros(started))}


def _shown(tx: Transaction, hashes: list[str | None]) -> dict[str, Any]:
    """Return what was shown to them, by its hash; their own data stood in the places."""
    found = {}
    for hashed in dict.fromkeys(one for one in hashes if one):
        row = tx.one("SELECT kind, language, content FROM snapshot WHERE hash = ?", hashed)
        if row is not None:
            found[hashed] = {"kind": row[0], "language": row[1], "content": row[2]}
    return found
