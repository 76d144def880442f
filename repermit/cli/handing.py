"""Finish: exports of who said yes, and of who must stop."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import counted, run, session_of, show, tell

if TYPE_CHECKING:
    from repermit.ledger.store.elsewhere import Changes
    from repermit.report.export import Done, Link
    from repermit.runtime import Runtime

_PANEL = "Finish"


class Format(StrEnum):
    """The formats of an export; `report.formats` writes them."""

    CSV = "csv"
    JSONL = "jsonl"
    LISTMONK = "listmonk"
    MAILCHIMP = "mailchimp"
    BREVO = "brevo"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("export", rich_help_panel=_PANEL)(export)


def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file; only you may read it.")],
    as_format: Annotated[
        Format, typer.Option("--format", help="Also as a newsletter tool imports it.")
    ] = Format.CSV,
    purpose: Annotated[str | None, typer.Option(metavar="ID", help="Only this purpose.")] = None,
    opt_outs: Annotated[
        bool, typer.Option("--opt-outs", help="Who must stop being mailed elsewhere.")
    ] = False,
) -> None:
    """Write who said yes, as it stands now; or who said no."""
    runtime = session_of(context).runtime()
    known = [each.id for each in runtime.config.purposes]
    if purpose is not None and purpose not in known:
        raise typer.BadParameter(f"--purpose is one of: {', '.join(known)}")
    if opt_outs:
        _show_opt_outs(run(_export_opt_outs(runtime, out, as_format, purpose)), as_format, purpose)
    else:
        _show_opt_ins(run(_export_opt_ins(runtime, out, as_format, purpose)), as_format, purpose)
        tell_of_links(runtime)


async def _export_opt_ins(runtime: Runtime, out: Path, form: Format, purpose: str | None) -> Done:
    from repermit.report.export import export_opt_ins

    async with runtime.ledger() as ledger:
        link = link_of(runtime)
        return await export_opt_ins(ledger, out, form=form, purpose=purpose, link=link)


async def _export_opt_outs(runtime: Runtime, out: Path, form: Format, purpose: str | None) -> Done:
    from repermit.report.export import export_opt_outs

    async with runtime.ledger() as ledger:
        return await export_opt_outs(ledger, out, form=form, purpose=purpose)


def link_of(runtime: Runtime) -> Link:
    """Return what makes the link to the page on which one press withdraws."""
    from repermit.domain.token import Scope

    url, tokens = runtime.config.web.public_url, runtime.tokens
    return lambda recipient_id: f"{url}/u/{tokens.issue(Scope.UNSUBSCRIBE, recipient_id)}"


def _show_opt_ins(done: Done, form: Format, purpose: str | None) -> None:
    from repermit.report.formats import FORMATS

    show(f"{counted(done.rows, 'row')} written")
    _tell_changes(done.changes, purpose)
    tell(f"{form}: {FORMATS[form].confirmed}.")


def _show_opt_outs(done: Done, form: Format, purpose: str | None) -> None:
    from repermit.report.formats import FORMATS

    show(f"{counted(done.rows, 'row')} written")
    tell(f"{form}: {FORMATS[form].stopped}.")
    if done.narrowed:
        tell(f"{counted(done.narrowed, 'row')} with purposes: people who still agree to those.")
        tell(f"  what to do: take them off the list of {purpose} alone, and do not block them")
    if done.erased:
        tell(f"{counted(done.erased, 'row')} without an address: people who are erased.")
        tell("Remove elsewhere what an earlier export has under the same proof (GDPR art. 19).")


def _tell_changes(changes: Changes | None, purpose: str | None) -> None:
    if changes is None:
        return
    said = f"{changes.added:,} added, {changes.gone:,} gone"
    tell(f"Since the last export of the same ({changes.since:%Y-%m-%d %H:%M} UTC): {said}.")
    if changes.gone:
        names = "repermit export --opt-outs" + (f" --purpose {purpose}" if purpose else "")
        tell(f"  what to do: an import removes nobody; `{names}` names them")


def tell_of_links(runtime: Runtime) -> None:
    """Say what the links in an export need."""
    tell("Each row has the link to withdraw with one press; it works while `repermit serve` runs.")
    if runtime.config.web.is_local:
        tell("These links lead to this machine only: web.public_url is for trying out.")
