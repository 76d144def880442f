"""Opens the lists that a command names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repermit.intake.readers import ListFile

_STANDARD_INPUT = Path("-")


def opened(path: Path, mapping: dict[str, str]) -> ListFile:
    """Return the list at *path*, or on standard input for `-`. Raises: ListUnreadable."""
    from repermit.intake.readers import open_list

    if path == _STANDARD_INPUT:
        return open_list(None, mapping=mapping, stdin=sys.stdin.buffer)
    return open_list(path, mapping=mapping)
