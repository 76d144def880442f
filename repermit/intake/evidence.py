"""What the cells of one row say of how its address came onto the list.

A cell wins over what was said for the whole list; a cell that cannot be understood is missing,
and is not replaced: a default must not paper over a doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from repermit.domain.policy import Evidence
from repermit.intake import cells

LEFT = "left"  # a column without a name for it in which some are said to have left
STATUS = "status"  # a column that says of each person whether they are subscribed
STOPS = frozenset({"opted_out", "opted_in", STATUS, LEFT})
SUPPRESSED = "suppressed"  # what a value of a column may mean instead of a relationship
_DATES = frozenset({"collected", "last_contact", "ended"})


@dataclass(frozen=True)
class Defaults:
    """What was said of the whole list, where a row says nothing itself."""

    relationship: str | None = None
    country: str | None = None
    language: str | None = None
    source: str | None = None
    collected: date | None = None
    last_contact: date | None = None
    declared: bool = False
    sensitive: bool = False


@dataclass(frozen=True)
class Known:
    """What is known of one row; `unread` names the fields whose cell was not understood, and
    `stop` the field that says that the person opted out, if one does."""

    evidence: Evidence
    language: str | None
    stop: str | None
    unread: tuple[str, ...]


def evidence_of(
    fields: Sequence[str],
    said: Sequence[str],
    defaults: Defaults,
    *,
    meanings: Mapping[str, str] | None = None,
    month_first: frozenset[str] = frozenset(),
) -> Known:
    """Return what the cells *said* under *fields* say, completed by what was said for the whole
    list. Never raises.

    *meanings* are the relationships, or `SUPPRESSED`, that the operator named for values of that
    column; *month_first* are the fields whose dates begin with the month.
    """
    values: dict[str, Any] = dict(vars(defaults))
    unread: list[str] = []
    for name, text in zip(fields, said, strict=True):
        if name in STOPS or cells.is_nothing(text):
            continue
        if name in _DATES:
            values[name] = cells.date_of(text, month_first=name in month_first)
        elif name == "relationship" and meanings:
            values[name] = meanings.get(text) or cells.relationship_of(text)
        else:
            values[name] = _PARSERS[name](text)
        if values[name] is None:
            unread.append(name)
    stop = _stop(fields, said, unread)
    if values["relationship"] == SUPPRESSED:
        stop = stop or "relationship"
    language: str | None = values.pop("language")
    return Known(Evidence(**values), language, stop, tuple(unread))


def month_first(fields: Sequence[str], rows: Iterable[Sequence[str]]) -> frozenset[str]:
    """Return the fields whose dates in *rows* begin with the month, as American programs write
    them: some can only be read so, and none can only be read the other way."""
    orders: dict[str, set[str | None]] = {name: set() for name in fields if name in _DATES}
    for said in rows:
        for name, text in zip(fields, said, strict=True):
            if name in orders:
                orders[name].add(cells.order_of(text))
    return frozenset(name for name, seen in orders.items() if "month" in seen and "day" not in seen)


def is_on_stop_list(fields: Sequence[str], said: Sequence[str]) -> bool:
    """Return whether a row of a list of those who stopped means somebody who did: everybody, but
    those of whom it plainly says otherwise."""
    if not {"opted_out", STATUS, LEFT}.isdisjoint(fields):
        return _stop(fields, said, []) is not None
    return not any(
        cells.is_yes(text)
        for name, text in zip(fields, said, strict=True)
        if name == "opted_in" and not cells.is_nothing(text)
    )


def _stop(fields: Sequence[str], said: Sequence[str], unread: list[str]) -> str | None:
    """Return the field that says so, if one does: never mail in doubt, so what is not understood
    in a column about subscriptions does."""
    stop = None
    for name, text in zip(fields, said, strict=True):
        if cells.is_nothing(text):
            continue
        if name in {LEFT, "relationship"}:
            stop = stop or (name if cells.says_left(text) else None)
        elif name == "opted_in" and not cells.is_yes(text):
            stop = stop or name
            unread += [] if cells.is_no(text) else [name]
        elif name in {"opted_out", STATUS} and not _says_not_left(name, text):
            stop = "opted_out"
            known = cells.truth_of(text) or cells.is_out(text) or cells.says_in(text)
            unread += [] if known else ["opted_out"]
    return stop


def _says_not_left(name: str, text: str) -> bool:
    """Return whether a cell says that somebody did not leave; on a Robinson list "subscribed"
    says the opposite."""
    return cells.is_in(text) if name == STATUS else cells.truth_of(text) is False


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "relationship": cells.relationship_of,
    "country": cells.country_of,
    "language": cells.language_of,
    **dict.fromkeys(("source", "sale_ref", "proof_ref"), cells.fact_of),
    **dict.fromkeys(("given_directly", "objection_offered"), cells.truth_of),
    **dict.fromkeys(("own_products", "legal_person"), cells.truth_of),
}
