"""What is done while the database is away: it is waited for, for a while, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from repermit.dispatch.pace import wait
from repermit.errors import ChangeUnknown, LedgerAway
from repermit.ledger.connect import away
from repermit.ledger.database import Held

T = TypeVar("T")
OUTAGE_SECONDS = 60.0  # a restart or a failover is over by then; a run that waits longer ends
_AGAIN_SECONDS = 0.5
FRESH_SECONDS = 30.0  # an intent that took longer to be durable lets nothing leave


async def hold(lock: Held, over: asyncio.Event) -> None:
    """Return once *lock* is ours, again if it was lost, or *over* is set: who does not hold it is
    taken for gone by others, and begins nothing.

    Raises: LedgerAway, once the patience is over.
    """
    time = asyncio.get_running_loop().time
    until = time() + OUTAGE_SECONDS
    while not (lock.is_held or over.is_set()):
        if time() >= until:
            raise away()
        await wait(_AGAIN_SECONDS, over)


async def outlasted(
    work: Callable[[], Awaitable[T]], *, again: Callable[[], Awaitable[T]] | None = None
) -> T:
    """Return what *work* returned, or the same done again because the database was away: then
    nothing of it was there.

    With *again*, that is what is done from the second time on, also when nobody can say whether
    the first is there: it must lead to the same whether it is or not.
    Raises: as *work* does, once the patience is over.
    """
    time = asyncio.get_running_loop().time
    until, doing = time() + OUTAGE_SECONDS, work
    while True:
        try:
            return await doing()
        except (LedgerAway, ChangeUnknown) as failure:
            is_sure = isinstance(failure, LedgerAway) or again is not None
            if not is_sure or time() >= until:
                raise
        doing = again or work
        await asyncio.sleep(_AGAIN_SECONDS)
