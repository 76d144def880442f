"""Proof: the log, checked from its first entry to its last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import counted, run, session_of, show, show_json, tell
from repermit.errors import ProofBroken
from repermit.files import file_refused, shown

if TYPE_CHECKING:
    from repermit.ledger.checkpoint import Checkpoint
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
    context: typer.Context,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also hold it to every checkpoint in this file: an approval, a report, a mail.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Replay the log: name its first false entry, and every row that it does not account for."""
    runtime = session_of(context).runtime()
    known = _checkpoints(runtime, against) if against else []
    found = run(_verify(runtime, known))
    content = {
        "size": found.size,
        "root": found.root,
        "holds": found.holds,
        "false_entries": found.false_entries,
        "false_standings": found.false_standings,
        "false_records": found.false_records,
        "unaccounted": found.unaccounted,
        "checkpoints": [each.size for each in known],
        "checkpoint": None,
    }
    if not found.holds:
        faults = [*found.false_entries, *found.false_standings, *found.false_records]
        failure = ProofBroken(
            f"the log does not verify: {'; '.join(faults)}",
            hint="somebody changed the ledger outside repermit: keep it, and put back a backup",
        )
        failure.done = content
        raise failure
    checkpoint = runtime.signing.sign(found.size, bytes.fromhex(found.root))
    if as_json:
        show_json({**content, "checkpoint": checkpoint})
        return
    show(f"{counted(found.size, 'entry', 'entries')} verified; root {found.root}")
    for each in known:
        show(f"the first {counted(each.size, 'entry', 'entries')} are those of the checkpoint")
    tell("Keep this checkpoint elsewhere: whoever has it can show that nothing before it changed.")
    show(f"\n{checkpoint}")


def _checkpoints(runtime: Runtime, file: Path) -> list[Checkpoint]:
    """Return the checkpoints in *file*. Raises: FileRefused, ProofBroken."""
    with file_refused(file):
        text = file.read_bytes().decode("utf-8", "replace")
    found = runtime.signing.verifying.found_in(text)
    if not found:
        raise ProofBroken(
            f"there is no checkpoint in {shown(file.name)}",
            hint="give a file in which one stands: five lines, the first with repermit/",
        )
    return found


async def _verify(runtime: Runtime, known: list[Checkpoint]) -> Verified:
    async with runtime.ledger() as ledger:
        return await ledger.verified(known)
