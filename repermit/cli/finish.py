"""Finish: the purge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from repermit.cli.said import operator, without_address
from repermit.cli.session import run, session_of, show_json
from repermit.domain.due import BY_CONTRACT, BY_DATE

_SENTENCE = 20  # letters that a reason has at least


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("purge", rich_help_panel="Finish")(purge)


def purge(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who is due.")] = False,
    at_most: Annotated[int | None, typer.Option(min=0, help="Erase at most so many.")] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who does it, for the log.")] = "",
    accept_outage: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            help="Go on although people could perhaps not answer; why, for the report.",
        ),
    ] = "",
    contract_ended: Annotated[
        bool,
        typer.Option(
            "--contract-ended",
            help="Erase everybody who is left, as the contract with the client has ended.",
        ),
    ] = False,
    unattended: Annotated[
        bool, typer.Option("--due", help="For cron: what the config has scheduled, never asks.")
    ] = False,
    backup_to: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            writable=True,
            help="One more copy of what remains, elsewhere.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Erase who said no or nothing by the date in their mail; refuses when that would be wrong."""
    from repermit.cli import purging, scheduled
    from repermit.cli.purgecontent import require_no_trace
    from repermit.cli.purgeplan import show_done

    _require_sense(by, accept_outage, unattended=unattended, dry_run=dry_run)
    if contract_ended and (unattended or accept_outage):
        raise typer.BadParameter("--contract-ended goes without --due and --accept-outage")
    if contract_ended and not (by.strip() or dry_run):
        raise typer.BadParameter("--contract-ended wants --by NAME: who says so, for the log")
    runtime = session_of(context).runtime()
    if unattended:
        run(scheduled.purge_due(runtime, at_most, backup_to, as_json=as_json))
        return
    reasons = BY_CONTRACT if contract_ended else BY_DATE
    wish = purging.Wish(operator(by), at_most, accept_outage.strip(), backup_to, reasons)
    if dry_run and not as_json:
        run(purging.show_planned(runtime, wish))
        return
    if dry_run:
        content = run(purging.planned_purge(runtime, wish))
    else:
        content = run(purging.purge_typed(runtime, wish, as_json=as_json))
    if not as_json:
        show_done(content)
    require_no_trace(content, command="purge --contract-ended" if contract_ended else "purge")
    if as_json:
        show_json(content)


def _require_sense(by: str, reason: str, *, unattended: bool, dry_run: bool) -> None:
    """Refuse options that cannot be meant."""
    if unattended and (reason or dry_run or by):
        raise typer.BadParameter("--due goes without --dry-run, --by and --accept-outage")
    without_address(by, reason)
    if reason and (len(reason.strip()) < _SENTENCE or len(reason.split()) < 3):
        raise typer.BadParameter("--accept-outage wants a sentence: how people could answer")
