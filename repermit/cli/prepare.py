"""Prepare: init and screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import is_terminal, run, session_of, show, show_json, tell
from repermit.cli.summary import cure
from repermit.errors import FileRefused

if TYPE_CHECKING:
    from repermit.runtime import Runtime

_PANEL = "Prepare"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("init", rich_help_panel=_PANEL)(init)
    app.command("screen", rich_help_panel=_PANEL)(screen)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to begin.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take the example.")] = False,
) -> None:
    """Write config.toml and the key folder. Works offline."""
    from repermit.cli.begin import ask_answers, require_new, write_campaign

    target = require_new(folder)
    if not yes and not is_terminal():
        raise FileRefused(
            "init asks questions, and nobody is there to answer",
            hint="`repermit init --yes` writes the example; then edit config.toml",
        )
    answers = {} if yes else ask_answers(target)
    write_campaign(folder, answers)
    show(f"written: {folder / 'config.toml'} and {folder / 'keys'}")
    tell("Keep keys/keep safe: copy it, twice. Never copy keys/burn except beside a ledger backup;")
    tell("  `repermit backup DIR --keys DIR2` does both.")
    tell("Next: read config.toml, fill in policy.accepted_by, then `repermit import LIST`.")


def screen(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Apply the policy again, after a change of the config; counts by cell."""
    run(_screen(session_of(context).runtime(), as_json=as_json))


async def _screen(runtime: Runtime, *, as_json: bool) -> None:
    from repermit.cli.assembly import policy_facts, rules
    from repermit.intake.screen import screen as screen_again

    async with runtime.ledger() as ledger:
        facts, today = policy_facts(runtime), runtime.today()
        counts = await screen_again(ledger, rules(runtime), facts, today=today)
    cells = sorted(counts.items())
    if as_json:
        rows = [
            {"cell": cell, "standing": standing, "reason": reason, "count": count}
            for (cell, standing, reason), count in cells
        ]
        totals = {
            name: sum(count for (_, standing, _), count in cells if standing == name)
            for name in ("listed", "withheld", "exempt")
        }
        show_json({"cells": rows, **totals})
        return
    for (cell, standing, reason), count in cells:
        what = cure(reason) if standing == "withheld" else ""
        show(f"{count:>9,}  {standing:<9} {cell}  {reason}{what}")
