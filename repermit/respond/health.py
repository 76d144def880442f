"""Whether a press could be put on file right now, tried out and not guessed from reading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from repermit.errors import RepermitError
from repermit.ledger.engine import Ledger
from repermit.ledger.store import probing

_AGAIN_SECONDS = 10.0  # between two trials, however often anybody asks
_PATIENCE_SECONDS = 5.0  # for a ledger that another process holds


class Health:
    """Tries out the ledger now and then, and remembers how that went."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        patience: float = _PATIENCE_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._patience, self._seconds = ledger, patience, seconds
        self._trial: asyncio.Task[bool] | None = None
        self._again_at = 0.0

    async def is_well(self) -> bool:
        """Return whether a change was just put on the disk; False also when that takes too long.

        Every caller shares one trial, which is not repeated for ten seconds.
        """
        trial = self._trial
        if trial is None or (trial.done() and self._seconds() >= self._again_at):
            trial = self._trial = asyncio.create_task(self._try())
        done, _ = await asyncio.wait({trial}, timeout=self._patience)
        return bool(done) and trial.result()

    async def _try(self) -> bool:
        try:
            await self._ledger.write(probing.try_out)
        except RepermitError:
            return False
        else:
            return True
        finally:
            self._again_at = self._seconds() + _AGAIN_SECONDS
