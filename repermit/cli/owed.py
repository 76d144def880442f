"""Delivers what is owed, beside what a command mails itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from repermit.cli.session import counted, show, tell

if TYPE_CHECKING:
    from repermit.dispatch.outbox import Delivered
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime


async def deliver_owed(runtime: Runtime, ledger: Ledger, stop: asyncio.Event) -> Delivered:
    """Deliver what is due of the outbox, with what there is to tell by now, and return what was
    done; only notices leave while the campaign is paused, and nothing from an older copy of the
    ledger."""
    from repermit.cli.assembly import letters, relay
    from repermit.cli.news import owe_news
    from repermit.dispatch.outbox import Delivered, Terms, deliver

    if await ledger.read(ledger.older_copy):
        return Delivered()
    await owe_news(runtime, ledger)
    config = runtime.config.relay
    return await deliver(
        ledger,
        relay(runtime).connect,
        letters(runtime),
        Terms(config.per_second, timedelta(hours=config.give_up_hours), config.caps),
        stop=stop,
    )


def show_delivered(done: Delivered, say: Callable[[str], None] = show) -> None:
    """Say what was done with the outbox, if anything was."""
    parts = {
        "waiting for another try": done.waiting,
        "failed": done.failed,
        "doubtful": done.doubtful,
    }
    rest = "".join(f", {count:,} {name}" for name, count in parts.items() if count)
    if done.sent or rest:
        say(f"outbox: {counted(done.sent, 'mail')} taken by the relay{rest}")
    if done.doubtful:
        tell("What is doubtful of the outbox is never sent again by itself: `repermit doubt list`.")


def counts_of(done: Delivered) -> dict[str, int]:
    """Return what was done with the outbox, as `--json` tells it."""
    names = ("sent", "waiting", "failed", "doubtful", "dropped")
    return {name: getattr(done, name) for name in names}
