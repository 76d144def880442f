"""Answers: whether a recipient can answer right now."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from repermit.cli.session import run, session_of, show, show_json, tell
from repermit.domain.clock import iso
from repermit.errors import ConfigInvalid

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.probing import Vantage
    from repermit.respond.probe import Found, Probe
    from repermit.runtime import Runtime

_LINK = re.compile(r"(.+)/(yes|no|u)/([^/]+)/?")
_KINDS = frozenset({"yes", "no", "u"})


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("probe", rich_help_panel="Answers")(probe)


def probe(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            help="Default: web.public_url. The link that --link prints needs no config.",
        ),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Print the link for a monitor elsewhere; keep it secret.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tell whether a recipient can answer right now: open the page of a link that belongs to
    nobody, press Yes, and see that it was put on file."""
    from repermit.cli.pagecertificate import certificate_warning
    from repermit.config.urls import is_loopback

    if link:
        _show_link(context, url, as_json=as_json)
        return
    found, until = run(_looked(context, url))
    warning = certificate_warning(found, until, session_of(context).clock.now())
    if found.code:
        failure = found.failure()
        failure.done = _told(found, warning)
        raise failure
    if as_json:
        show_json(_told(found, warning))
        return
    took = f"page and press took {_milliseconds(found)} ms"
    if is_loopback(urlsplit(found.url).hostname or ""):
        show(f"the answer page works at {found.url}, on this machine only: {took}")
    else:
        show(f"a recipient can answer at {found.url}, seen {found.vantage.words}: {took}")
    if warning:
        tell(warning)


def _show_link(context: typer.Context, url: str | None, *, as_json: bool) -> None:
    from repermit.respond.probe import monitor_link

    if url:
        raise typer.BadParameter("--link takes no URL: it leads to web.public_url")
    runtime = session_of(context).runtime()
    made = monitor_link(runtime.tokens, runtime.config.web.public_url)
    if as_json:
        show_json({"link": made})
    else:
        show(made)


async def _looked(context: typer.Context, url: str | None) -> tuple[Found, datetime | None]:
    """Return what was found, and until when people may answer, where that is known."""
    from repermit.respond.probe import look_from_elsewhere

    if url and (parts := _LINK.fullmatch(url)):
        return await look_from_elsewhere(_checked(parts[1]), _monitors(parts[2], parts[3])), None
    if url and not _KINDS.isdisjoint(urlsplit(url).path.split("/")):
        raise _not_the_monitors()
    at, session = _checked(url) if url else None, session_of(context)
    if url and not session.config.exists():
        raise ConfigInvalid(
            [f"{session.config}: there is no such config file, and that URL is no link of a probe"],
            hint="give the link that `repermit probe --link` prints where the campaign is",
        )
    runtime = session.runtime()
    async with runtime.ledger(acts=False) as ledger:
        found = await prober(runtime, ledger, at).look()
        return found, await last_answer(runtime, ledger)


def _monitors(kind: str, token: str) -> str:
    """Return the *token* of a link, which must be that for a monitor."""
    from repermit.domain.token import is_for_monitor

    if kind != "yes" or not is_for_monitor(token):
        raise _not_the_monitors()
    return token


def _not_the_monitors() -> typer.BadParameter:
    return typer.BadParameter(
        "that link is not the one for a monitor: it may be a person's, and a probe would press"
        " Yes for them; `repermit probe --link` prints the right one"
    )


def prober(
    runtime: Runtime, ledger: Ledger, url: str | None = None, *, vantage: Vantage | None = None
) -> Probe:
    """Return what probes the answer pages at *url*, by default where the mails lead."""
    from repermit.ledger.store.probing import Vantage
    from repermit.respond.probe import Probe

    public_url = runtime.config.web.public_url
    at, seen = url or public_url, vantage or Vantage.HERE
    return Probe(ledger, runtime.tokens, at, is_public=at == public_url, vantage=seen)


async def last_answer(runtime: Runtime, ledger: Ledger) -> datetime:
    """Return when the last answer may come: who still waits for a mail has theirs from today."""
    from repermit.ledger.store import campaign

    figures = await ledger.read(campaign.figures)
    today = runtime.question.due_at(runtime.clock.now())
    waits = figures.standings["listed"] or figures.standings["deferred"] or not figures.last_due
    return max(today, figures.last_due or today) if waits else figures.last_due or today


def _told(found: Found, warning: str) -> dict[str, Any]:
    return {
        "url": found.url,
        "vantage": found.vantage,
        "answers": not found.code,
        "code": found.code or None,
        "milliseconds": _milliseconds(found),
        "certificate_ends": iso(found.certificate_ends),
        "warning": warning or None,
    }


def _milliseconds(found: Found) -> int:
    return round(found.seconds * 1000)


def _checked(url: str) -> str:
    """Return *url* as web.public_url would have it."""
    from repermit.config.urls import public_url

    try:
        return public_url(url)
    except ValueError as failure:
        raise typer.BadParameter(f"the URL {failure}: https://…, or http://localhost…") from failure
