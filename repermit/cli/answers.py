"""Answers: the server of the answer pages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from repermit.cli.session import run_until_stopped, session_of, tell
from repermit.errors import ServeRefused

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_CLOSE_SECONDS = 10  # for what is being answered when the server is told to stop


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("serve", rich_help_panel="Answers")(serve)


def serve(context: typer.Context) -> None:
    """Serve the answer pages until stopped."""
    runtime = session_of(context).runtime()
    run_until_stopped(lambda stop: _serve(runtime, stop))
    tell("stopped; every answer that was thanked for is on file")


async def _serve(runtime: Runtime, stop: asyncio.Event) -> None:
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
    url = runtime.config.web.public_url
    answers = Answers(ledger, runtime.tokens, made, public_url=url, release=__version__)
    file = runtime.config.controller.privacy_file
    notice = file.read_text("utf-8") if file else ""
    return app(ledger, answers, made, public_url=url, notice=notice)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises: ServeRefused when the port is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as failure:
        listening.close()
        raise ServeRefused(
            f"port {port} on {host} cannot be used ({failure.strerror})",
            hint="stop what uses it, or set web.bind in the config",
        ) from failure
    return listening


async def serve_until(app: ASGIApp, listening: socket.socket, stop: asyncio.Event) -> None:
    """Serve *app* until *stop* is set, and finish what is being answered."""
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves the signals to the command."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        app,
        access_log=False,  # a link is a key to somebody's answer
        server_header=False,
        date_header=True,
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_CLOSE_SECONDS,
        limit_concurrency=2_000,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopped.cancel()
    await serving
