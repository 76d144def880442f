"""Operate: everything that a campaign needs of one machine, in one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import typer

from repermit.cli.session import run_until_stopped, session_of, tell, unforeseen
from repermit.errors import RepermitError, SendRefused

if TYPE_CHECKING:
    from repermit.inbound.handling import Tally
    from repermit.runtime import Runtime

_UNTIL_REFUSED_AGAIN = timedelta(minutes=15)  # before a refused sender asks again


@dataclass(frozen=True)
class Pace:
    """How often is looked whether something is to be done, in seconds. The first purge waits until
    the pages have been looked at for a while."""

    first: float = 5.0
    send: float = 30.0
    inbound: float = 60.0
    first_purge: float = 1200.0
    purge: float = 3600.0


_PACE = Pace()


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("run", rich_help_panel="Operate")(run)


def run(context: typer.Context) -> None:
    """Serve the answer pages, send what may leave and is owed, read what comes back, and purge what
    the config has scheduled, until stopped; what cannot be done yet is told, and tried again."""
    runtime = session_of(context).runtime()
    run_until_stopped(lambda stop: run_all(runtime, stop))
    tell("stopped; every answer that was thanked for is on file")


async def run_all(runtime: Runtime, stop: asyncio.Event, *, pace: Pace = _PACE) -> None:
    """Do all of that until *stop* is set; what one part cannot do, it tells, and the others go on.

    Raises: what the pages cannot be served for. Crash: as of `serve`, `send` and `purge --due`.
    """
    from repermit.cli.answers import serve_pages
    from repermit.cli.scheduled import purge_due

    sender = _Sender(runtime, stop)
    works = [
        asyncio.create_task(_again(sender.send, pace.first, pace.send, stop)),
        asyncio.create_task(
            _again(lambda: read_inbound(runtime, stop), pace.first, pace.inbound, stop)
        ),
    ]
    if runtime.config.purge.scheduled:
        works.append(
            asyncio.create_task(
                _again(
                    lambda: purge_due(runtime, None, None, as_json=False),
                    *(pace.first_purge, pace.purge),
                    stop,
                )
            )
        )
    try:
        await serve_pages(runtime, stop)
    finally:
        stop.set()
        await asyncio.gather(*works)


async def read_inbound(runtime: Runtime, stop: asyncio.Event) -> None:
    """Read what came back, if anything may have, and tell what a person must do about it.

    Raises: RepermitError when it cannot be read.
    """
    from repermit.cli.incoming import NotAllRead, Sources, has_work, read_all, tidy

    if not has_work(runtime):
        tidy(runtime)
        return
    sources = Sources.configured(runtime)
    try:
        tally = await read_all(runtime, sources, patience=0, stopped=stop.is_set)
    except NotAllRead as failure:
        _tell_read(failure.tally, runtime)
        raise
    _tell_read(tally, runtime)


def _tell_read(tally: Tally, runtime: Runtime) -> None:
    from repermit.cli.tallied import said, to_do

    if tally.read:
        tell(said(tally))
    if tally.by_outcome["listed"] or tally.quarantined:
        for text in to_do(tally, runtime):
            tell(text)


async def _again(
    work: Callable[[], Awaitable[None]], first: float, every: float, stop: asyncio.Event
) -> None:
    """Do *work* time after time until *stop* is set; tell once why it cannot be done."""
    told, seconds = "", first
    while not await _is_set(stop, seconds):
        seconds, failed = every, ""
        try:
            await work()
        except Exception as raised:  # noqa: BLE001 - nothing ends a part of it unseen
            failure = raised if isinstance(raised, RepermitError) else unforeseen(raised)
            failed = str(failure)
            if failed != told:
                tell(failed)
                tell(f"  what to do: {failure.hint}")
        told = failed


async def _is_set(stop: asyncio.Event, seconds: float) -> bool:
    """Return whether *stop* is set within so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


@dataclass
class _Sender:
    """Sends what is there to be sent, and no sooner than it may leave."""

    runtime: Runtime
    stop: asyncio.Event
    asks_from: datetime | None = None  # before that no question may leave
    tries_from: datetime | None = None  # nor anything else

    async def send(self) -> None:
        """Send what may leave now. Raises: RepermitError when it may not, or the relay is away, or
        what came back has stopped the sending meanwhile."""
        now = self.runtime.clock.now()
        asks, owes, is_stopped = await self._is_anything_there(now)
        if asks or owes:
            await self._send(now, asks=asks)
        if is_stopped is not None:
            raise is_stopped

    async def _send(self, now: datetime, *, asks: bool) -> None:
        from repermit.cli.owed import show_delivered
        from repermit.cli.sending import send_all

        later = now + _UNTIL_REFUSED_AGAIN  # unless all goes well
        if asks:
            self.asks_from = later
        else:
            self.tries_from = later
        sent, _, owed = await send_all(self.runtime, None if asks else 0, None, self.stop)
        show_delivered(owed, tell)
        if sent.mails:
            tell(f"{sent.mails:,} mails handed to the relay, of which it took {sent.asked:,}")
        if failure := sent.refusal or owed.refusal:
            raise failure
        self.tries_from = None
        if asks:
            self.asks_from = sent.next.at if sent.next else None

    async def _is_anything_there(self, now: datetime) -> tuple[bool, bool, SendRefused | None]:
        """Return whether anybody may be asked now, whether a mail is owed, and why sending has
        stopped by itself, if it has."""
        from repermit.cli.news import owe_news
        from repermit.dispatch.objection import Objection, stopped
        from repermit.ledger.store import campaign

        async with self.runtime.ledger(acts=False) as ledger:
            await owe_news(self.runtime, ledger)
            found = await ledger.read(campaign.figures)
        waits = found.standings["listed"] or found.standings["deferred"]
        may_ask = found.paused_at is None and found.stopped_at is None
        asks = bool(waits) and may_ask and (self.asks_from is None or now >= self.asks_from)
        owes = bool(found.outbox["owed"]) and (self.tries_from is None or now >= self.tries_from)
        why = stopped(Objection(**found.stopped_for)) if found.stopped_for else None
        return asks, owes, why
