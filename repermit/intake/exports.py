"""Which columns of a provider's export say what happened to which address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repermit.domain.address import holds_at
from repermit.errors import ListUnreadable, OptionWrong
from repermit.intake.cells import text_of
from repermit.intake.columns import place_of, width_of
from repermit.intake.events import (
    SETTLED,
    Event,
    flag_named,
    is_event_column,
    is_reason_column,
    is_suppression_list,
    named,
)
from repermit.intake.listfile import ListFile, Reading, open_lists
from repermit.intake.readers.sample import first_of

FIELDS = ("address", "event", "reason")
LONGEST_SHOWN = 40
_TO_WHOM = (  # the sender's address may stand in another column
    *("recipient", "recipient_address", "rcpt_to", "recipient email", "subscriber", "address"),
    "to",
)


@dataclass(frozen=True)
class Export:
    """An open export: `event` and `reason` are the columns that say what happened and why, by
    place and name, `flags` those that say one thing of some; `whole` is what was said of all of
    it."""

    source: ListFile
    events: tuple[tuple[int, str], ...] = ()
    reasons: tuple[tuple[int, str], ...] = ()
    flags: tuple[tuple[int, Event], ...] = ()
    whole: Event | None = None
    bounce_is_hard: bool = False

    @property
    def told(self) -> str:
        """Return which columns say what happened, for display."""
        if self.whole:
            return f"every row is taken for: {self.whole}"
        names = [self.source.table.header[at] for at in self.places]
        shown = [text_of(name, longest=LONGEST_SHOWN) for name in names if not holds_at(name)]
        return f"what happened is read from: {', '.join(map(repr, shown))}"

    @property
    def places(self) -> list[int]:
        """Return the places of all columns that are read, but for the addresses."""
        return [at for at, _ in (*self.events, *self.reasons, *self.flags)]


def by_address(path: Path | None, reading: Reading) -> Reading:
    """Return how the lists at *path* are opened: by the column that *reading* names for "address";
    else, where no column of addresses can be told, by a usual name of the one of to whom.

    Without *path*, which is standard input, nothing is tried: it is read once.

    Raises: OptionWrong when it names another field.
    """
    if wrong := set(reading.mapping) - set(FIELDS):
        known = ", ".join(FIELDS)
        raise OptionWrong(f"--map {min(wrong)}=... is no field of an export", hint=known)
    given = reading.mapping.get("address")
    plain = replace(reading, mapping={"email": given} if given else {}, addresses="address")
    if given or path is None or _has_columns(path, plain):
        return plain
    tried = (replace(plain, mapping={"email": column}) for column in _TO_WHOM)
    return next((each for each in tried if _has_columns(path, each)), plain)


def _has_columns(path: Path, reading: Reading) -> bool:
    """Return whether what stands at *path* can be opened so, and has names for its columns."""
    try:
        sources = open_lists(path, reading)
    except ListUnreadable:
        return False
    for source in sources:
        source.close()
    return all(source.table.header for source in sources)


def export_of(source: ListFile, mapping: Mapping[str, str]) -> Export | None:
    """Return how *source* is read; None when none of its columns says what happened.

    *mapping* names the columns; for "event" also what every row of the file is: hard, complaint or
    unsubscribe. Raises: OptionWrong.
    """
    header = source.table.header
    rows = first_of(source.table.records())
    width = width_of(header, [cells for _, cells in rows if cells is not None])
    names = [*header, *[""] * (width - len(header))][:width]
    taken, is_ses = set(source.columns.emails), is_suppression_list(header)
    reasons = [(at, name) for at, name in enumerate(names) if is_reason_column(name)]
    if "reason" in mapping:
        at = place_of("reason", mapping["reason"], header, width)
        reasons = [(at, names[at])]
    if "event" in mapping:
        whole = named(mapping["event"])
        if whole in SETTLED and mapping["event"].casefold() not in map(str.casefold, names):
            return Export(source, whole=whole)
        at = place_of("event", mapping["event"], header, width)
        return Export(source, ((at, names[at]),), tuple(reasons), bounce_is_hard=is_ses)
    events = [(at, name) for at, name in enumerate(names) if is_event_column(name)]
    flags = [(at, event) for at, name in enumerate(names) if (event := flag_named(name))]
    free = [each for each in events if each[0] not in taken]
    if not (free or reasons or flags):
        return None
    return Export(source, tuple(free), tuple(reasons), tuple(flags), bounce_is_hard=is_ses)


def no_event_column(source: ListFile) -> ListUnreadable:
    """Return why an export that says nothing of what happened is not read."""
    return ListUnreadable(
        f"{source.name}: no column says what happened to each address",
        hint="pass --map event=COLUMN; or, where every address of the file is one, --map"
        " event=hard, --map event=complaint or --map event=unsubscribe",
    )
