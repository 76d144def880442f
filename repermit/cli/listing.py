"""Keeps the list of files with addresses that commands have written (`store.written`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from repermit.cli.session import counted, run, tell
from repermit.files import LONGEST_PATH, require_new, shown, whole

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_MOST_NAMED = 5


@contextmanager
def listed_file(runtime: Runtime, path: Path, kind: str) -> Iterator[IO[bytes]]:
    """Yield a new file as `files.whole` does, which is on the list before it has its name.

    Raises: FileRefused, LedgerUnusable.
    """
    with whole(path) as file:
        yield file
        run(_change(runtime, {kind: path}, add=True))


@contextmanager
def listed_files(runtime: Runtime, paths: Mapping[str, Path | None]) -> Iterator[None]:
    """Put *paths*, by what they are, on the list before they are made; whatever is not there
    after the block is taken off it again.

    A ledger that is not there yet is made for that: also a dry run writes such files.
    Raises: FileRefused when one exists already, or cannot be there; LedgerUnusable.
    """
    given = {kind: path for kind, path in paths.items() if path is not None}
    if not given:
        yield
        return
    for path in given.values():
        require_new(path)
    run(_change(runtime, given, add=True))
    try:
        yield
    finally:
        if gone := {kind: path for kind, path in given.items() if not path.exists()}:
            run(_change(runtime, gone, add=False))


async def _change(runtime: Runtime, paths: Mapping[str, Path], *, add: bool) -> None:
    from repermit.ledger.store import written
    from repermit.ledger.transaction import Transaction

    def change(tx: Transaction) -> None:
        for kind, path in paths.items():
            if add:
                written.note_file(tx, path, kind)
            else:
                written.forget(tx, path)

    async with runtime.ledger(create=True) as ledger:
        await ledger.write(change)


async def tell_of_files(ledger: Ledger) -> None:
    """Tell which files that commands wrote are still there, now that somebody is erased."""
    from repermit.ledger.store import written

    there = [each.name for each in await ledger.read(written.files) if each.path.exists()]
    names = [shown(name, longest=LONGEST_PATH) for name in there]
    if names:
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        tell(
            f"{counted(len(names), 'file')} written earlier may hold them:"
            f" {', '.join(names[:_MOST_NAMED])}{more}."
        )
        tell("  what to do: delete those that are not needed any more; write the others anew")
