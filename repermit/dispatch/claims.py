"""Puts the intents and settlements of all connections on file, many in one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from repermit.domain.provider import NO_CAPS, Caps
from repermit.ledger.engine import Ledger
from repermit.ledger.store import sending
from repermit.ledger.store.sending import Intent, Settlement


@dataclass
class _Batch:
    settlements: dict[int, Settlement] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)


Written = tuple[set[int], set[int]]  # the ids that were settled, and those that were claimed


class Claims:
    """The claims of one sender.

    What is handed in while a transaction is being written goes into the next one, all of it
    together, so that durability costs one sync for many mails.
    """

    def __init__(self, ledger: Ledger, owner: str, caps: Caps = NO_CAPS) -> None:
        self._ledger, self._owner, self._caps = ledger, owner, caps
        self._turn = asyncio.Lock()
        self._failed: BaseException | None = None  # a write that was lost: nothing leaves after it
        self._open: tuple[_Batch, asyncio.Task[Written]] | None = None

    async def intend(self, intent: Intent) -> bool:
        """Return whether the mail may leave, once its intent is durable.

        Raises: as `Ledger.write` does; then nothing of the batch is on file.
        """
        batch, written = self._batch()
        batch.intents.append(intent)
        _, claimed = await asyncio.shield(written)
        return intent.reserved.id in claimed

    def settle(self, recipient_id: int, settlement: Settlement) -> asyncio.Task[Written]:
        """Hand in where the relay's word leaves a claimed row, and return what ends when that is
        durable. An intent that is handed in later becomes durable with it, or after it, or not at
        all: once a write has failed none is granted any more."""
        batch, written = self._batch()
        batch.settlements[recipient_id] = settlement
        return written

    def _batch(self) -> tuple[_Batch, asyncio.Task[Written]]:
        if self._open is None:
            batch = _Batch()
            self._open = batch, asyncio.create_task(self._write(batch))
        return self._open

    async def _write(self, batch: _Batch) -> Written:
        async with self._turn:
            self._open = None  # it was this batch: what comes from now on goes into the next
            if self._failed is not None:
                raise self._failed
            try:
                return await self._ledger.write(
                    sending.exchange,
                    self._owner,
                    settlements=batch.settlements,
                    intents=batch.intents,
                    caps=self._caps,
                )
            except BaseException as failure:
                self._failed = failure
                raise
