"""Opens the lists that a command names; in a terminal it asks how, when they can be read in two
ways."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from repermit.cli.session import is_terminal, tell
from repermit.errors import ListUnsure

if TYPE_CHECKING:
    from repermit.intake.listfile import ListFile, Reading

STANDARD_INPUT = Path("-")


@contextmanager
def opened_lists(
    paths: Sequence[Path], reading: Reading
) -> Iterator[tuple[list[ListFile], Reading]]:
    """Open the lists at *paths* (`-` is standard input) for the length of a block, and yield them
    with *reading* and what was chosen in a terminal; an archive may hold several.

    Raises: ListUnreadable; ListUnsure when nobody is there to say which of two readings it is.
    """
    with ExitStack() as stack:
        sources: list[ListFile] = []
        for path in paths:
            opened, reading = open_asking(path, reading)
            sources += [stack.enter_context(source) for source in opened]
        yield sources, reading


def open_asking(path: Path, reading: Reading) -> tuple[list[ListFile], Reading]:
    """Return the lists at *path*, and *reading* with what was chosen in a terminal."""
    from repermit.intake.listfile import open_lists

    while True:
        try:
            if path == STANDARD_INPUT:
                stdin = sys.stdin.buffer if sys.stdin else None
                if sys.stdin and sys.stdin.isatty():
                    tell("Type or paste addresses; end with Ctrl-D on a line of its own.")
                return open_lists(None, reading, stdin=stdin), reading
            return open_lists(path, reading), reading
        except ListUnsure as unsure:
            if not is_terminal():
                raise
            reading = _chosen(unsure, reading)


def reading_of(
    encoding: str | None, delimiter: str | None, sheet: str | None, mapping: Sequence[str] | None
) -> Reading:
    """Return what the options say of how a list is read."""
    from repermit.intake.listfile import Reading

    return Reading(encoding, delimiter, sheet, dict(_pair(text) for text in mapping or ()))


def ask_number(question: str, most: int, *, least: int = 1) -> int:
    """Return a number from *least* to *most* that the operator types."""
    while True:
        number: int = typer.prompt(question, type=int, err=True)
        if least <= number <= most:
            return number
        tell(f"  a number from {least} to {most}, please")


def _chosen(unsure: ListUnsure, reading: Reading) -> Reading:
    tell(f"This list can be read in {len(unsure.readings)} ways:")
    for number, (value, shown) in enumerate(unsure.readings, start=1):
        tell(f"  {number}  {value}: {shown}")
    value = unsure.readings[ask_number("Which is right", len(unsure.readings)) - 1][0]
    if unsure.option == "map":
        _, column = _pair(value)
        return replace(reading, mapping={**reading.mapping, "email": column})
    chosen: dict[str, Any] = {unsure.option: value}
    return replace(reading, **chosen)


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals or not field or not column:
        raise typer.BadParameter("--map wants FIELD=COLUMN, as in --map email=Mailadres")
    return field.strip(), column.strip()
