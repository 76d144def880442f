"""Why somebody is held: not erased yet, although their date has passed or they wish it."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """What a recipient may be held for."""

    CONTRACT = "contract"  # what the law obliges to keep of it
    DISPUTE = "dispute"  # a legal claim, of theirs or against them
