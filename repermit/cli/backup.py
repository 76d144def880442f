"""Operate: a copy of the ledger while it is in use, and the lasting keys apart from it."""

from __future__ import annotations

import asyncio
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import counted, run, session_of, show, show_json, tell
from repermit.errors import BackupRefused
from repermit.files import shown

if TYPE_CHECKING:
    from repermit.ledger.backups import Places
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_LOCK = "backup"


def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="For the copies; on another disk.")],
    kept: Annotated[
        Path, typer.Option("--keys", metavar="DIR2", help="For keys/keep; apart from DIR.")
    ],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Copy the ledger, in use or not, to DIR, and the lasting keys to DIR2. Deletes no older copy.

    Example: repermit backup /mnt/nas/garden --keys /mnt/stick/garden
    """
    from repermit.ledger.backups import Places

    content = run(_backup(session_of(context).runtime(), Places(folder, kept)))
    if as_json:
        show_json(content)
        return
    show(f"{content['copy']}: {_size(content['bytes'])}, {content['log']['size']:,} entries")
    many = counted(content["copies"], "copy", "copies")
    show(f"in {shown(folder.name)} now: {many}, {_size(content['copies_bytes'])}")
    tell("None of them is ever deleted by repermit. The keys that they need lie beside them, and")
    tell(f"  keys/keep in {shown(kept.name)}: whoever takes the former can read everybody.")
    if numbers := content["destroyed"]:
        told = ", ".join(map(str, numbers))
        tell(f"Copies of keys that a purge has destroyed were there (generation {told}): they are")
        tell("  destroyed now, too, and nobody in the copies from before it can be read.")


async def _backup(runtime: Runtime, places: Places) -> dict[str, Any]:
    """Return what was done, as `--json` tells it. Crash: nothing half-written has a final name."""
    config = runtime.config
    places.require(ledger=config.ledger_path, keys=config.keys_dir)
    async with runtime.ledger() as ledger:
        lock = ledger.lock(_LOCK)
        if not lock.acquire():
            raise BackupRefused("another backup runs", hint="wait for its end")
        try:
            return await _taken(ledger, places)
        finally:
            lock.release()


async def _taken(ledger: Ledger, places: Places) -> dict[str, Any]:
    from repermit.ledger import backups, restoring
    from repermit.ledger.store import keycopies

    kept_by, burn = ledger.vault.keys, keycopies.beside(places.copies)
    with backups.usable(places.copies):
        destroyed = keycopies.destroy_in(burn, kept_by)
    generations = keycopies.there(kept_by.burn)
    await ledger.write(keycopies.note, burn, generations)
    now = ledger.clock.now().astimezone(UTC)
    path = await asyncio.to_thread(backups.take, ledger.database, kept_by, places, now, generations)
    log, copies = restoring.look(path).log, backups.standing(places.copies)
    return {
        "copy": path.name,
        "bytes": path.stat().st_size,
        "log": {"size": log.size, "root": log.root.hex()},
        "generations": generations,
        "copies": len(copies),
        "copies_bytes": sum(each.stat().st_size for each in copies),
        "destroyed": destroyed,
    }


def _size(octets: int) -> str:
    return f"{octets / 1_000_000:,.1f} MB"
