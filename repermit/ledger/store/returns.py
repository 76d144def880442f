"""What came back so far, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from repermit.ledger.instants import from_micros
from repermit.ledger.store import caps
from repermit.ledger.store.caps import Day
from repermit.ledger.transaction import Transaction

_STRANGE = ("forged", "not_ours")  # outcomes of what names no mail of ours


@dataclass(frozen=True)
class Returns:
    """How many messages were handled, when what comes back was last read (None: never), and how
    many replies wait for a person.

    `kinds` counts what was about a mail of ours, by what it was; `strange` the others, by why.
    `providers` is of the last 24 hours, "" for one of many others.
    """

    read: int
    last: datetime | None
    waiting_replies: int
    kinds: Mapping[str, int]
    strange: Mapping[str, int]
    providers: Mapping[str, Day]


def returns(tx: Transaction) -> Returns:
    """Return what came back so far."""
    kinds, strange = Counter[str](), Counter[str]()
    for kind, outcome, count in tx.rows(
        "SELECT kind, outcome, count(*) FROM handled WHERE kind <> '' GROUP BY kind, outcome"
    ):
        if outcome in _STRANGE:
            strange[outcome] += count
        else:
            kinds[kind] += count
    return Returns(
        read=kinds.total() + strange.total(),
        last=from_micros(tx.value("SELECT inbound_at FROM campaign")),
        waiting_replies=waiting_replies(tx),
        kinds=kinds,
        strange=strange,
        providers=caps.last_day(tx),
    )


def waiting_replies(tx: Transaction) -> int:
    """Return how many replies wait for a person."""
    return int(tx.value("SELECT count(*) FROM reply"))
