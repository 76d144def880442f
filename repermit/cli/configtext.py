"""Fills values into the commented example of the config; its comments stay."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

Value = str | int | bool | date | Sequence[str]

_HEADER = re.compile(r"#?\[{1,2}[a-z_.]+\]{1,2}")
_KEY = re.compile(r"#?[a-z_.]+ = .*")
_ELEMENT = re.compile(r"(purposes|processors)\[(\d+)\]\.(.+)")
_WIDTH = 100


@dataclass(frozen=True)
class Filling:
    """What is written: a value for each key ("purposes[1].text.nl"), None to switch it off, and
    lines of comment to stand before a key."""

    values: Mapping[str, Value | None]
    remarks: Mapping[str, Sequence[str]] = field(default_factory=dict)


def filled(text: str, filling: Filling) -> str:
    """Return the config *text* with those values in their places.

    Raises: KeyError when it has no such table.
    """
    lines = text.split("\n")
    elements: dict[str, dict[int, dict[str, Value]]] = {"purposes": {}, "processors": {}}
    for key, value in filling.values.items():
        if not (found := _ELEMENT.fullmatch(key)):
            table, _, name = key.rpartition(".")
            _set(lines, table, name, value)
        elif value is not None:
            elements[found[1]].setdefault(int(found[2]), {})[found[3]] = value
    for table, by_number in elements.items():
        if by_number:
            _set_elements(lines, table, [each for _, each in sorted(by_number.items())])
    for key, remarks in filling.remarks.items():
        _remark(lines, *key.rpartition(".")[::2], remarks)
    return "\n".join(lines)


def literal(value: Value) -> str:
    """Return *value* as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(literal, value))}]"


def _set(lines: list[str], table: str, name: str, value: Value | None) -> None:
    """Give a key its value, be it on, off or not there yet; None switches it off."""
    at = _line(lines, table, name)
    if value is None:
        if at is not None:
            lines[at] = f"#{lines[at].removeprefix('#')}"
    elif at is None:
        lines.insert(_end(lines, table), f"{name} = {literal(value)}")
    else:
        lines[at] = f"{name} = {literal(value)}"


def _set_elements(lines: list[str], table: str, elements: Sequence[Mapping[str, Value]]) -> None:
    """Fill the first element of an array of tables, whose comments stay, and add the others."""
    first, *others = elements
    start, end = _span(lines, table)
    kept = list(_first_element(lines[start:end], first))
    added = [line for each in others for line in _element(table, each)]
    last = max(at for at, line in enumerate(kept) if _KEY.fullmatch(line))
    lines[start:end] = [*kept[: last + 1], *added, *kept[last + 1 :]]


def _element(table: str, values: Mapping[str, Value]) -> Iterator[str]:
    yield from ("", f"[[{table}]]")
    yield from (f"{key} = {literal(value)}" for key, value in values.items())


def _first_element(lines: Sequence[str], values: Mapping[str, Value]) -> Iterator[str]:
    """Yield the lines of an element with *values*: a key with a text for each language has a line
    for each that is given, in the place of its first."""
    written: set[str] = set()
    for line in lines:
        if _HEADER.fullmatch(line):
            yield line.removeprefix("#")
            continue
        if not _KEY.fullmatch(line):
            yield line
            continue
        base = line.removeprefix("#").partition(" ")[0].partition(".")[0]
        own = [key for key in values if key.partition(".")[0] == base]
        if not own and "." not in line.partition(" ")[0]:
            yield f"#{line.removeprefix('#')}"
        for key in own:
            if key not in written:
                yield f"{key} = {literal(values[key])}"
                written.add(key)


def _remark(lines: list[str], table: str, name: str, remarks: Sequence[str]) -> None:
    """Put comments before a key, or at the end of its table."""
    at = _line(lines, table, name)
    place = _end(lines, table) if at is None or lines[at].startswith("#") else at
    wrapped = [
        line
        for each in remarks
        for line in textwrap.wrap(
            each,
            _WIDTH,
            initial_indent="# ",
            subsequent_indent="#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
    lines[place:place] = ["", *wrapped] if lines[place - 1] else wrapped


def _line(lines: Sequence[str], table: str, name: str) -> int | None:
    start, end = _span(lines, table)
    pattern = re.compile(rf"#?{re.escape(name)} = .*")
    return next((at for at in range(start, end) if pattern.fullmatch(lines[at])), None)


def _end(lines: Sequence[str], table: str) -> int:
    """Return where a key may be added to a table: after its last one."""
    start, end = _span(lines, table)
    return 1 + max((at for at in range(start, end) if _KEY.fullmatch(lines[at])), default=start)


def _span(lines: Sequence[str], table: str) -> tuple[int, int]:
    """Return the first line of a table, its header, and where the next one begins."""
    headers = [at for at, line in enumerate(lines) if _HEADER.fullmatch(line)]
    for at, after in zip(headers, [*headers[1:], len(lines)], strict=True):
        if lines[at].strip("#[]") == table:
            return at, after
    raise KeyError(table)
