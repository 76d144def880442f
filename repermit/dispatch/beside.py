"""What goes on beside the mails of a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

from repermit.errors import RepermitError

Watch = Callable[[], Awaitable[None]]  # goes on until it raises why the run must stop


@asynccontextmanager
async def beside(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let *work* go on for the length of a block; what it raised of itself is raised at the end."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def heed(watch: Watch | None, stop_run: Callable[[RepermitError], None]) -> None:
    """Stop the run by what *watch* raises."""
    try:
        if watch is not None:
            await watch()
    except RepermitError as failure:
        stop_run(failure)
