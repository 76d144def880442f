"""Operate: the newest copy of the ledger in the place of the one that is there, or was."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import (
    asking,
    counted,
    is_terminal,
    run,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.errors import KeysUnusable, RestoreRefused
from repermit.files import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repermit.ledger.database import Database
    from repermit.ledger.keys import Keys
    from repermit.ledger.restoring import Copy, PassedOver, Wanted
    from repermit.runtime import Runtime

_LOCK = "restore"
_NEXT = "repermit doubt restored"


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the copies are.")],
    kept: Annotated[
        Path | None,
        typer.Option("--keys", metavar="DIR2", help="Where keys/keep is, when ours is lost."),
    ] = None,
    instead: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Replace a ledger of N entries; 0: there is none."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Put the newest whole copy in DIR in the place of the ledger, which is moved aside.

    Example: repermit restore /mnt/nas/garden --instead 0
    """
    runtime = session_of(context).runtime()
    content = run(_restore(runtime, folder, kept, instead, as_json=as_json))
    if as_json:
        show_json(content)
        return
    show(f"{content['copy']} is the ledger now: {content['log']['size']:,} entries")
    if content["aside"]:
        tell(f"The ledger that was there is {content['aside']}. Whoever stands in it can be read")
        tell("  until the next purge, which looks into it; delete it once it is not needed.")
    tell(f"Next: `{_NEXT}`. Until then nothing is sent and nobody is erased.")


async def _restore(
    runtime: Runtime, folder: Path, kept: Path | None, instead: int | None, *, as_json: bool
) -> dict[str, Any]:
    """Return what was done, as `--json` tells it. Crash: the old ledger or the new."""
    from repermit.ledger import replacing, restoring

    database, folder_of_keys = runtime.database, runtime.config.keys_dir
    kept_by = _kept_by(folder_of_keys, kept)
    known = folder_of_keys if kept is None or kept_by.file.exists() else kept
    lock = database.lock(_LOCK)
    try:
        wanted = restoring.Wanted(kept_by, folder, restoring.destroyed(known, database))
        replacing.require_unused(database)
        if not lock.acquire():
            raise RestoreRefused("another restore runs", hint="wait for its end")
        with restoring.staging(database.place) as staged:
            copy, passed = restoring.newest(wanted, staged)
            there = replacing.entries(database)
            if not as_json:
                _show(copy, passed, there, database=database)
            _confirm(there, instead, as_json=as_json)
            _put_back_keys(wanted, copy, kept)
            aside = _replace(runtime, database, folder, staged, there)
    finally:
        lock.release()
        database.close()
    return {
        "copy": copy.path.name,
        "newest": copy.newest,
        "log": {"size": copy.log.size, "root": copy.log.root.hex()},
        "replaced": there,
        "aside": aside,
        "passed_over": [{"name": each.name, "why": each.why} for each in passed],
        "next": _NEXT,
    }


def _put_back_keys(wanted: Wanted, copy: Copy, kept: Path | None) -> None:
    """Put back what the key folder lacks; what is there stays."""
    from repermit.ledger import restoring

    if kept and not wanted.keys.file.exists():
        restoring.put_back_kept(kept / "keep", wanted.keys.folder, copy)
    restoring.put_back_generations(wanted, copy)


def _replace(
    runtime: Runtime, database: Database, folder: Path, staged: Path, instead: int
) -> str | None:
    """Put the copy that is *staged* in the place of the ledger, and return the name of the file
    aside that holds the one that was there."""
    from repermit.ledger import replacing, restoring

    place, now = database.place, runtime.clock.now().astimezone(UTC)
    restoring.make_ready(staged, runtime.vault, folder, now)
    aside = place.with_name(f"{place.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    was_there = replacing.replace(database, staged, aside=aside, instead=instead)
    return aside.name if was_there else None


def _kept_by(folder: Path, kept: Path | None) -> Keys:
    """Return the lasting keys: those in place, else those in the folder *kept*.

    Raises: KeysUnusable when neither has any; RestoreRefused when they are of two campaigns.
    """
    from repermit.ledger import keys

    own, copied = folder / "keep", _copied(kept, folder) if kept else None
    if not own.exists():
        if copied is None:
            raise KeysUnusable(
                "the key folder has no keys/keep",
                hint="name the folder that has it: `repermit restore DIR --keys DIR2`",
            )
        return copied
    found = keys.read(own / "keys.json", folder)
    if copied and found.campaign != copied.campaign:
        raise RestoreRefused(
            "the key folder in place is of another campaign than the keys to put back",
            hint="move it away, if nothing was begun with it, or set keys.dir to another folder",
        )
    if copied:
        tell("keys/keep is in place: it stays as it is.")
    return found


def _copied(kept: Path, folder: Path) -> Keys:
    """Return the lasting keys in *kept*, as those of the key *folder*."""
    from repermit.ledger import keys

    path = kept / "keep" / "keys.json"
    if not path.is_file():
        raise RestoreRefused(
            f"there are no keys in {shown(kept.name)}",
            hint="name the folder that `repermit backup --keys` wrote to; it has a folder keep",
        )
    return keys.read(path, folder)


def _show(copy: Copy, passed: Sequence[PassedOver], there: int, *, database: Database) -> None:
    """Show what would be put back, in the place of what, before anything is done."""
    for each in passed:
        tell(f"passed over: {each.name}: {each.why}")
    size = counted(copy.log.size, "entry", "entries")
    tell(f"to put back: {copy.path.name}, whole; {size}, the newest of {copy.newest[:19]} UTC")
    if not database.exists():
        tell("in its place: there is no ledger now")
        return
    tell(f"in its place: the ledger, {counted(there, 'entry', 'entries')}; it is moved aside")
    if (lost := there - copy.log.size) > 0:
        tell(f"  {counted(lost, 'entry', 'entries')} at least would be lost with it")


def _confirm(there: int, instead: int | None, *, as_json: bool) -> None:
    """Raise RestoreRefused unless somebody says how many entries may be replaced."""
    if instead is None and is_terminal() and not as_json:
        with asking():
            typed = typer.prompt("Type the number of entries that are replaced", type=int, err=True)
            instead = int(typed)
    if instead is None:
        raise RestoreRefused(
            f"the ledger in place has {counted(there, 'entry', 'entries')}, and nobody said that"
            " it may be replaced",
            hint=f"if it may: `repermit restore DIR --instead {there}`",
        )
    if instead != there:
        raise RestoreRefused(
            f"the ledger in place has {counted(there, 'entry', 'entries')}, not {instead:,}",
            hint="nothing was done; look again",
        )
