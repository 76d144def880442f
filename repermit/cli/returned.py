"""`inbound --csv`: what a provider's export says of bounces, complaints and unsubscribes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repermit.intake.listfile import Reading
    from repermit.runtime import Runtime


async def read_export(runtime: Runtime, path: Path, reading: Reading, *, as_json: bool) -> None:
    """Settle what the export at *path* says, and print the counts; *reading* is as
    `cli.lists.reading_of` makes it of --encoding, --delimiter, --sheet and --map (address, event,
    reason)."""
    raise NotImplementedError
