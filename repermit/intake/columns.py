"""Which column of a list is which field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from repermit.domain.address import holds_at
from repermit.errors import ListUnreadable, ListUnsure, OptionWrong
from repermit.intake.cells import is_nothing, tells_opt_outs, text_of, truth_of
from repermit.intake.evidence import LEFT, STATUS
from repermit.intake.headers import field_named, is_status
from repermit.intake.sniff import addresses_in, is_address_like

FIELDS = (
    "email",
    "relationship",
    "country",
    "language",
    "source",
    "collected",
    "last_contact",
    "ended",
    "sale_ref",
    "given_directly",
    "objection_offered",
    "own_products",
    "proof_ref",
    "legal_person",
    "opted_out",
    "opted_in",
)
_STOPS = ("opted_out", "opted_in", STATUS)  # every column that says so counts
_MOST_COLUMNS = 2000  # those behind are not looked at
_MOST_YES_NO = 4  # different words
_MOST_SHOWN = 30
_LONGEST_SHOWN = 40
_RIVAL = 0.2  # a column with so many addresses, compared with the fullest, could be meant


@dataclass(frozen=True)
class Columns:
    """Where the addresses stand in a row, and the fields that are read with them, from 0;
    `dropped` are the names of the columns that are not read, `yes_no` those among them in which
    the first rows say yes or no."""

    emails: tuple[int, ...]
    fields: tuple[tuple[str, int], ...]
    dropped: tuple[str, ...]
    yes_no: tuple[str, ...] = ()
    left: tuple[str, ...] = ()  # the names of those that say of some that they left


def recognise(header: Sequence[str]) -> dict[str, int]:
    """Return the fields that *header* names; the first of several columns counts."""
    return {field: places[0] for field, places in _claims(header).items()}


def is_header(first: Sequence[str]) -> bool:
    """Return whether the first row of a list names its columns and holds no address."""
    if any(map(is_address_like, first)):
        return False
    return not any("@" in cell for cell in first) or "email" in recognise(first)


def map_columns(
    header: Sequence[str],
    mapping: Mapping[str, str],
    *,
    rows: Sequence[Sequence[str]] = (),
    addresses: str = "email",
) -> Columns:
    """Return which column is which; *mapping* (field to column) goes before the header.

    An empty *header* means that there is none. *rows* are the first rows of the list. *addresses*
    is what --map calls the field "email" where this list was named.

    Raises: ListUnreadable, with the columns as hint, when no column is known to hold addresses
        or *mapping* names a field or a column that does not exist; ListUnsure when several
        columns could hold them.
    """
    if max(map(len, [header, *rows])) > _MOST_COLUMNS:
        raise ListUnreadable(
            f"this has over {_MOST_COLUMNS:,} columns", hint="save the columns that matter as CSV"
        )
    width = width_of(header, rows)
    chosen = {
        field: _chosen(field, addresses if field == "email" else field, column, header, width)
        for field, column in mapping.items()
    }
    claims = _claims(header, rows)
    if "email" in chosen:
        emails = [chosen.pop("email")]
    else:
        named = _emails(header, claims, rows, addresses)
        emails = [at for at in named if at not in chosen.values()] or named
    taken = {*emails, *chosen.values()}
    fields: list[tuple[str, int]] = []
    for field in (*FIELDS[1:], STATUS):
        places = [at for at in claims.get(field, ()) if at not in taken]
        if field in chosen:
            fields.append((field, chosen[field]))
        if field in _STOPS or field not in chosen:
            fields += [(field, at) for at in (places if field in _STOPS else places[:1])]
    return _columns(emails, fields, header, rows)


def with_left(
    columns: Columns, left: Sequence[int], header: Sequence[str], rows: Sequence[Sequence[str]]
) -> Columns:
    """Return *columns* with those in which some are said to have left."""
    fields = (*columns.fields, *((LEFT, at) for at in left))
    names = (_shown(at, header, rows) or "" for at in left)
    return replace(_columns(columns.emails, fields, header, rows), left=tuple(names))


def _columns(
    emails: Sequence[int],
    fields: Sequence[tuple[str, int]],
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> Columns:
    used = {*emails, *(at for _, at in fields)}
    free = [at for at in range(width_of(header, rows)) if at not in used]
    shown = {at: name for at in free if (name := _shown(at, header, rows))}
    yes_no = (name for at, name in shown.items() if _says_yes_or_no(rows, at))
    return Columns(tuple(emails), tuple(fields), tuple(shown.values()), tuple(yes_no))


def _says_yes_or_no(rows: Sequence[Sequence[str]], at: int) -> bool:
    said = {cell.strip().casefold() for cell in _cells(rows, at) if not is_nothing(cell)}
    return 0 < len(said) <= _MOST_YES_NO and all(truth_of(cell) is not None for cell in said)


def _claims(header: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> dict[str, list[int]]:
    """Return for each field the columns that name it.

    A column "status" says who opted out when the first rows show words of subscription.
    """
    claims: dict[str, list[int]] = {}
    for at, name in enumerate(header[:_MOST_COLUMNS]):
        field = field_named(name)
        if is_status(name) and any(map(tells_opt_outs, _cells(rows, at))):
            field = STATUS
        if field:
            claims.setdefault(field, []).append(at)
    return claims


def _emails(
    header: Sequence[str],
    claims: Mapping[str, Sequence[int]],
    rows: Sequence[Sequence[str]],
    addresses: str,
) -> list[int]:
    """Return the columns of addresses: all that are named so, but not one that is full of other
    things ("mail": yes); without a name, the one that is full of them."""
    if claimed := claims.get("email"):
        could = [at for at in claimed if _could_be_addresses(rows, at)]
        return could or list(claimed[:1])
    width = width_of(header, rows)
    counts = [sum(1 for cell in _cells(rows, at) if addresses_in(cell)) for at in range(width)]
    most = max(counts, default=0)
    could = [at for at, count in enumerate(counts) if count and count >= most * _RIVAL]
    if len(could) > 1:
        readings = [(f"{addresses}={at + 1}", _counted(at, counts[at], header)) for at in could]
        raise ListUnsure("this", option="map", readings=readings)
    if not header and (could or (width == 1 and any("@" in row[0] for row in rows if row))):
        return could or [0]
    raise ListUnreadable(
        f"no column is known to hold the addresses; {_listed(header, width)}",
        hint=f"pass --map {addresses}={could[0] + 1 if could else 'COLUMN'}",
    )


def width_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many columns a list has, as its first rows show."""
    return min(max(map(len, [header, *rows])), _MOST_COLUMNS)


