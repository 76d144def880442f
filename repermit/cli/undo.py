"""Prepare: `import --undo ID`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from repermit.cli.session import counted, is_terminal, run, show, show_json, tell
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from repermit.ledger.store.undoing import Undoing
    from repermit.runtime import Runtime


def undo_import(runtime: Runtime, intake_id: int, *, dry_run: bool, as_json: bool) -> None:
    """Say what goes, ask in a terminal, and take the import back. Raises: ImportRefused."""
    from repermit.intake.undo import undo
    from repermit.ledger.store import undoing

    async def meant() -> Undoing:
        async with runtime.ledger(acts=False) as ledger:
            return await ledger.read(undoing.undoing, intake_id)

    async def work() -> Undoing:
        async with runtime.ledger() as ledger:
            return await undo(ledger, intake_id)

    before = run(meant())
    tell(
        f"Import {intake_id} of {before.at:%Y-%m-%d %H:%M} UTC:"
        f" {counted(before.leaving, 'recipient')} go; {before.restored:,} are on other lists too,"
        " which count for them again; who opted out stays so."
    )
    if dry_run:
        if as_json:
            show_json({"id": intake_id, "taken_back": 0, "would_go": before.leaving})
        return
    if is_terminal() and not typer.confirm("Take it back?", err=True):
        raise RepermitError("nothing was taken back", hint="answer y to take it back")
    done = run(work())
    if as_json:
        show_json({"id": intake_id, "taken_back": done.leaving, "restored": done.restored})
    else:
        show(f"import {intake_id} is taken back: {counted(done.leaving, 'recipient')} gone")
