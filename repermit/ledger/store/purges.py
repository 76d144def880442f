"""What is told of purges besides who is due: the days printed in their mails, and the reports of
those that are finished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from repermit.ledger.instants import from_micros
from repermit.ledger.merkle import Frontier
from repermit.ledger.store import due
from repermit.ledger.store.due import Terms
from repermit.ledger.transaction import Transaction

_LATER: Final = datetime(9000, 1, 1, tzinfo=UTC)  # when every date has passed


class Log(NamedTuple):
    """The size and the root of the log."""

    size: int
    root: bytes


def log_now(tx: Transaction) -> Log:
    """Return the log as it is now, for a checkpoint."""
    size, frontier = tx.one("SELECT size, frontier FROM log_head")
    return Log(size, Frontier.from_bytes(size, frontier).root())


def printed(tx: Transaction, terms: Terms) -> dict[str, tuple[datetime, datetime]]:
    """Return the first and the last `due_at` of those who are due, by reason; nothing for a reason
    whose people had no mail."""
    found = {}
    for reason in terms.reasons:
        sql = f"SELECT min(due_at), max(due_at) FROM recipient WHERE {due.condition(reason)}"
        first, last = tx.connection.execute(sql, terms.values()).fetchone()
        if first is not None:
            found[str(reason)] = from_micros(first), from_micros(last)
    return found


def in_all(tx: Transaction, terms: Terms) -> int:
    """Return how many would be due by the reasons of *terms* in the end, if nobody answered more
    and nobody was held."""
    return sum(due.counts(tx, replace(terms, moment=_LATER)).values())


def generation(tx: Transaction) -> int:
    """Return the number of the vault keys that a purge would destroy now."""
    return int(tx.value("SELECT generation FROM campaign"))


def finished(tx: Transaction) -> int:
    """Return how many purges have ended."""
    return int(tx.value("SELECT count(finished_at) FROM purge"))


def reported(tx: Transaction) -> dict[int, str]:
    """Return the SHA-256 of the report of each purge, as hex, as the log has it."""
    rows = tx.rows("SELECT payload FROM log WHERE kind = 'reported'")
    told = [json.loads(payload) for (payload,) in rows]
    return {each["purge"]: each["report"] for each in told}


def reports(tx: Transaction) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the number and the report of every purge that has one."""
    rows = tx.rows("SELECT id, report FROM purge WHERE report IS NOT NULL ORDER BY id")
    return [(number, json.loads(text)) for number, text in rows]
