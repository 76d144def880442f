"""Proof: the figures of the campaign as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import run, session_of, show, show_json

if TYPE_CHECKING:
    from repermit.ledger.store.series import Course
    from repermit.report.figures import Report
    from repermit.runtime import Runtime


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("report", rich_help_panel="Proof")(report)


def report(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="A new file that ends in .html."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The same figures for a program.")
    ] = False,
) -> None:
    """Write the figures of the campaign as one page to read, print or pass on: how many were asked
    and what they said, when, by provider, what was lost, and the root of the log. It names
    nobody."""
    from repermit.report.figuresjson import to_json

    if out is None and not as_json:
        raise typer.BadParameter("say where to: --out FILE.html, or --json for a program")
    if out is not None and out.suffix.lower() != ".html":
        raise typer.BadParameter("--out wants a name that ends in .html")
    runtime = session_of(context).runtime()
    found = run(read_report(runtime))
    if out is not None:
        _write(runtime, found, out)
    if as_json:
        show_json(to_json(found))
    else:
        show("written: open it in a browser, or print it")


async def read_report(runtime: Runtime) -> Report:
    """Return the figures as they are now. Raises: LedgerUnusable, KeysUnusable."""
    from repermit.ledger.store import series
    from repermit.report import figures

    async with runtime.ledger(acts=False) as ledger:
        course: Course = await ledger.read(series.course)
    return figures.report(course, now=runtime.clock.now(), zone=runtime.config.campaign.zone)


def _write(runtime: Runtime, found: Report, out: Path) -> None:
    """Write the page. Raises: FileRefused, WordingIncomplete."""
    from repermit import __version__
    from repermit.files import require_new, whole
    from repermit.report.page import Heading, page

    require_new(out)
    campaign, figures = runtime.config.campaign, found.course.figures
    heading = Heading(
        campaign=campaign.name,
        controller=runtime.config.controller.name,
        release=__version__,
        checkpoint=runtime.signing.sign(figures.log_size, bytes.fromhex(figures.log_root)),
    )
    content = page(
        found,
        heading,
        runtime.templates,
        language=campaign.default_language,
        zone=campaign.zone,
    )
    with whole(out) as file:
        file.write(content.encode())
