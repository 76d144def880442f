"""Whose turn it is: rows held by a lease, handed out at the pace, within the hours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from repermit.dispatch.bucket import turning
from repermit.dispatch.outage import hold, outlasted
from repermit.dispatch.plan import Plan
from repermit.ledger.database import Held
from repermit.ledger.engine import Ledger
from repermit.ledger.store import sending, suppression, token_keys, waves
from repermit.ledger.store.sending import Reserved
from repermit.ledger.transaction import Transaction

_BATCH_A_CONNECTION = 20
_BATCH_SECONDS = 300.0  # a row waits no longer than this for its turn, or its lease runs out


class Turns:
    """The turns of all connections of one run, whose mails have links of the key *key*."""

    def __init__(
        self,
        ledger: Ledger,
        plan: Plan,
        owner: str,
        over: asyncio.Event,
        *,
        lock: Held,
        key: str,
    ) -> None:
        self._ledger, self._plan, self._owner, self._over = ledger, plan, owner, over
        self._lock, self._key = lock, key
        self._refilling = asyncio.Lock()
        self._pace = turning(ledger, plan.per_second)
        in_time = int(plan.per_second * _BATCH_SECONDS)
        self._batch = max(1, min(plan.connections * _BATCH_A_CONNECTION, in_time))
        self._begun = 0
        self._unmade: set[int] = set()  # whose mail cannot be made, as this run has found
        self.enter()

    def enter(self) -> None:
        """Begin anew: other rows may leave now than before."""
        self._reserved: list[Reserved] = []
        self._held: set[int] = set()  # reserved and not claimed
        self._passed_over: list[Reserved] = []
        self._exhausted = False
        now, hours = self._ledger.clock.now(), self._plan.hours
        self._shuts_at: datetime | None = None
        if hours is not None:
            self._shuts_at = hours.closes(now) if hours.is_open(now) else now

    @property
    def is_over(self) -> bool:
        """Return whether nothing more may be begun: the run is over, its limit is reached, or its
        hours are."""
        return (
            self._over.is_set()
            or self._begun == self._plan.limit
            or (self._shuts_at is not None and self._ledger.clock.now() >= self._shuts_at)
        )

    @property
    def has_more(self) -> bool:
        """Return whether there is a row to take, as far as it is known."""
        return not self.is_over and (bool(self._reserved) or not self._exhausted)

    async def come(self, promised: Callable[[], int]) -> bool:
        """Return whether this run holds a row by a lease on top of those that are *promised*, once
        it is somebody's turn; False when the run is over or no more may leave."""
        if not self.has_more:
            return False
        await self._pace.turn(self._over)
        await hold(self._lock, self._over)
        if len(self._reserved) <= promised():
            await self._refill(promised)
        return not self.is_over and len(self._reserved) > promised()

    def take(self) -> Reserved | None:
        """Return a row to begin with; None when others have taken them all."""
        if self.is_over or not self._reserved:
            return None
        self._begun += 1
        return self._reserved.pop()

    def claimed(self, reserved: Reserved) -> None:
        """Note that a row is claimed."""
        self._held.discard(reserved.id)

    def unmade(self, reserved: Reserved) -> None:
        """Note that the mail of a row cannot be made: another takes its place."""
        self._unmade.add(reserved.id)
        self._begun -= 1

    def passed_over(self, reserved: Reserved) -> None:
        """Note that a row may not be mailed, or not now: another takes its place."""
        self._passed_over.append(reserved)
        self._begun -= 1

    def put_off(self) -> None:
        """Note that a row that was claimed may leave at once, and is to be reserved anew."""
        self._exhausted = False
        self._begun -= 1

    async def let_go(self) -> None:
        """Give back what is not claimed; a pilot does not wait for whom it can never mail."""
        held, unmade, passed_over = list(self._held), list(self._unmade), self._passed_over

        def leave_out(tx: Transaction) -> None:
            never = [one.id for one in passed_over if _is_suppressed(tx, one)]
            waves.leave_out(tx, unmade + never)

        await outlasted(lambda: self._ledger.share(sending.release, self._owner, held))
        if unmade or passed_over:
            await outlasted(lambda: self._ledger.write(leave_out))

    async def _refill(self, promised: Callable[[], int]) -> None:
        """Reserve the rows that come next, unless another connection just has."""
        async with self._refilling:
            while len(self._reserved) <= promised() and not self._exhausted:
                if self.is_over or (size := self._batch_size()) <= 0:
                    return
                found = await outlasted(partial(self._reserve, size))
                self._held.update(one.id for one in found)
                self._reserved += [one for one in found if one.id not in self._unmade]
                self._exhausted = not found

    async def _reserve(self, size: int) -> list[Reserved]:
        return await self._ledger.share(self._reserved_in, size)

    def _reserved_in(self, tx: Transaction, size: int) -> list[Reserved]:
        token_keys.require_good(tx, [self._key])  # it may have been revoked since this run began
        plan = self._plan
        return sending.reserve(
            tx, self._owner, approved_size=plan.approved_size, limit=size, caps=plan.caps
        )

    def _batch_size(self) -> int:
        if self._plan.limit is None:
            return self._batch
        return min(self._batch, self._plan.limit - self._begun - len(self._reserved))


def _is_suppressed(tx: Transaction, reserved: Reserved) -> bool:
    return suppression.is_suppressed(tx, reserved.person.address.canonical)
