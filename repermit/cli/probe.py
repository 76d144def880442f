"""Answers: whether a recipient can answer right now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from repermit.cli.session import run, session_of, show, show_json, tell
from repermit.config.urls import is_loopback
from repermit.domain.clock import iso

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.respond.probe import Found, Probe
    from repermit.runtime import Runtime


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("probe", rich_help_panel="Answers")(probe)


def probe(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="Default: web.public_url.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tell whether a recipient can answer right now: open the page of a link that belongs to
    nobody, press Yes, and see that it was put on file."""
    runtime = session_of(context).runtime()
    found, until = run(_look(runtime, _checked(url) or runtime.config.web.public_url))
    if found.code:
        failure = found.failure()
        failure.done = _told(found, until)
        raise failure
    if as_json:
        show_json(_told(found, until))
        return
    took = f"page and press took {_milliseconds(found)} ms"
    if is_loopback(urlsplit(found.url).hostname or ""):
        show(f"the answer page works at {found.url}, on this machine only: {took}")
    else:
        show(f"a recipient can answer at {found.url}: {took}")
    if warning := certificate_warning(found, until):
        tell(warning)


async def _look(runtime: Runtime, url: str) -> tuple[Found, datetime]:
    async with runtime.ledger() as ledger:
        found = await prober(runtime, ledger, url).look()
        return found, await last_answer(runtime, ledger)


def prober(runtime: Runtime, ledger: Ledger, url: str | None = None) -> Probe:
    """Return what probes the answer pages at *url*, by default where the mails lead."""
    from repermit.respond.probe import Probe

    public_url = runtime.config.web.public_url
    at = url or public_url
    return Probe(ledger, runtime.tokens, at, is_public=at == public_url)


async def last_answer(runtime: Runtime, ledger: Ledger) -> datetime:
    """Return when the last answer may come: who still waits for a mail has theirs from today."""
    from repermit.ledger.store import campaign

    figures = await ledger.read(campaign.figures)
    today = runtime.question.due_at(runtime.clock.now())
    waits = figures.standings["listed"] or figures.standings["deferred"] or not figures.last_due
    return max(today, figures.last_due or today) if waits else figures.last_due or today


def certificate_warning(found: Found, until: datetime) -> str:
    """Return a line when the certificate ends before the last answer, else an empty string."""
    ends = found.certificate_ends
    if ends is None or ends >= until:
        return ""
    return (
        f"The certificate of {found.url} ends at {iso(ends)}, and people may answer until"
        f" {iso(until)}: see that it is renewed before."
    )


def _told(found: Found, until: datetime) -> dict[str, Any]:
    return {
        "url": found.url,
        "answers": not found.code,
        "code": found.code or None,
        "milliseconds": _milliseconds(found),
        "certificate_ends": iso(found.certificate_ends),
        "warning": certificate_warning(found, until) or None,
    }


def _milliseconds(found: Found) -> int:
    return round(found.seconds * 1000)


def _checked(url: str | None) -> str | None:
    """Return *url* as web.public_url would have it."""
    from repermit.config.urls import public_url

    try:
        return public_url(url) if url else None
    except ValueError as failure:
        raise typer.BadParameter(f"the URL {failure}: https://…, or http://localhost…") from failure
