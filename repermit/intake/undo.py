"""One import at a time; takes back those that did not complete, or were wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from repermit.errors import LedgerUnusable
from repermit.ledger.engine import Ledger
from repermit.ledger.store import undoing
from repermit.ledger.store.undoing import Undoing

_SLICE_ROWS = 400  # about 30 ms, so that no answer waits


@contextmanager
def alone(ledger: Ledger) -> Iterator[None]:
    """Hold the lock of the one import that may run. Raises: LedgerUnusable when one does."""
    lock = ledger.lock("import")
    if not lock.acquire():
        raise LedgerUnusable("another import is running", hint="wait until it is done")
    try:
        yield
    finally:
        lock.release()


async def undo(ledger: Ledger, intake_id: int) -> Undoing:
    """Take back what import *intake_id* admitted and said, and return what that meant.

    Raises: ImportRefused once a mail has left; LedgerUnusable.
    Crash: a part is taken back; run it again.
    """
    with alone(ledger):
        await refuse_older_copy(ledger)
        meant = await ledger.write(undoing.begin_undoing, intake_id)
        await take_back_unfinished(ledger)
        return meant


async def take_back_unfinished(ledger: Ledger, only: int | None = None) -> None:
    """Undo what imports admitted that did not come to their end; *only* that one, where another
    machine may have begun its own meanwhile."""
    for intake_id in await ledger.read(undoing.unfinished_intakes):
        if only is not None and intake_id != only:
            continue
        while await ledger.write(undoing.take_back, intake_id, slice_rows=_SLICE_ROWS):
            pass


async def refuse_older_copy(ledger: Ledger) -> None:
    """People whom a newer copy knows would be asked again, and ids be given twice."""
    if await ledger.read(ledger.older_copy):
        raise LedgerUnusable(
            "this ledger is an older copy that was put back",
            hint="run `repermit doubt restored` first",
        )
