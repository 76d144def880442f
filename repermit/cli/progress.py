"""The bar that shows how far an import is, in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from repermit.cli.session import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress

    from repermit.ledger.store.admission import Tally


@contextmanager
def bar_of(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what shows how many of how many are done, under *what*."""
    if not is_terminal():
        yield lambda _done, _total: None
        return
    with _progress() as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def bar() -> Iterator[Callable[[Tally], None]]:
    """Yield what shows a tally: rows read first, then how many of them are settled."""
    if not is_terminal():
        yield lambda _tally: None
        return
    with _progress() as progress:
        task = progress.add_task("  reading", total=None)

        def shown(tally: Tally) -> None:
            settled = tally.admitted + tally.duplicates
            if settled:
                known = settled + tally.rejected + tally.suppressed
                progress.update(task, description="  admitting", completed=known, total=tally.read)
            else:
                progress.update(task, completed=tally.read)

        yield shown


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    return Progress(*columns, console=Console(stderr=True), transient=True)
