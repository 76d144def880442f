"""Whose turn it is: rows held by a lease, handed out at the pace, within the hours."""

from __future__ import annotations

import asyncio
from datetime import datetime

from repermit.dispatch.pace import Pace
from repermit.dispatch.plan import Plan
from repermit.ledger.engine import Ledger
from repermit.ledger.store import sending, waves
from repermit.ledger.store.sending import Reserved
from repermit.ledger.transaction import Transaction

_BATCH_A_CONNECTION = 25
_BATCH_SECONDS = 300.0  # a row waits no longer than this for its turn, or its lease runs out


class Turns:
    """The turns of all connections of one run."""

    def __init__(self, ledger: Ledger, plan: Plan, owner: str, over: asyncio.Event) -> None:
        self._ledger, self._plan, self._owner, self._over = ledger, plan, owner, over
        self._refilling, self._pace = asyncio.Lock(), Pace(plan.per_second)
        in_time = int(plan.per_second * _BATCH_SECONDS)
        self._batch = max(1, min(plan.connections * _BATCH_A_CONNECTION, in_time))
        self._begun = 0
        self.enter()

    def enter(self) -> None:
        """Begin anew: other rows may leave now than before."""
        self._reserved: list[Reserved] = []
        self._held: set[int] = set()  # reserved and not claimed
        self._passed_over: set[int] = set()  # of those, who could not be mailed
        self._exhausted = False
        now, hours = self._ledger.clock.now(), self._plan.hours
        self._shuts_at: datetime | None = None
        if hours is not None:
            self._shuts_at = hours.closes(now) if hours.is_open(now) else now

    async def next(self) -> Reserved | None:
        """Return a row that this run holds by a lease, once it is its turn; None when the run is
        over or nothing may leave."""
        if self._is_over() or (self._exhausted and not self._reserved):
            return None
        await self._pace.turn(self._over)
        if not self._reserved:
            await self._refill()
        if self._is_over() or not self._reserved:
            return None
        self._begun += 1
        return self._reserved.pop()

    def put_back(self, reserved: Reserved) -> None:
        """Take a row back that could not be begun."""
        self._reserved.append(reserved)
        self._begun -= 1

    def taken(self, reserved: Reserved) -> None:
        """Note that a row is claimed."""
        self._held.discard(reserved.id)

    def passed_over(self, reserved: Reserved) -> None:
        """Note that a row could not be mailed."""
        self._passed_over.add(reserved.id)

    async def let_go(self) -> None:
        """Give back what is not claimed; a pilot does not wait for whom it could not mail."""
        held, passed_over = list(self._held), list(self._passed_over)

        def release(tx: Transaction) -> None:
            sending.release(tx, self._owner, held)
            waves.leave_out(tx, passed_over)

        await self._ledger.write(release)

    def _is_over(self) -> bool:
        return (
            self._over.is_set()
            or self._begun == self._plan.limit
            or (self._shuts_at is not None and self._ledger.clock.now() >= self._shuts_at)
        )

    async def _refill(self) -> None:
        """Reserve the rows that come next, unless another connection just has."""
        async with self._refilling:
            if self._reserved or self._exhausted or self._is_over():
                return
            plan = self._plan
            left = self._batch if plan.limit is None else plan.limit - self._begun
            self._reserved = await self._ledger.write(
                sending.reserve,
                self._owner,
                approved_size=plan.approved_size,
                limit=max(1, min(self._batch, left)),
                caps=plan.caps,
            )
            self._held.update(one.id for one in self._reserved)
            self._exhausted = not self._reserved
