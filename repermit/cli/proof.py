"""Proof: the log, checked from its first entry to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import counted, run, session_of, show, show_json
from repermit.errors import ProofBroken

if TYPE_CHECKING:
    from repermit.ledger.verify import Verified
    from repermit.runtime import Runtime


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    family = typer.Typer(no_args_is_help=True, help="The append-only log of what happened.")
    family.callback()(_family)
    family.command("verify")(verify)
    app.add_typer(family, name="proof", rich_help_panel="Proof")


def _family() -> None:
    """The append-only log of what happened."""


def verify(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Replay the log: name its first false entry, and every standing that has no entry."""
    found = run(_verify(session_of(context).runtime()))
    content = {
        "size": found.size,
        "root": found.root,
        "holds": found.holds,
        "false_entries": found.false_entries,
        "false_standings": found.false_standings,
        "unaccounted": found.unaccounted,
    }
    if not found.holds:
        faults = [*found.false_entries, *found.false_standings]
        failure = ProofBroken(
            f"the log does not verify: {'; '.join(faults)}",
            hint="somebody changed the ledger outside repermit: keep it, and put back a backup",
        )
        failure.done = content
        raise failure
    if as_json:
        show_json(content)
    else:
        show(f"{counted(found.size, 'entry', 'entries')} verified; root {found.root}")


async def _verify(runtime: Runtime) -> Verified:
    async with runtime.ledger() as ledger:
        return await ledger.verified()
