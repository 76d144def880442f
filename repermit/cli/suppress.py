"""Prepare: who must never be mailed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.lists import opened
from repermit.cli.session import counted, run, session_of, show, tell

if TYPE_CHECKING:
    from repermit.runtime import Runtime


_LINES_NAMED = 20


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("suppress", rich_help_panel="Prepare")(suppress)


def suppress(
    context: typer.Context,
    listed: Annotated[
        Path | None, typer.Argument(metavar="[LIST|-]", help="Addresses, one a line or a CSV.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    none: Annotated[
        str | None, typer.Option("--none", metavar="TEXT", help="State that nobody ever opted out.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the keyed hashes, with what they are good for.")
    ] = None,
) -> None:
    """Say who must never be mailed; it wins over everything."""
    if sum(given is not None for given in (listed, none, export)) != 1:
        raise typer.BadParameter("give a LIST, or --none TEXT, or --export FILE")
    if none is not None and not none.strip():
        raise typer.BadParameter("--none wants the statement itself, in words")
    runtime = session_of(context).runtime()
    if listed:
        run(_suppress_list(runtime, listed, reason))
    elif none:
        run(_state_none(runtime, none))
    elif export:
        run(_export_suppression(runtime, export))


async def _suppress_list(runtime: Runtime, path: Path, reason: str) -> None:
    from repermit.intake.suppress import suppress_list

    with opened(path, {}) as source:
        async with runtime.ledger(create=True) as ledger:
            done = await suppress_list(ledger, source, reason=reason)
    show(
        f"{counted(done.added, 'address', 'addresses')} newly suppressed,"
        f" {done.known:,} were so before,"
        f" {counted(done.moved, 'recipient')} moved to opted_out,"
        f" {len(done.rejected):,} not understood"
    )
    if done.leaving:
        tell(f"{counted(done.leaving, 'mail')} had left already, or was leaving, at that moment")
    if done.passed_over:
        tell(f"{counted(done.passed_over, 'row')} passed over: the list says they did not opt out")
    if done.rejected:
        lines = ", ".join(map(str, done.rejected[:_LINES_NAMED]))
        more = " and more" if len(done.rejected) > _LINES_NAMED else ""
        tell(f"What was not understood is NOT suppressed: lines {lines}{more}.")
        tell("  what to do: correct those lines and run it again")


async def _state_none(runtime: Runtime, statement: str) -> None:
    from repermit.ledger.store import campaign

    async with runtime.ledger(create=True) as ledger:
        await ledger.write(campaign.state_no_opt_outs, statement)
    show("noted: nobody ever opted out")


async def _export_suppression(runtime: Runtime, path: Path) -> None:
    from repermit.ledger.store import reading
    from repermit.report.export import new_file

    async with runtime.ledger() as ledger:
        hashes = await ledger.read(reading.suppression_hashes)
        with new_file(path) as file:
            file.write("# HMAC-SHA-256 under the suppression key of this campaign\n")
            file.writelines(f"{hashed}\n" for hashed in hashes)
    show(f"{counted(len(hashes), 'keyed hash', 'keyed hashes')} written")
