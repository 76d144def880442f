"""One thing that must hold before the first mail, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether something holds."""

    OK = "ok"
    NOT_OK = "NOT ok"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Finding:
    """Whether something holds: its code and name, what was found, and what to do about it."""

    code: str
    name: str
    state: State
    says: str = ""
    do: str = ""
