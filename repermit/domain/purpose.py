"""What a yes is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Purpose:
    """One kind of mail that a recipient may agree to.

    `text` and `frequency` hold one entry per language: the purpose as a noun phrase ("our
    newsletter") and how often it comes ("about one mail a month").
    """

    id: str
    text: Mapping[str, str]
    frequency: Mapping[str, str]
