"""Correcting what a list said of one person, on their own word.

Source: GDPR art. 16.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Any, Final

from repermit.domain.policy import Rules
from repermit.ledger.log import Kind
from repermit.ledger.store.enriching import NO_MAIL_YET
from repermit.ledger.store.personal import (
    contact_month,
    known_text,
    open_person,
    own_key,
    sealed_text,
)
from repermit.ledger.store.resealing import reseal_one
from repermit.ledger.store.screening import screen_slice
from repermit.ledger.transaction import Transaction

LANGUAGE: Final = "language"
DATES: Final = ("collected", "last_contact", "ended")
FIELDS: Final = (LANGUAGE, "source", *DATES)


class Correction(StrEnum):
    """What became of a correction."""

    DONE = "done"
    SHOWN = "shown"  # their mail may have said it already, and stays as it was shown
    GONE = "gone"  # nobody is there


def correct(
    tx: Transaction, recipient_id: int, name: str, value: str | date, *, rules: Rules, today: date
) -> Correction:
    """Let *value* count as the field *name*, one of FIELDS, of a recipient, and screen them anew
    unless their mail may have left; an approval from before does not cover them then.

    The language may be corrected at any time; nothing else once a mail may have said it.
    Crash: the row, its entry in the log and the screening go together or not at all.
    """
    row = tx.one(
        "SELECT id, generation, sealed, relationship, country, language,"
        f" {NO_MAIL_YET} FROM recipient WHERE id = ?",
        recipient_id,
    )
    if row is None:
        return Correction.GONE
    language, is_open = row[5:]
    person = open_person(tx, row)
    evidence = person.evidence
    if name == LANGUAGE:
        language = value
    elif is_open:
        changes: dict[str, Any] = {name: value}
        evidence = replace(evidence, **changes)
    else:
        return Correction.SHOWN
    text = sealed_text(person.address.mailbox, known_text(evidence))
    key = own_key(tx, recipient_id)
    assert key is not None  # noqa: S101 - the row was read
    tx.run(
        "UPDATE recipient SET sealed = ?, language = ?, contact = ? WHERE id = ?",
        tx.vault.seal_text(text, reseal_one(tx, row), recipient_id),
        *(language, contact_month(evidence), recipient_id),
    )
    payload = {"recipient": recipient_id, "fields": [name]}
    tx.log.append(Kind.CORRECTED, payload, now=tx.now, recipient=(recipient_id, key))
    if is_open:
        tx.run(
            "UPDATE recipient SET listed_at_leaf = (SELECT size FROM log_head), lease_by = NULL,"
            " lease_until = NULL WHERE id = ?",
            recipient_id,
        )
        screen_slice(tx, rules, today=today, after_id=recipient_id - 1, slice_rows=1)
    return Correction.DONE
