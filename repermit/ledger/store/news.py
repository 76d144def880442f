"""What has happened to the campaign that a person should hear of without asking: it is read from
what is on file anyway, so that whoever was killed before they told it leaves it to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from repermit.ledger.instants import from_micros
from repermit.ledger.transaction import Transaction


class Stop(NamedTuple):
    """That sending has stopped by itself: when, and why, as plain values."""

    at: datetime
    why: Mapping[str, Any]


class Ended(NamedTuple):
    """A wave of which every mail has left: its number, and how many those were."""

    number: int
    mails: int


def stop(tx: Transaction) -> Stop | None:
    """Return the stop that holds; None when there was none, or a person has looked since."""
    at, why = tx.one("SELECT stopped_at, stopped_for FROM campaign")
    return Stop(from_micros(at), json.loads(why)) if at is not None and why else None


def ended(tx: Transaction) -> Ended | None:
    """Return the newest wave that is done; None when none is."""
    row = tx.one(
        "SELECT number, mails FROM wave WHERE ended_at IS NOT NULL ORDER BY number DESC LIMIT 1"
    )
    return None if row is None else Ended(*row)
