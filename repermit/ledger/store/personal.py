"""The personal fields of a recipient, as they go under seal and come out again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from repermit.domain.address import Address
from repermit.domain.policy import NEVER_ASKED, Evidence
from repermit.domain.relationship import Relationship
from repermit.ledger.transaction import Transaction

_DATES = frozenset({"collected", "last_contact", "ended"})
_FLAGS = frozenset({"declared", "sensitive"})  # false unless said
_OUTWEIGHS = 100  # more than there are fields
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_RELATIONSHIPS, _UNKNOWN_RELATIONSHIP = frozenset(Relationship), "unknown"
_OPEN = frozenset({"relationship", "country"})  # columns of their own, to count by
_FIELDS = tuple(field.name for field in fields(Evidence))
_SEALED = tuple(name for name in _FIELDS if name not in _OPEN)


@dataclass(frozen=True)
class Person:
    """What is sealed of one recipient."""

    address: Address
    evidence: Evidence


def sealed_text(mailbox: str, known: str) -> str:
    """Return what goes under seal: the mailbox, and the evidence as `known_text` wrote it."""
    named = f'{{"mailbox":{_ENCODER.encode(mailbox)}'
    return f"{named}}}" if known == "{}" else f"{named},{known[1:]}"


def known_text(evidence: Evidence) -> str:
    """Return the evidence that is known as a JSON object, without what stands in columns."""
    content: dict[str, Any] = {}
    for name in _SEALED:
        value = getattr(evidence, name)
        if value is not None and (value is not False or name not in _FLAGS):
            content[name] = value.isoformat() if isinstance(value, date) else value
    return _ENCODER.encode(content)


def richness(evidence: Evidence, language: str | None) -> int:
    """Return how much is known, of the evidence and the language: the row with more counts.

    The stricter rule holds: what forbids to ask outweighs any number of fields, and so does that
    the list is sensitive.
    """
    known = len([name for name in _FIELDS if getattr(evidence, name) not in (None, False)])
    strict = (evidence.relationship in NEVER_ASKED) + 2 * evidence.sensitive
    return known + (language is not None) + _OUTWEIGHS * strict


def open_relationship(name: str | None) -> str | None:
    """Return a relationship as it may stand unsealed: a list may hold anything in that column."""
    return name if name is None or name in _RELATIONSHIPS else _UNKNOWN_RELATIONSHIP


def contact_month(evidence: Evidence) -> int | None:
    """Return the month of the last contact as year * 100 + month: coarse enough to stand
    unsealed, to send by and to count by."""
    days = [day for day in (evidence.collected, evidence.last_contact) if day]
    latest = max(days, default=None)
    return latest.year * 100 + latest.month if latest else None


def person_from(
    content: dict[str, Any], *, relationship: str | None, country: str | None
) -> Person:
    """Return the person whose sealed fields are *content*."""
    known = {key: value for key, value in content.items() if key != "mailbox"}
    for name in _DATES & known.keys():
        known[name] = date.fromisoformat(known[name])
    mailbox = content["mailbox"]
    return Person(
        address=Address(mailbox=mailbox, canonical=mailbox.casefold()),
        evidence=Evidence(relationship=relationship, country=country, **known),
    )


def open_person(tx: Transaction, row: Sequence[Any]) -> Person:
    """Return the person of *row*, which begins with id, generation, sealed, relationship and
    country. Raises: KeysUnusable, SealBroken."""
    recipient_id, generation, sealed, relationship, country = row[:5]
    content = tx.vault.open(sealed, generation=generation, recipient_id=recipient_id)
    return person_from(content, relationship=relationship, country=country)


def own_key(tx: Transaction, recipient_id: int | None) -> bytes | None:
    """Return the key of a recipient's own that their acts are committed to with; None when they
    are not there. Raises: KeysUnusable."""
    row = tx.one("SELECT generation, leaf_key FROM recipient WHERE id = ?", recipient_id)
    if row is None or recipient_id is None:
        return None
    return tx.vault.own_key(row[1], generation=row[0], recipient_id=recipient_id)


def lookups(tx: Transaction, address: Address) -> list[bytes]:
    """Return the keys under which a row of *address* may be filed: the present generation, and
    the one before while a purge is sealing its survivors anew."""
    current, oldest = tx.one(
        "SELECT generation, (SELECT min(generation) FROM recipient) FROM campaign"
    )
    first = current if oldest is None else oldest
    return [
        tx.vault.lookup(address.canonical, generation=number)
        for number in range(current, first - 1, -1)
    ]


def reseal_rows(
    tx: Transaction, table: str, key: str, ids: Sequence[int], *, generation: int
) -> None:
    """Seal what *table*, whose rows are known by *key*, holds of the recipients *ids* under
    *generation*. Raises: KeysUnusable, SealBroken."""
    rows = tx.rows(
        f"SELECT {key}, recipient_id, generation, sealed FROM {table} WHERE generation < ?"
        " AND recipient_id IN (SELECT value FROM json_each(?))",
        *(generation, json.dumps(list(ids))),
    )
    for number, recipient_id, old, sealed in rows:
        fields = tx.vault.open(sealed, generation=old, recipient_id=recipient_id)
        fresh = tx.vault.seal(fields, generation=generation, recipient_id=recipient_id)
        tx.run(
            f"UPDATE {table} SET generation = ?, sealed = ? WHERE {key} = ?",
            *(generation, fresh, number),
        )
