"""Counts in words."""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return "1 mail", "12,400 mails"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def people(count: int) -> str:
    """Return "1 person", "12,400 people"."""
    return counted(count, "person", "people")
