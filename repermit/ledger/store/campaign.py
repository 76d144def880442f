"""The campaign as a whole: its figures, its pause, what is known of earlier opt-outs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from repermit.domain.standing import Standing
from repermit.errors import StatementRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.merkle import Frontier
from repermit.ledger.store import (
    checking,
    elsewhere,
    extending,
    holding,
    outbox,
    places,
    probing,
    tally,
)
from repermit.ledger.store.present import closed_at
from repermit.ledger.store.returns import Returns, returns
from repermit.ledger.transaction import Transaction

_MAY_FALL_DUE = ("claimed", "asked", "doubtful", "undeliverable", "opted_out")


@dataclass(frozen=True)
class Figures:
    """Where the campaign stands. The standings, `purged` and `erased` add up to `admitted`."""

    campaign: str
    standings: Mapping[str, int]  # every standing, also those that nobody has
    outcomes: Mapping[str, int]  # the same people as a report counts them, every outcome
    purged: int
    erased: int
    admitted: int
    suspect: int
    suppressions: int
    first_due: datetime | None  # no earlier than the date to which the deadline was moved
    last_due: datetime | None
    extended_until: datetime | None
    next_try: datetime | None
    paused_at: datetime | None
    stopped_at: datetime | None
    stopped_for: Mapping[str, Any] | None
    log_size: int
    log_root: str
    holds: int  # people who are held now, and when the first of those holds ends
    next_release: datetime | None
    outbox: Mapping[str, int]  # of the mails besides the question: owed, doubtful, failed
    to_remove: int  # erased after an export of their yes, and no later one has said so
    page_seen: probing.Sight | None  # when it was last seen to work
    page_failed: probing.Sight | None  # when that was not what the newest probe found
    closed_at: datetime | None
    places: tuple[places.Place, ...]  # where else a list lives
    last_purge: LastPurge | None
    bounce_check: checking.Tried  # the last mail that tried whether bounces come back
    returns: Returns


@dataclass(frozen=True)
class LastPurge:
    """The latest purge: how many it has erased, when it was finished, if it was, and then the
    places elsewhere to which no hand-over had named its people."""

    number: int
    purged: int
    finished_at: datetime | None
    named_nowhere: tuple[str, ...] = ()


def figures(tx: Transaction) -> Figures:
    """Return the figures, all of one moment."""
    standings = dict.fromkeys(map(str, Standing), 0)
    standings.update(tx.rows("SELECT standing, count(*) FROM recipient GROUP BY standing"))
    owner, admitted, purged, erased, paused, stopped, why = tx.one(
        "SELECT uuid, admitted, purged, erased, paused_at, stopped_at, stopped_for FROM campaign"
    )
    size, frontier = tx.one("SELECT size, frontier FROM log_head")
    holds, next_release = holding.in_force(tx)
    first, last = _printed(tx)
    extended = extending.extended_until(tx)
    return Figures(
        campaign=owner,
        standings=standings,
        outcomes=tally.outcomes(tx, standings),
        purged=purged,
        erased=erased,
        admitted=admitted,
        suspect=tx.value("SELECT count(*) FROM recipient WHERE suspect"),
        suppressions=tx.value("SELECT count(*) FROM suppression"),
        first_due=_no_earlier(from_micros(first), extended),
        last_due=_no_earlier(from_micros(last), extended),
        extended_until=extended,
        next_try=from_micros(
            tx.value("SELECT min(try_at) FROM recipient WHERE standing = 'deferred'")
        ),
        paused_at=from_micros(paused),
        stopped_at=from_micros(stopped),
        stopped_for=json.loads(why) if why else None,
        log_size=size,
        log_root=Frontier.from_bytes(size, frontier).root().hex(),
        holds=holds,
        next_release=next_release,
        outbox=outbox.counts(tx),
        to_remove=elsewhere.untold(tx),
        page_seen=probing.last_seen(tx),
        page_failed=probing.outage(tx),
        closed_at=closed_at(tx),
        places=places.places(tx),
        last_purge=_last_purge(tx),
        bounce_check=checking.tried(tx),
        returns=returns(tx),
    )


def first_due(tx: Transaction) -> datetime | None:
    """Return the first date that has come or will come for somebody who has not said yes."""
    return _no_earlier(from_micros(_printed(tx)[0]), extending.extended_until(tx))


def _printed(tx: Transaction) -> tuple[int | None, int | None]:
    """Return the first and the last date in the mails of those who have not said yes; each is the
    end of an index, whatever number of people there are."""
    ends = "SELECT min(due_at) AS first, max(due_at) AS last FROM recipient WHERE standing = '{}'"
    each = " UNION ALL ".join(ends.format(standing) for standing in _MAY_FALL_DUE)
    first, last = tx.one(f"SELECT min(first), max(last) FROM ({each}) AS dates")
    return first, last


def _no_earlier(date: datetime | None, extended: datetime | None) -> datetime | None:
    return max(date, extended) if date and extended else date


def _last_purge(tx: Transaction) -> LastPurge | None:
    row = tx.one("SELECT id, purged, finished_at, report FROM purge ORDER BY id DESC LIMIT 1")
    if row is None:
        return None
    number, purged, finished, report = row
    told = json.loads(report)["places"] if report and purged else []
    named = {each["name"] for each in told if each["named"]}
    nowhere = (each.name for each in places.places(tx) if each.name not in named)
    return LastPurge(
        number, purged, from_micros(finished), tuple(nowhere) if report and purged else ()
    )


def cells(tx: Transaction) -> list[tuple[str, str, str, int]]:
    """Return (cell, standing, reason, count) of every cell, the largest first."""
    return [
        tuple(row)
        for row in tx.rows(
            "SELECT cell, standing, reason, count(*) FROM recipient"
            " GROUP BY cell, standing, reason ORDER BY count(*) DESC, cell"
        )
    ]


def hold(tx: Transaction) -> tuple[bool, dict[str, Any] | None]:
    """Return whether the campaign is paused, and why it has stopped by itself, if it has."""
    paused_at, why = tx.one("SELECT paused_at, stopped_for FROM campaign")
    return paused_at is not None, json.loads(why) if why else None


def pause(tx: Transaction) -> bool:
    """Hold every sender of this ledger before its next intent; False if it was held already."""
    paused = tx.run("UPDATE campaign SET paused_at = ? WHERE paused_at IS NULL", to_micros(tx.now))
    if paused:
        tx.log.append(Kind.PAUSED, {}, now=tx.now)
    return paused == 1


def resume(tx: Transaction) -> bool:
    """Let senders go on; False if they were not held."""
    resumed = tx.run("UPDATE campaign SET paused_at = NULL WHERE paused_at IS NOT NULL")
    if resumed:
        tx.log.append(Kind.RESUMED, {}, now=tx.now)
    return resumed == 1


def state_no_opt_outs(tx: Transaction, statement: str) -> None:
    """Keep the written statement that nobody ever opted out before; a second one replaces the
    first, and the log keeps both.

    It is about whom no list names: who opted out in an imported list is suppressed already.
    Raises: StatementRefused when a list of those who opted out was taken in, if only in part.
    """
    if named := earlier_opt_outs(tx).named:
        raise StatementRefused(
            f"the statement would be untrue: a list has named {named:,} who opted out",
            hint="take that list in to its end with `repermit suppress`; approve asks no more",
        )
    tx.run("UPDATE campaign SET no_opt_outs = ?", statement)
    _log_statement(tx, statement)


@dataclass(frozen=True)
class EarlierOptOuts:
    """What was said of who opted out before the campaign: the statement that nobody did, how
    many lists of opt-outs came in, and how many people those have named."""

    statement: str | None
    lists: int
    named: int


def earlier_opt_outs(tx: Transaction) -> EarlierOptOuts:
    """Return what was said of who opted out before the campaign."""
    named = tx.value("SELECT count(*) FROM suppression WHERE source = 'list'")
    statement, lists = tx.one("SELECT no_opt_outs, stop_lists FROM campaign")
    return EarlierOptOuts(statement, lists, named)


def take_back_statement(tx: Transaction) -> None:
    """Take back the statement that nobody ever opted out, if there is one."""
    if tx.run("UPDATE campaign SET no_opt_outs = NULL WHERE no_opt_outs IS NOT NULL"):
        _log_statement(tx, None)


def note_stop_list(tx: Transaction, *, addresses: int, reason: str) -> None:
    """Note that a list of earlier opt-outs was taken in to its end, whoever was on it."""
    tx.run("UPDATE campaign SET stop_lists = stop_lists + 1")
    payload = {"source": "list", "reason": reason, "hashes": [], "addresses": addresses}
    tx.log.append(Kind.SUPPRESSED, payload, now=tx.now)


def knows_opt_outs(tx: Transaction) -> bool:
    """Return whether it was said who opted out before the campaign: by a list of opt-outs that was
    taken in whole, or by the statement that nobody else did."""
    return bool(tx.value("SELECT no_opt_outs IS NOT NULL OR stop_lists > 0 FROM campaign"))


def _log_statement(tx: Transaction, statement: str | None) -> None:
    payload: dict[str, Any] = {"source": "statement", "reason": statement, "hashes": []}
    tx.log.append(Kind.SUPPRESSED, payload, now=tx.now)


def keep_rules(tx: Transaction, facts: Mapping[str, Any]) -> None:
    """Put the policy of a screening, with its reasons and counts by cell, into the log."""
    tx.log.append(Kind.SCREENED, dict(facts), now=tx.now)