def _could_be_addresses(rows: Sequence[Sequence[str]], at: int) -> bool:
    filled = [cell for cell in _cells(rows, at) if cell.strip()]
    return not filled or any("@" in cell for cell in filled)


def _counted(at: int, count: int, header: Sequence[str]) -> str:
    name = _shown(at, header, ()) if at < len(header) else None
    many = "1 address" if count == 1 else f"{count} addresses"
    return f"{many} in the first rows" + (f" of {name!r}" if name else "")


def _cells(rows: Sequence[Sequence[str]], at: int) -> Iterator[str]:
    return (row[at] for row in rows if len(row) > at)


def _chosen(field: str, shown: str, column: str, header: Sequence[str], width: int) -> int:
    if field not in FIELDS:
        known = ", ".join(FIELDS)
        raise OptionWrong("--map names an unknown field", hint=f"the fields are: {known}")
    return place_of(shown, column, header, width)


def place_of(field: str, column: str, header: Sequence[str], width: int) -> int:
    """Return the place of the *column*, a name or a number from 1, that --map names for *field*.

    Raises: OptionWrong, with the columns as hint.
    """
    header = header[:width]
    shown = [_shown(at, header, ()) or "" for at in range(len(header))]
    names = [*(name.strip().casefold() for name in header), *map(str.casefold, shown)]
    if (name := column.strip().casefold()) and name in names:
        return names.index(name) % len(header)
    number = re.fullmatch(r"(?:column )?([0-9]{1,6})", name)
    if number and 1 <= int(number[1]) <= width:
        return int(number[1]) - 1
    raise OptionWrong(
        f"--map {field}=... names no column of this list", hint=_listed(header, width)
    )


def _shown(at: int, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """Return the name of a column as a message may show it: no address, nothing long; its number
    where it holds something and has no such name; None for an empty column."""
    name = header[at] if at < len(header) else ""
    if not holds_at(name) and (text := text_of(name, longest=_LONGEST_SHOWN)):
        return text
    return f"column {at + 1}" if name.strip() or any(map(str.strip, _cells(rows, at))) else None


def _listed(header: Sequence[str], width: int) -> str:
    """Return the columns as a message may name them."""
    names = [str(number) for number in range(1, width + 1)]
    for at, name in enumerate(map(str.strip, header[:width])):
        if name and not holds_at(name):
            names[at] += f" {text_of(name, longest=_LONGEST_SHOWN)!r}"
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"its columns are {', '.join(names[:_MOST_SHOWN])}{more}"
