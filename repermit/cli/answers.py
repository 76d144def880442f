"""Answers: the server of the answer pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from repermit.cli.session import run_until_stopped, session_of, tell

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("serve", rich_help_panel="Answers")(serve)


def serve(context: typer.Context) -> None:
    """Serve the answer pages until stopped."""
    runtime = session_of(context).runtime()
    run_until_stopped(lambda stop: _serve(runtime, stop))
    tell("stopped; every answer that was thanked for is on file")


async def _serve(runtime: Runtime, stop: asyncio.Event) -> None:
    from repermit.respond.server import bound, serve_until

    web = runtime.config.web
    async with runtime.ledger() as ledger:
        with bound(web.bind_host, web.bind_port) as listening:
            tell(f"answer pages on {web.bind}, reached as {web.public_url}; Ctrl-C stops")
            await serve_until(answer_app(runtime, ledger), listening, stop)


def answer_app(runtime: Runtime, ledger: Ledger) -> ASGIApp:
    """Return the answer server over *ledger*. Raises: WordingIncomplete, ServeRefused."""
    from repermit import __version__
    from repermit.cli.assembly import pages
    from repermit.respond.answer import Answers
    from repermit.respond.app import app

    made = pages(runtime)
    made.check()
    answers = Answers(ledger, runtime.tokens, made, release=__version__)
    file = runtime.config.controller.privacy_file
    notice = file.read_text("utf-8") if file else ""
    return app(ledger, answers, made, public_url=runtime.config.web.public_url, notice=notice)
