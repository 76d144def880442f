"""Answers: the server of the answer pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import typer

from repermit.cli.session import counted, run_until_stopped, session_of, tell
from repermit.domain.standing import Standing
from repermit.errors import KeysUnusable, LedgerUnusable

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_FORGET_SECONDS = 3600
_FIRST_LOOK_SECONDS, _LOOK_SECONDS = 3.0, 60.0


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("serve", rich_help_panel="Answers")(serve)


def serve(context: typer.Context) -> None:
    """Serve the answer pages until stopped."""
    runtime = session_of(context).runtime()
    run_until_stopped(lambda stop: serve_pages(runtime, stop))
    tell("stopped; every answer that was thanked for is on file")


async def serve_pages(runtime: Runtime, stop: asyncio.Event) -> None:
    """Serve the answer pages until *stop* is set.

    Raises: ServeRefused; LedgerUnusable; WordingIncomplete; KeysUnusable, also later, when a key
    that reads links was revoked.
    """
    from repermit.cli.ready import require_same_pages
    from repermit.ledger.store import token_keys
    from repermit.respond.server import bound, serve_until

    web = runtime.config.web
    async with runtime.ledger() as ledger:
        await require_same_pages(runtime, ledger)
        await ledger.read(token_keys.require_good, runtime.tokens.held())
        app = answer_app(runtime, ledger)
        with bound(web.bind_host, web.bind_port) as listening:
            tell(f"answer pages on {web.bind}, reached as {web.public_url}; Ctrl-C stops")
            before = await _owed(runtime, ledger)
            for line in before:
                tell(line)
            revoked = asyncio.create_task(until_revoked(runtime, ledger, stop))
            async with beside(_forget_origins(ledger), _look_at_itself(runtime, ledger)):
                await serve_until(app, listening, stop)
            await revoked
        with contextlib.suppress(LedgerUnusable):
            after = await _owed(runtime, ledger)
            if after and after != before:
                tell(f"still owed: {'; '.join(after)}")


async def _owed(runtime: Runtime, ledger: Ledger) -> list[str]:
    from repermit.domain.deadline import last_day
    from repermit.ledger.store.campaign import figures

    known, config = await ledger.read(figures), runtime.config
    last = last_day(known.last_due, zone=config.campaign.zone) if known.last_due else None
    opted_in = known.standings[Standing.OPTED_IN]
    waiting = known.outbox["owed"]
    return owed(opted_in, last, config.web.keep_until, runtime.today(), waiting=waiting)


@contextlib.asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let *works* go on for the length of a block, and end them with it."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _look_at_itself(runtime: Runtime, ledger: Ledger) -> None:
    """Find out time after time whether recipients reach these pages, and put it on record."""
    from repermit.cli.lookout import look_after
    from repermit.cli.probe import prober
    from repermit.ledger.store.probing import Vantage

    probe = prober(runtime, ledger, vantage=Vantage.SERVER)
    await look_after(probe.look, first_seconds=_FIRST_LOOK_SECONDS, every_seconds=_LOOK_SECONDS)


async def until_revoked(
    runtime: Runtime, ledger: Ledger, stop: asyncio.Event, *, seconds: float = _LOOK_SECONDS
) -> None:
    """Return once *stop* is set; set it, and raise KeysUnusable, once a key that reads links here
    was revoked: whoever it has leaked to could answer for others."""
    from repermit.ledger.store import token_keys

    while not stop.is_set():
        try:
            await ledger.read(token_keys.require_good, runtime.tokens.held())
        except KeysUnusable:
            stop.set()
            raise
        except LedgerUnusable:
            pass  # the next minute will do
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


async def _forget_origins(ledger: Ledger) -> None:
    """Erase what has been kept for long enough, now and every hour."""
    from repermit.ledger.store.origin import forget_origins

    while True:
        with contextlib.suppress(LedgerUnusable):  # the next hour will do
            while await ledger.write(forget_origins):
                pass
        await asyncio.sleep(_FORGET_SECONDS)


def owed(
    opted_in: int, last: date | None, keep_until: date | None, today: date, *, waiting: int = 0
) -> list[str]:
    """Return for whom, and for how long, the pages have to stay up, with what stands against it,
    and how many mails people wait for.

    *last* is the last day on which anybody may answer in time.
    """
    lines = []
    is_open = last is not None and last >= today
    if is_open:
        lines.append(f"people may answer until {last}")
    if opted_in:
        until = f"until {keep_until}" if keep_until else "for as long as you mail them"
        lines.append(f"{counted(opted_in, 'person', 'people')} said yes and may withdraw {until}")
    if waiting:
        verb = "waits" if waiting == 1 else "wait"
        lines.append(f"{counted(waiting, 'mail')} in the outbox {verb} for `repermit send`")
    if keep_until and is_open and last and keep_until < last:
        lines.append("warning: web.keep_until comes before the last deadline; put it later")
    elif keep_until and keep_until < today:
        lines.append("warning: web.keep_until has passed; put it later, or stop serving for good")
    return lines


def answer_app(runtime: Runtime, ledger: Ledger) -> ASGIApp:
    """Return the answer server over *ledger*. Raises: WordingIncomplete, ServeRefused."""
    from repermit import __version__
    from repermit.cli.assembly import pages
    from repermit.respond.answer import Answers
    from repermit.respond.app import Settings, app
    from repermit.respond.every import check

    made, web = pages(runtime), runtime.config.web
    check(made)
    answers = Answers(ledger, runtime.tokens, made, public_url=web.public_url, release=__version__)
    settings = Settings(
        public_url=web.public_url,
        notice=runtime.config.controller.privacy_file,
        trusted=web.trusted_proxy,
        origin_time=timedelta(days=web.origin_days),
    )
    return app(ledger, answers, made, settings)
