"""What every reader makes of a list, before anyone knows what its columns mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeAlias

Record: TypeAlias = tuple[int, list[str] | None]  # line and cells; None if they are unreadable


class Table(Protocol):
    """The records of a list."""

    header: tuple[str, ...]  # the names of the columns; empty when there are none
    told: str  # how it was read, for display: "UTF-8, columns parted by ;, header on line 3"
    notes: tuple[str, ...]  # what else the operator is to know: "12 cards hold no address"

    def records(self) -> Iterator[Record]:
        """Yield every record but header, title, comment and blank lines; one pass at a time.

        A cell may hold several addresses; the line is where the record begins, from 1.

        Raises: ListUnreadable when the list cannot be read to its end.
        """
