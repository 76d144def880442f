"""The end of a campaign: what stands against it, who is left, and that it is closed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from repermit.domain.clock import iso
from repermit.domain.count import counted
from repermit.domain.due import BY_CLOSE, BY_DATE
from repermit.errors import CloseRefused
from repermit.ledger.instants import from_micros, to_micros
from repermit.ledger.log import Kind
from repermit.ledger.store import due, erasing, outbox, returns, undoing
from repermit.ledger.store.due import Terms
from repermit.ledger.store.present import closed_at
from repermit.ledger.transaction import Transaction

_OPEN: Final = (  # whose date is still to come, and the last of these dates
    "SELECT count(*), max(max(due_at, coalesce(extended_until, 0))) FROM recipient, campaign"
    " WHERE standing IN ('asked', 'doubtful', 'undeliverable', 'opted_out')"
    " AND max(due_at, coalesce(extended_until, 0)) > ?"
)


class Obstacle(NamedTuple):
    """One reason against closing: a code for scripts, what to do, and a date, if one helps."""

    code: str
    text: str
    until: datetime | None = None


@dataclass(frozen=True)
class Ending:
    """A campaign that is to end: what stands against it, who is left without a decision (by the
    reason for which they may be erased), how many more of each have a hold, and who stays."""

    obstacles: tuple[Obstacle, ...]
    undecided: Mapping[str, int]
    stay: dict[str, int]
    held: Mapping[str, int] = field(default_factory=dict)
    resumes: bool = False  # a purge that decided on some of them was cut off
    closed_at: datetime | None = None


def ending(tx: Transaction, terms: Terms) -> Ending:
    """Return what closing means now; *terms* are those of a purge of everybody whom only it lets
    erase."""
    cut_off = erasing.unfinished_purge(tx)
    resumes = cut_off is not None and _is_of_closing(cut_off.terms)
    obstacles = _obstacles(tx, terms, is_purging=cut_off is not None and not resumes)
    counts = due.counts(tx, terms)
    held = {str(each): due.held(tx, replace(terms, reasons=(each,))) for each in BY_CLOSE}
    return Ending(
        obstacles=tuple(obstacles),
        undecided={str(each): counts[each] for each in BY_CLOSE if each in counts},
        stay=_stay(tx),
        held={name: count for name, count in held.items() if count},
        resumes=resumes,
        closed_at=closed_at(tx),
    )


def waiting(tx: Transaction) -> tuple[int, datetime | None]:
    """Return how many have a mail whose date is still to come, and the last of these dates; who
    said yes is not among them."""
    count, last = tx.one(_OPEN, to_micros(tx.now))
    return count, from_micros(last)


def handed_over_at(tx: Transaction) -> datetime | None:
    """Return when the campaign was last handed over, or None."""
    moment: datetime | None = from_micros(
        tx.value("SELECT max(at) FROM export WHERE standing = 'exempt'")  # no other file has those
    )
    return moment


def not_handed_over(tx: Transaction) -> str:
    """Return why there is no hand-over of how things are now, or an empty text."""
    size = tx.value(f"SELECT {due.HANDED_OVER}")
    if size is None:
        return "nobody was handed over yet"
    if tx.one(f'SELECT 1 FROM log WHERE "index" >= ? AND {due.CHANGES} LIMIT 1', size):
        return "somebody changed their mind since the last hand-over"
    return ""


def is_exported(tx: Transaction) -> bool:
    """Return whether those who said yes were ever written into a file, by an export or handed
    over."""
    sql = "SELECT EXISTS (SELECT 1 FROM export WHERE standing IN ('opted_in', 'exempt'))"
    return bool(tx.value(sql))


def close(tx: Transaction, terms: Terms, *, by: str, kept: Sequence[str]) -> None:
    """Close the campaign, once: nobody is asked any more; *kept* are those left without a mail
    who stay.

    Raises: CloseRefused when something stands against it, or somebody is left of whom nobody
    has decided.
    """
    if closed_at(tx) is not None:
        return
    found = ending(tx, terms)
    left = [name for name in found.undecided if name not in kept]
    undecided = Obstacle("undecided", f"nobody has decided on {', '.join(left)}: close again")
    require_none([*found.obstacles, *([undecided] if left else [])])
    tx.run("UPDATE campaign SET closed_at = ?", to_micros(tx.now))
    purged, gone = tx.one("SELECT purged, erased FROM campaign")
    payload = {
        "by": by,
        "decided": {"erased": erased(tx), "kept": dict(found.undecided)},
        "standings": found.stay,
        "purged": purged,
        "erased": gone,
    }
    tx.log.append(Kind.CLOSED, payload, now=tx.now)


def against_erasing_all(tx: Transaction) -> Iterator[Obstacle]:
    """Yield what keeps everybody who is left from being erased because the contract has ended."""
    if closed_at(tx) is None:
        yield Obstacle("open", "the campaign is not closed: `repermit close --by NAME` first")
    if why := not_handed_over(tx):
        yield Obstacle("handover", f"{why}: `repermit handover DIR`")


def require_none(obstacles: Sequence[Obstacle]) -> None:
    """Raise CloseRefused with every one of *obstacles*, if there are any."""
    if obstacles:
        raise CloseRefused(
            [(each.code, each.text, each.until) for each in obstacles],
            hint="when all of that is done, run `repermit close` again",
        )


def erased(tx: Transaction) -> dict[str, int]:
    """Return how many were given up to purges because the campaign closes, by reason."""
    found: dict[str, int] = {}
    for terms, by_reason in tx.rows("SELECT terms, by_reason FROM purge ORDER BY id"):
        if _is_of_closing(terms):
            for reason, count in json.loads(by_reason).items():
                found[reason] = found.get(reason, 0) + count
    return found


def said(tx: Transaction) -> dict[str, Any]:
    """Return what the log says of the closing: when, by whom, how many of each class were erased
    and kept, and who stayed."""
    at, payload = tx.one("SELECT at, payload FROM log WHERE kind = 'closed'")
    told = json.loads(payload)
    return {
        "closed": iso(datetime.fromisoformat(at)),
        "by": told["by"],
        **told["decided"],
        "standings": told["standings"],
    }


def has_evidence(tx: Transaction) -> bool:
    """Return whether a bundle of evidence was made since the campaign was closed."""
    bundle = "kind = 'exported' AND json_extract(CAST(payload AS TEXT), '$.bundle') IS NOT NULL"
    closed = "SELECT max(\"index\") FROM log WHERE kind = 'closed'"
    return tx.one(f'SELECT 1 FROM log WHERE {bundle} AND "index" > ({closed})') is not None


def _obstacles(tx: Transaction, terms: Terms, *, is_purging: bool) -> Iterator[Obstacle]:
    if tx.value("SELECT older_copy FROM campaign"):
        yield Obstacle("older_copy", "this ledger is an older copy: run `repermit doubt restored`")
    if undoing.is_unfinished(tx):
        text = "an import is running, or was cut off: run it again, or take it back"
        yield Obstacle("import", text)
    if is_purging:
        yield Obstacle("purge", "a purge was cut off: `repermit purge` finishes it")
    if leaving := erasing.still_leaving(tx):
        yield Obstacle(
            "leaving",
            f"{counted(leaving, 'mail is', 'mails are')} still leaving: wait for `repermit send`",
        )
    count, last = waiting(tx)
    if count:
        yield Obstacle(
            "open",
            f"{counted(count, 'person has', 'people have')} not had all their time to answer",
            last,
        )
    by_date = due.counts(tx, replace(terms, reasons=BY_DATE))
    if by_date:
        who = counted(sum(by_date.values()), "person is", "people are")
        text = f"{who} due and not erased: `repermit purge`"
        yield Obstacle("due", text)
    if owed := outbox.owed_to_people(tx):  # what the operator is told leaves after the end, too
        mails = counted(owed, "mail is", "mails are")
        yield Obstacle("owed", f"{mails} owed to people: `repermit send` delivers them")
    if unread := returns.waiting_replies(tx):
        replies = counted(unread, "reply waits", "replies wait")
        text = f"{replies} for a person: `repermit inbound review`"
        yield Obstacle("replies", text)
    if why := not_handed_over(tx):
        yield Obstacle("handover", f"{why}: `repermit handover DIR`")


def _is_of_closing(terms: str) -> bool:
    return set(Terms.from_json(terms).reasons) <= set(BY_CLOSE)


def _stay(tx: Transaction) -> dict[str, int]:
    """Return who is there, by standing."""
    return dict(
        tx.rows("SELECT standing, count(*) FROM recipient GROUP BY standing ORDER BY standing")
    )
