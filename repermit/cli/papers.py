"""Proof: the papers that an officer keeps on file, or needs at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import counted, run, session_of, show, tell

if TYPE_CHECKING:
    from repermit.ledger.mark import Mark
    from repermit.ledger.store.holdings import Holdings
    from repermit.ledger.transaction import Transaction
    from repermit.ledger.verify import Verified
    from repermit.report.papers import Paper
    from repermit.runtime import Runtime

_HELP = (
    "The record of processing, the breach sheet, the paragraph for the privacy statement, the"
    " certificate of erasure."
)
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="A new file: .md, or .html to print."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    family = typer.Typer(no_args_is_help=True, help=_HELP)
    family.callback()(_family)
    family.command("register")(record)
    family.command("breach")(breach)
    family.command("notice")(notice)
    family.command("certificate")(certificate)
    app.add_typer(family, name="papers", rich_help_panel="Proof")


def _family() -> None:
    """The record of processing, the breach sheet, the paragraph for the privacy statement, the
    certificate of erasure."""


def record(context: typer.Context, out: Out = None) -> None:
    """Make the record of processing (GDPR art. 30), in the campaign's default language."""
    _give(context, "register", out)


def breach(context: typer.Context, out: Out = None) -> None:
    """Make the sheet for a data breach (GDPR art. 33, 34): what is held, and what to do now."""
    _give(context, "breach", out)


def notice(context: typer.Context, out: Out = None) -> None:
    """Make the paragraph for the privacy statement (GDPR art. 13, 14), in every language."""
    _give(context, "notice", out)


def certificate(context: typer.Context, out: Out = None) -> None:
    """Make the certificate of erasure for a client whose contract has ended (GDPR art. 28(3)(g)),
    in the campaign's default language; refuses while anybody is left."""
    _give(context, "certificate", out)


def _give(context: typer.Context, kind: str, out: Path | None) -> None:
    from repermit.report.papers import write

    if out is not None and out.suffix.lower() not in (".md", ".html"):
        raise typer.BadParameter("--out wants a name that ends in .md or .html")
    runtime = session_of(context).runtime()
    paper = run(make_paper(runtime, kind))
    if out is None:
        show(paper.markdown.rstrip("\n"))
    else:
        write(paper, runtime.templates, out)
        show("written")
    if paper.gaps:
        keys = ", ".join(dict.fromkeys(gap.key or "by hand" for gap in paper.gaps))
        tell(f"{counted(len(paper.gaps), 'gap')}, each named in it: {keys}")


async def make_paper(runtime: Runtime, kind: str) -> Paper:
    """Return the paper *kind* ("register", "breach", "notice", "certificate") as things are now.

    Raises: LedgerUnusable, WordingIncomplete; KeysUnusable when the lasting keys cannot be used;
    ProofBroken when a register or a certificate would have to vouch for a log that does not verify;
    CertificateRefused.
    """
    if kind == "certificate":
        from repermit.cli.certificate import make_certificate

        return await make_certificate(runtime)
    from repermit.cli.declared import facts, gaps
    from repermit.ledger.mark import MarkFile
    from repermit.report import papers

    campaign = runtime.config.campaign
    wanted = campaign.languages if kind == "notice" else (campaign.default_language,)
    languages = tuple(dict.fromkeys(map(papers.language_of, wanted)))
    async with runtime.ledger(acts=False) as ledger:
        held, found = await ledger.read(_look, MarkFile(runtime.keys.mark).read())
    if kind == "register":
        found.require()
    root = bytes.fromhex(found.root)
    checkpoint = runtime.signing.sign(found.size, root) if found.holds else ""
    return papers.make(
        runtime.templates,
        kind,
        languages,
        lambda language: facts(runtime, held, found, language, checkpoint=checkpoint),
        zone=campaign.zone,
        gaps=gaps(runtime.config, held, kind, languages),
    )


def _look(tx: Transaction, mark: Mark | None) -> tuple[Holdings, Verified]:
    from repermit.ledger.store.holdings import holdings
    from repermit.ledger.verify import verify

    return holdings(tx), verify(tx, mark)
