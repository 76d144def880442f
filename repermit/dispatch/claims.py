"""Puts the intents and settlements of all connections on file, many in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from repermit.dispatch.outage import FRESH_SECONDS, outlasted
from repermit.dispatch.pace import wait
from repermit.dispatch.wire import LOST
from repermit.domain.provider import NO_CAPS, Caps
from repermit.domain.standing import Standing
from repermit.ledger.engine import Ledger
from repermit.ledger.store import sending
from repermit.ledger.store.sending import Intent, Settlement

_PATIENCE_SECONDS = 0.002  # for connections that are about to hand in their intent
_FAR_SECONDS = 0.01  # a relay that takes longer over a mail than a busy one beside us

Written = tuple[set[int], set[int]]  # the ids that were settled, and those that were claimed


@dataclass
class _Batch:
    written: asyncio.Future[Written]
    settlements: dict[int, Settlement] = field(default_factory=dict)
    intents: list[tuple[Intent, asyncio.Future[bool]]] = field(default_factory=list)
    full: asyncio.Event = field(default_factory=asyncio.Event)


class Claims:
    """The claims of one sender, over so many connections as *live* returns.

    What is handed in while a transaction is being written goes into the next one, all of it
    together, so that durability costs one sync for many mails. For the same reason a transaction
    waits for connections that have no intent in it, but never longer than the last one took, and
    not for those that have a mail on the way to a relay that is far.
    """

    def __init__(
        self,
        ledger: Ledger,
        owner: str,
        caps: Caps = NO_CAPS,
        *,
        live: Callable[[], int] = lambda: 1,
    ) -> None:
        self._ledger, self._owner, self._caps, self._live = ledger, owner, caps, live
        self._failed: BaseException | None = None  # a write that was lost: nothing leaves after it
        self._open: _Batch | None = None
        self._writing: asyncio.Task[None] | None = None
        self._last_seconds = 0.0
        self._leaving: dict[int, float] = {}  # since when each claimed mail may leave
        self._relay_seconds = 0.0  # what the last mail took

    async def intend(self, intent: Intent) -> bool:
        """Return whether the mail may leave, once its intent is durable.

        Raises: as `Ledger.write` does; then nothing of the batch is on file.
        """
        batch = self._batch()
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        batch.intents.append((intent, granted))
        if len(batch.intents) >= self._wanted():
            batch.full.set()
        return await granted

    def settle(self, recipient_id: int, settlement: Settlement) -> asyncio.Future[Written]:
        """Hand in where the relay's word leaves a claimed row, and return what ends when that is
        durable. An intent that is handed in later becomes durable with it, or after it, or not at
        all: once a write has failed none is granted any more."""
        batch, now = self._batch(), asyncio.get_running_loop().time()
        batch.settlements[recipient_id] = settlement
        self._relay_seconds = now - self._leaving.pop(recipient_id, now)
        return batch.written

    def _wanted(self) -> int:
        """Return how many intents a transaction waits for."""
        is_far = self._relay_seconds > _FAR_SECONDS
        return self._live() - (len(self._leaving) if is_far else 0)

    def _batch(self) -> _Batch:
        if self._open is None:
            self._open = _Batch(asyncio.get_running_loop().create_future())
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write_all())
        return self._open

    async def _write_all(self) -> None:
        """Write one batch after the other, until nothing is handed in any more."""
        while (batch := self._open) is not None:
            if len(batch.intents) < self._wanted():
                await wait(min(self._last_seconds, _PATIENCE_SECONDS), batch.full)
            self._open = None  # it was this batch: what comes from now on goes into the next
            try:
                written = await self._write(batch)
            except BaseException as failure:  # noqa: BLE001 - who handed in gets it, none may hang
                self._failed = failure
                _tell(batch, failure)
            else:
                now = asyncio.get_running_loop().time()
                self._leaving.update(dict.fromkeys(written[1], now))
                _tell(batch, written)

    async def _write(self, batch: _Batch) -> Written:
        """Return what was written, also when the database was away in between. What took so long
        that others may take us for gone does not leave."""
        if self._failed is not None:
            raise self._failed
        time = asyncio.get_running_loop().time
        started = time()
        settlements, intents = batch.settlements, [intent for intent, _ in batch.intents]
        stay = self._put_off(intent.reserved.id for intent in intents)
        settled, claimed = await outlasted(
            lambda: self._exchange(settlements, intents),
            again=lambda: self._exchange({**stay, **settlements}, intents),
        )
        self._last_seconds = time() - started
        if self._last_seconds > FRESH_SECONDS and claimed:
            stay = self._put_off(claimed)
            await outlasted(
                lambda: self._exchange(stay, []), again=lambda: self._exchange(stay, [])
            )
            claimed = set()
        return settled, claimed

    async def _exchange(
        self, settlements: Mapping[int, Settlement], intents: Sequence[Intent]
    ) -> Written:
        return await self._ledger.write(
            sending.exchange,
            self._owner,
            settlements=settlements,
            intents=intents,
            caps=self._caps,
        )

    def _put_off(self, ids: Iterable[int]) -> dict[int, Settlement]:
        """Return that nothing has left for any of *ids*: what an exchange that was lost may have
        claimed may leave at once, and who was not claimed stays as they are."""
        return dict.fromkeys(
            ids, Settlement(Standing.DEFERRED, LOST, try_at=self._ledger.clock.now())
        )


def _tell(batch: _Batch, outcome: Written | BaseException) -> None:
    """Tell everybody who handed something in what became of it; who was cancelled has gone."""
    for intent, granted in batch.intents:
        if granted.done():
            continue
        if isinstance(outcome, BaseException):
            granted.set_exception(outcome)
        else:
            granted.set_result(intent.reserved.id in outcome[1])
    if isinstance(outcome, BaseException):
        batch.written.set_exception(outcome)
        batch.written.exception()  # whoever settled looks at it; there may be nobody
    else:
        batch.written.set_result(outcome)
