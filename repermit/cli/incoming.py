"""Reads what came back, from wherever it comes in; shared by `inbound` and `run`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from repermit.cli.news import owe_news
from repermit.config import secret
from repermit.dispatch.objection import Objection
from repermit.dispatch.objection import stopped as stop_of
from repermit.domain.envelope import SignedNames
from repermit.errors import MailboxUnusable, RepermitError
from repermit.inbound.emptying import FileBox, ImapBox, Stopped, Told, never
from repermit.inbound.handling import Desk, Foreseen, Tally
from repermit.inbound.imap import ImapAt
from repermit.inbound.maildir import Maildir
from repermit.inbound.quarantine import Quarantine
from repermit.inbound.reading import Reading, Unreadable
from repermit.inbound.settle import note_read
from repermit.ledger.store import campaign
from repermit.runtime import Runtime

_BETWEEN_SECONDS = 0.1  # two tries to get a lock that another process holds


@dataclass(frozen=True)
class Sources:
    """What is to be read."""

    spool: bool = True  # what an MTA handed over
    maildir: Path | None = None
    imap: bool = False

    @classmethod
    def configured(cls, runtime: Runtime) -> Sources:
        """Return all that the config names, and what an MTA handed over."""
        config = runtime.config
        return cls(maildir=config.maildir, imap=config.inbound.server is not None)


@asynccontextmanager
async def opened_desk(runtime: Runtime) -> AsyncIterator[Desk]:
    """Yield what messages are read and settled with; why that stopped the sending, if it did, is
    in its tally afterwards. Raises: LedgerUnusable, KeysUnusable,
    WordingIncomplete."""
    key = runtime.keys.message
    names = SignedNames(key, runtime.config.relay.envelope_domain)
    async with runtime.ledger() as ledger:
        desk = Desk(ledger, names, runtime.tokens, key, runtime.question.reading_for)
        yield desk
        if desk.tally.stops and (why := (await ledger.read(campaign.figures)).stopped_for):
            desk.tally.stopped = stop_of(Objection(**why))
            await owe_news(runtime, ledger)


def spool_of(runtime: Runtime) -> Maildir:
    """Return where the messages are kept that an MTA handed over."""
    return Maildir(runtime.config.inbound_dir)


def quarantine_of(runtime: Runtime) -> Quarantine:
    """Return where messages are put that nobody handles."""
    return Quarantine(runtime.config.inbound_dir / "quarantine")


def has_work(runtime: Runtime) -> bool:
    """Return whether there is anything to read: the config names it, or an MTA handed it over."""
    if runtime.config.inbound.is_configured:
        return True
    spool = spool_of(runtime)
    return spool.is_there and bool(spool.waiting())


def tidy(runtime: Runtime) -> None:
    """Remove what has been in the quarantine for long enough, and what an interrupted delivery
    left behind."""
    spool_of(runtime).tidy()
    quarantine_of(runtime).empty(now=runtime.clock.now())


async def read_all(
    runtime: Runtime,
    sources: Sources,
    *,
    patience: float,
    stopped: Stopped = never,
    told: Told = lambda _: None,
) -> Tally:
    """Handle what waits in *sources* and return what was done; *patience*, in seconds, is for
    another process that does the same.

    Raises: NotAllRead for the first of them that could not be read, after the others were;
    LedgerUnusable, KeysUnusable, WordingIncomplete.
    """
    tidy(runtime)
    failed: list[RepermitError] = []
    is_whole = True
    async with opened_desk(runtime) as desk:
        for name, empty in _boxes(runtime, desk, sources):
            try:
                work = partial(empty, stopped=stopped, told=told)
                is_whole = await _alone(desk, name, work, patience) and is_whole
            except RepermitError as failure:
                failed.append(failure)
        if is_whole and not failed:
            await note_read(desk.ledger)
    if failed:
        raise NotAllRead(failed[0], desk.tally)
    return desk.tally


async def look_at(runtime: Runtime, sources: Sources) -> list[Foreseen]:
    """Return how each message that waits in *sources* would be read; nothing is changed."""
    async with opened_desk(runtime) as desk:
        found: list[Reading | Unreadable] = []
        for box in _file_boxes(runtime, desk, sources).values():
            found += await box.look()
        if sources.imap:
            found += await ImapBox(desk, imap_at(runtime)).look()
        return [await desk.foresee(each) for each in found]


class NotAllRead(RepermitError):
    """Some of what came back could not be read; `tally` is what was done with the rest."""

    def __init__(self, failure: RepermitError, tally: Tally) -> None:
        super().__init__(str(failure), hint=failure.hint)
        self.tally = tally


async def empty_spool(runtime: Runtime) -> Tally:
    """Handle what an MTA handed over, if no other process does: that one handles it, too, or else
    the next `inbound` or `run` does, for it may have looked a last time by then."""
    tidy(runtime)
    is_whole = False
    async with opened_desk(runtime) as desk:
        box = FileBox(desk, spool_of(runtime), quarantine_of(runtime))
        lock = desk.ledger.lock("inbound-spool")
        while await box.is_waiting() and lock.acquire():
            try:
                is_whole = await box.empty()
            finally:
                lock.release()
        if is_whole:
            await note_read(desk.ledger)
    return desk.tally


def imap_at(runtime: Runtime) -> ImapAt:
    """Return where the mailbox is, and how to get in. Raises: MailboxUnusable, ConfigInvalid."""
    inbound = runtime.config.inbound
    server, password = inbound.server, secret("REPERMIT_IMAP_PASSWORD")
    if server is None or server.user is None:
        raise MailboxUnusable(
            "the config names no mailbox that is read by IMAP", hint="set inbound.imap in it"
        )
    if password is None:
        raise MailboxUnusable(
            "the mailbox wants a password and none is given",
            hint="set REPERMIT_IMAP_PASSWORD in the environment or the credentials folder",
        )
    return ImapAt(server.host, server.port, server.tls, server.user, password, inbound.folder)


_Empty = Callable[..., Awaitable[bool]]


def _boxes(runtime: Runtime, desk: Desk, sources: Sources) -> list[tuple[str, _Empty]]:
    """Return what is to be emptied, each with the name of its lock."""
    boxes: list[tuple[str, _Empty]] = [
        (name, box.empty) for name, box in _file_boxes(runtime, desk, sources).items()
    ]
    if sources.imap:

        async def empty(*, stopped: Stopped, told: Told) -> bool:
            return await ImapBox(desk, imap_at(runtime)).empty(stopped=stopped, told=told)

        boxes.append(("inbound-imap", empty))
    return boxes


def _file_boxes(runtime: Runtime, desk: Desk, sources: Sources) -> dict[str, FileBox]:
    spool, quarantine = spool_of(runtime), quarantine_of(runtime)
    found: dict[str, FileBox] = {}
    is_named = sources.maildir is not None and _is_same(sources.maildir, spool.folder)
    if is_named or (sources.spool and spool.is_there):
        found["inbound-spool"] = FileBox(desk, spool, quarantine)
    if sources.maildir is not None and not is_named:
        found["inbound-maildir"] = FileBox(desk, Maildir(sources.maildir), quarantine)
    return found


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


async def _alone(
    desk: Desk, name: str, work: Callable[[], Awaitable[bool]], patience: float
) -> bool:
    """Do *work* while no other process does the same, and return what it returns; without
    *patience*, in seconds, leave it to that one and return False.

    Raises: MailboxUnusable when that one takes longer.
    """
    lock, loop = desk.ledger.lock(name), asyncio.get_running_loop()
    end = loop.time() + patience
    while not lock.acquire():
        if not patience:
            return False
        if loop.time() >= end:
            raise MailboxUnusable(
                "another process reads what came back at this moment",
                hint="it handles what is there; look with `repermit status`, or run this again"
                " later",
            )
        await asyncio.sleep(_BETWEEN_SECONDS)
    try:
        return await work()
    finally:
        lock.release()
