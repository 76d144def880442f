"""What a certificate of erasure says, and what keeps it from being said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from repermit.domain.count import counted
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.store import closing, erasing, originals, places, purges
from repermit.ledger.store.closing import Obstacle
from repermit.ledger.store.places import Place
from repermit.ledger.store.present import closed_at
from repermit.ledger.transaction import Transaction

_LEFT: Final = (  # besides recipients: whatever may tell of one of them
    "SELECT (SELECT count(*) FROM answer) + (SELECT count(*) FROM reply)"
    " + (SELECT count(*) FROM origin) + (SELECT count(*) FROM also_said)"
    " + (SELECT count(*) FROM outbox WHERE recipient_id IS NOT NULL)"
    " + (SELECT count(*) FROM log WHERE recipient_id IS NOT NULL AND payload IS NOT NULL)"
)

# When people were first erased because the contract had ended.
_ENDED: Final = "SELECT min(started_at) FROM purge WHERE by_reason LIKE '%contract_ended%'"


@dataclass(frozen=True)
class HandedOver:
    """One file of a hand-over: who stands in it, how many, and its SHA-256."""

    at: datetime
    standing: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Erased:
    """Everything of a campaign that is erased; nobody is in it."""

    closed_at: datetime
    closed_by: str
    campaign: str
    admitted: int
    purged: int
    erased: int
    reports: tuple[Mapping[str, Any], ...]  # of each purge, with its hash as `sha256`
    handed_over: tuple[HandedOver, ...]
    noes: int  # codes of who said no, and of who was asked and said nothing
    silent: int
    places: tuple[Place, ...]
    lists: int  # original lists of which nobody has said that they are destroyed


def against(tx: Transaction) -> Iterator[Obstacle]:
    """Yield what is left to do before the campaign is erased."""
    if tx.value("SELECT older_copy FROM campaign"):
        yield Obstacle("older_copy", "this ledger is an older copy: run `repermit doubt restored`")
    if closed_at(tx) is None:
        yield Obstacle("open", "the campaign is not closed: `repermit close --by NAME` first")
    if erasing.unfinished_purge(tx):
        yield Obstacle("purge", "a purge was cut off: `repermit purge` finishes it")
    if closing.handed_over_at(tx) is None:
        yield Obstacle("handover", "nothing was handed over: `repermit handover DIR`")
    if left := tx.value("SELECT count(*) FROM recipient"):
        text = (
            f"{counted(left, 'person is', 'people are')} on file: hand them"
            " over, then `repermit purge --contract-ended"
            f" --at-most {left} --by NAME`"
        )
        yield Obstacle("left", text)
    elif traces := tx.value(_LEFT):
        text = f"{traces:,} rows tell of somebody who is erased: report this, it is a defect"
        yield Obstacle("left", text)


def may_certify(tx: Transaction) -> bool:
    """Return whether people were erased because the contract has ended, and nothing is left to do
    before that is certified."""
    return tx.value(_ENDED) is not None and next(against(tx), None) is None


def erased(tx: Transaction) -> Erased:
    """Return what was erased, of a campaign that nothing is `against`."""
    told, owner = closing.said(tx), "SELECT uuid, admitted, purged, erased FROM campaign"
    campaign, admitted, purged, gone = tx.one(owner)
    hashes = purges.reported(tx)
    codes = "SELECT count(*) FROM suppression WHERE source {} 'asked'"
    return Erased(
        closed_at=datetime.fromisoformat(told["closed"]),
        closed_by=told["by"],
        campaign=campaign,
        admitted=admitted,
        purged=purged,
        erased=gone,
        reports=tuple(
            {**report, "sha256": hashes[number]} for number, report in purges.reports(tx)
        ),
        handed_over=_handed_over(tx),
        noes=tx.value(codes.format("<>")),
        silent=tx.value(codes.format("=")),
        places=places.places(tx),
        lists=originals.count_left(tx),
    )


def _handed_over(tx: Transaction) -> tuple[HandedOver, ...]:
    """Return the files of the last hand-over before anybody was erased because the contract had
    ended, which has them all, and of those after it, which have only who was left by then."""
    ended = tx.value(_ENDED)
    whole = tx.value(
        "SELECT max(at) FROM export WHERE standing = 'exempt' AND at <= ?",
        to_micros(tx.now) if ended is None else ended,
    )
    rows = tx.rows(
        "SELECT at, standing, rows, content FROM export WHERE at >= ?"
        " AND at IN (SELECT at FROM export WHERE standing = 'exempt') ORDER BY id",
        whole,
    )
    return tuple(HandedOver(from_micros(at), *more) for at, *more in rows)
