"""One question: its words, its consequence, and how an answer is read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

Value = str | int | bool | date | list[str]
Answers = Mapping[str, str]


def text(typed: str) -> Value:
    """Return what was typed, as it is."""
    return typed


def one_line(typed: str) -> Value:
    """Return a text that can stand in a comment. Raises: ValueError."""
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in typed):
        raise ValueError("holds a line break or another control character")
    return typed


def whole(typed: str) -> Value:
    """Return a whole number. Raises: ValueError."""
    if not re.fullmatch(r"[0-9]{1,6}", typed):
        raise ValueError("is not a whole number in digits")
    return int(typed)


def number_up_to(most: int, *, least: int = 0) -> Callable[[str], Value]:
    """Return what reads a whole number from *least* to *most*."""

    def read(typed: str) -> Value:
        if not re.fullmatch(r"[0-9]{1,3}", typed) or not least <= int(typed) <= most:
            raise ValueError(f"is not a number from {least} to {most}")
        return int(typed)

    return read


def yes_or_no(typed: str) -> Value:
    """Return whether it is a yes. Raises: ValueError."""
    if typed.lower() not in {"y", "yes", "n", "no"}:
        raise ValueError("is neither yes nor no")
    return typed.lower().startswith("y")


def country(typed: str) -> Value:
    """Return the code of a country. Raises: ValueError."""
    from repermit.intake.cells import is_country  # slow to import

    if not is_country(typed.upper()):
        raise ValueError("is not the code of a country in two letters, such as BE (ISO 3166-1)")
    return typed.upper()


def day(typed: str) -> Value:
    """Return a date. Raises: ValueError."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise ValueError("is not a date such as 2026-11-21") from None


def listed(typed: str) -> Value:
    """Return what stands between commas."""
    return [part.strip() for part in typed.split(",") if part.strip()]


@dataclass(frozen=True)
class Choices:
    """What may be chosen, by number or by name: one of them, or several with commas between."""

    names: tuple[str, ...]
    several: bool = False

    def __call__(self, typed: str) -> Value:
        """Return the name or the names that were chosen. Raises: ValueError."""
        if not self.several:
            return self._name(typed)
        chosen = [self._name(part) for part in re.split(r"[,\s]+", typed) if part]
        return [name for name in self.names if name in chosen]

    def _name(self, typed: str) -> str:
        if typed.isdecimal() and 1 <= int(typed[:3]) <= len(self.names):
            return self.names[int(typed[:3]) - 1]
        if typed.lower() not in self.names:
            known = ", ".join(self.names)
            raise ValueError(f"is none of: {known}, nor a number from 1 to {len(self.names)}")
        return typed.lower()


@dataclass(frozen=True)
class Question:
    """One thing that is asked.

    `key` is its name for `--answer` and, unless `only_here`, the key of the config. `default` is
    what Enter keeps: "" leaves it open, in the word `open_as`; None means that an answer is
    needed. `keeps_example`: what is left open keeps the value of the example, else the key is
    switched off.
    """

    key: str
    part: str
    ask: str
    means: str  # the consequence, in one or two lines
    more: str = ""  # what "?" explains
    read: Callable[[str], Value] = text
    default: str | None = None
    open_as: str = ""
    keeps_example: bool = False
    only_here: bool = False

    @property
    def can_be_open(self) -> bool:
        """Return whether no answer is an answer."""
        return bool(self.open_as)
