"""This machine, among those that share a ledger: what it works with, and that it still does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from pathlib import Path

from repermit import __version__
from repermit.config import Config
from repermit.config.facts import config_facts
from repermit.errors import RepermitError
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.keyfacts import generations, key_facts
from repermit.ledger.store import machines
from repermit.ledger.store.machines import Machine

_STAY_SECONDS = 60.0


def name() -> str:
    """Return what this machine is called among those that share a ledger: its host name."""
    return socket.gethostname()


def machine_of(config: Config, templates: Sequence[Path]) -> Machine:
    """Return this machine as it is now; of a file that several folders of *templates* have, the
    first counts. Raises: KeysUnusable."""
    held = keys.load(config.keys_dir)
    facts = {**config_facts(config), "templates": _templates(templates), **key_facts(held)}
    return Machine(name(), __version__, facts, min(generations(held.burn), default=0))


@contextlib.asynccontextmanager
async def joined(
    ledger: Ledger, look: Callable[[], Machine], *, seconds: float = _STAY_SECONDS
) -> AsyncIterator[None]:
    """Let this machine, as *look* returns it, be one of those that work, for the length of a block;
    every so many *seconds* it says that it still does.

    Raises: MachineDiffers when another one that works now is not the same.
    Crash: it counts as one that works for ten minutes.
    """
    machine = look()
    was_there = await ledger.write(machines.join, machine)
    task = asyncio.create_task(_stay(ledger, look, seconds))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not was_there:  # else something else runs here, and goes on
            with contextlib.suppress(RepermitError):
                await ledger.write(machines.leave, machine.name)


async def _stay(ledger: Ledger, look: Callable[[], Machine], seconds: float) -> None:
    """Say time after time that this machine works, with the keys that it has then."""
    while True:
        await asyncio.sleep(seconds)
        with contextlib.suppress(RepermitError, OSError):  # the next time will do
            await ledger.write(machines.stay, look())


def _templates(folders: Sequence[Path]) -> str:
    """Return the fingerprint of the templates that count; what an editor leaves is none."""
    found: dict[str, Path] = {}
    for folder in reversed(folders):
        paths = (path for path in folder.rglob("*") if path.suffix in (".j2", ".toml"))
        found |= {path.relative_to(folder).as_posix(): path for path in paths}
    digest = sha256()
    for place, path in sorted(found.items()):
        content = path.read_bytes()
        digest.update(f"{place} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]
