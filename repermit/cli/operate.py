"""Operate: one person, backups, and the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from repermit.cli.backup import backup
from repermit.cli.person import person
from repermit.cli.restore import restore
from repermit.cli.status import status
from repermit.errors import RepermitError

_PANEL = "Operate"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("status", rich_help_panel=_PANEL)(status)
    app.command("person", rich_help_panel=_PANEL)(person)
    app.command("backup", rich_help_panel=_PANEL)(backup)
    app.command("restore", rich_help_panel=_PANEL)(restore)
    app.command("demo", rich_help_panel=_PANEL)(demo)


def demo(
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="Where; kept afterwards.")
    ] = None,
) -> None:
    """Show the whole path in a minute, with real parts, on this machine only."""
    try:
        import aiosmtpd  # noqa: F401 - the demonstration's mail catcher
    except ImportError as failure:
        raise RepermitError(
            "the demonstration needs a mail catcher that is not installed",
            hint="install it with `pip install 'repermit[demo]'`, or use `make demo`",
        ) from failure
    from repermit.cli.demo import play

    play(folder)
