"""Whether people can answer: before `send` lets the first mail leave, and meanwhile; and for as
long as `serve` runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repermit.cli.session import Interrupted, tell
from repermit.dispatch.refusals import PAGE
from repermit.errors import LedgerUnusable, SendRefused

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.respond.probe import Found
    from repermit.runtime import Runtime

_TRIES = 3  # that must fail, one after the other


@dataclass(frozen=True)
class Lookout:
    """Probes the answer page, also while mails leave, and at once again when nobody could answer.

    `is_trial`: the pages are on this machine alone, and no recipient could ever answer.
    """

    look: Callable[[], Awaitable[Found]]
    is_trial: bool
    stop: asyncio.Event  # the operator wants to end
    between_seconds: float = 2.0
    every_seconds: float = 20.0

    async def begin(self) -> Found:
        """Return what was found before the first mail.

        Raises: SendRefused when nobody could answer and this is no trial; Interrupted.
        """
        for left in reversed(range(_TRIES)):
            found = await self.look()
            is_refused_trial = self.is_trial and found.code == "refused"
            if not found.code or is_refused_trial:
                return found
            if self.stop.is_set():
                raise Interrupted("nobody was asked")
            await self._wait(self.between_seconds if left else 0.0)
        if self.is_trial:
            return found
        raise SendRefused(
            f"nobody could answer the mails: at {found.url} {found.why}",
            hint=f"{found.hint}; `repermit probe` tells when it works",
            code=PAGE,
        )

    async def watch(self) -> None:
        """Look time after time. Raises: SendRefused when nobody could answer three times."""
        failed = 0
        while failed < _TRIES:
            await asyncio.sleep(self.between_seconds if failed else self.every_seconds)
            found = await self.look()
            failed = failed + 1 if found.code else 0
            if failed == 1:
                tell(f"nobody can answer just now: at {found.url} {found.why}; looking again")
        raise SendRefused(
            f"sending has stopped: nobody can answer the mails any more: at {found.url}"
            f" {found.why}",
            hint=f"{found.hint}; then `repermit send` goes on where it was",
            code=PAGE,
        )

    async def _wait(self, seconds: float) -> None:
        """Wait so many seconds, or until the operator wants to end."""
        stopped = asyncio.create_task(self.stop.wait())
        await asyncio.wait({stopped}, timeout=seconds)
        stopped.cancel()


async def look_after(
    look: Callable[[], Awaitable[Found]], *, first_seconds: float, every_seconds: float
) -> None:
    """Look time after time until cancelled, and tell when people cannot answer any more, and when
    they can again; each once. A ledger that fails is told like any other reason."""
    told = ""
    await asyncio.sleep(first_seconds)
    while True:
        failure = await _failure(look)
        if failure and not told:
            tell(f"{failure}; serving goes on, and looks again")
        elif told and not failure:
            tell("people can answer again")
        told = failure
        await asyncio.sleep(every_seconds)


async def _failure(look: Callable[[], Awaitable[Found]]) -> str:
    """Return why nobody can answer and what to do about it; empty when people can."""
    try:
        found = await look()
    except LedgerUnusable as failure:
        return f"nobody can answer: {failure}; {failure.hint}"
    return f"{found.failure()}; {found.hint}" if found.code else ""


async def lookout(runtime: Runtime, ledger: Ledger, stop: asyncio.Event) -> Lookout:
    """Return the lookout of a sender."""
    from repermit.cli.probe import prober
    from repermit.ledger.store import probing

    web = runtime.config.web
    has_answered = await ledger.read(probing.has_answered)
    return Lookout(
        prober(runtime, ledger).look, is_trial=web.is_local and not has_answered, stop=stop
    )
