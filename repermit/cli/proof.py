"""Proof: the log checked from its first entry to its last, and the evidence taken out of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import ask_address, counted, plain, run, session_of, show, show_json, tell
from repermit.errors import FileRefused, ProofBroken
from repermit.files import shown

if TYPE_CHECKING:
    from repermit.ledger.checkpoint import Checkpoint, Reported
    from repermit.ledger.verify import Verified
    from repermit.runtime import Runtime


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    family = typer.Typer(no_args_is_help=True, help="The append-only log, and evidence from it.")
    family.callback()(_family)
    family.command("verify")(verify)
    family.command("bundle")(bundle)
    family.command("receipt")(receipt)
    app.add_typer(family, name="proof", rich_help_panel="Proof")


def _family() -> None:
    """The append-only log, and evidence from it."""


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
    known, reports = _signed_in(runtime, against) if against else ([], [])
    found, logged = run(_verify(runtime, known))
    content = {
        "size": found.size,
        "root": found.root,
        "holds": found.holds,
        "false_entries": found.false_entries,
        "false_standings": found.false_standings,
        "false_records": found.false_records,
        "unaccounted": found.unaccounted,
        "checkpoints": [each.size for each in known],
        "reports": [each.number for each in reports],
        "checkpoint": None,
    }
    if not found.holds:
        if not as_json:
            for fault in found.faults[1:]:
                tell(plain(fault))
        more = len(found.false_entries) + found.unaccounted - 1
        failure = ProofBroken(
            f"the log does not verify: {found.faults[0]}" + (f"; and {more:,} more" * (more > 0)),
            hint="somebody changed the ledger outside repermit: keep it, and put back a backup",
        )
        failure.done = content
        raise failure
    for told in reports:
        if logged.get(told.number) != told.hash:
            raise ProofBroken(
                f"the log has another report of purge {told.number} than this one",
                hint="compare it with the one that `repermit purge` writes when its page is gone",
            )
    checkpoint = runtime.signing.sign(found.size, bytes.fromhex(found.root))
    if as_json:
        show_json({**content, "checkpoint": checkpoint})
        return
    show(f"{counted(found.size, 'entry', 'entries')} verified; root {found.root}")
    for each in known:
        show(f"the first {counted(each.size, 'entry', 'entries')} are those of the checkpoint")
    for told in reports:
        show(f"the hash of the report of purge {told.number} is the one in the log")
    tell("Keep this checkpoint elsewhere: whoever has it can show that nothing before it changed.")
    show(f"\n{checkpoint}")


def _signed_in(runtime: Runtime, file: Path) -> tuple[list[Checkpoint], list[Reported]]:
    """Return the checkpoints in *file*, and the hashes of reports of purges.

    Raises: FileRefused, ProofBroken.
    """
    try:
        text = file.read_bytes().decode("utf-8", "replace")
    except OSError as failure:
        raise FileRefused(
            f"{shown(file.name) or 'that'} cannot be read ({failure.strerror})",
            hint="give a file with a checkpoint: an approval page, or what `proof verify` printed",
        ) from failure
    found = runtime.signing.verifying.found_in(text)
    if not found:
        raise ProofBroken(
            f"there is no checkpoint in {shown(file.name)}",
            hint="give a file in which one stands: five lines, the first with repermit/",
        )
    return found, runtime.signing.verifying.reports_in(text)


async def _verify(runtime: Runtime, known: list[Checkpoint]) -> tuple[Verified, Mapping[int, str]]:
    """Return what becomes of the log, what else is false although no entry tells of it, and the
    hash that the log has of each report of a purge."""
    from repermit.ledger.binding import unreadable
    from repermit.ledger.purged import false_phases
    from repermit.ledger.store import purges

    async with runtime.ledger(acts=False) as ledger:
        found = await ledger.verified(known)
        for fault in await ledger.read(lambda tx: [*unreadable(tx), *false_phases(tx)]):
            found.note_record(fault)
        return found, await ledger.read(purges.reported) if found.holds else {}


def bundle(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file; only you may read it.")],
    only: Annotated[
        bool, typer.Option("--only", help="Of one person, whose address you are asked for.")
    ] = False,
) -> None:
    """Write the evidence as one ZIP, with a front page and what checks it without repermit."""
    from repermit.cli.evidence import make_bundle

    runtime = session_of(context).runtime()
    people = run(make_bundle(runtime, out, ask_address() if only else None))
    show(f"written; it names {counted(people, 'person', 'people')}")
    tell("Keep it in two places. Check it with `python3 verify.py FILE`; the file holds verify.py.")


def receipt(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file: .json, or .html for a page to read."),
    ] = None,
) -> None:
    """Show the consent record of one person, whose address you are asked for, as JSON."""
    from repermit.cli.evidence import make_receipt, write_receipt

    if out is not None and out.suffix.lower() not in (".json", ".html"):
        raise typer.BadParameter("--out wants a name that ends in .json or .html")
    runtime = session_of(context).runtime()
    recorded = run(make_receipt(runtime, ask_address()))
    if out is None:
        show_json(recorded.content)
        return
    write_receipt(runtime, recorded, out)
    show("written")
