"""What `check` says of the places on which a campaign depends: the key folder, the disk, and the
mailbox in which bounces arrive."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from repermit.cli.finding import Said, State
from repermit.cli.session import counted

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_TIMES = 3  # a purge writes a copy of the ledger and a fresh backup beside it
_LEAST_BYTES = 100_000_000
_MB = 1_000_000


async def keys(runtime: Runtime) -> Said:
    """Return whether the key folder is closed, not synchronised, and every key in it loads.

    Raises: KeysUnusable.
    """
    from repermit.ledger.folder import refuse_synchronised
    from repermit.ledger.keys import load_generation

    held = runtime.keys
    refuse_synchronised(held.folder)
    numbers = [int(path.stem) for path in held.burn.glob("*.key") if path.stem.isdigit()]
    for number in numbers:
        load_generation(held.burn, number)
    return State.OK, "for this user only, not synchronised, and every key loads", ""


async def disk(runtime: Runtime, ledger: Ledger) -> Said:
    """Return whether there is room for what a campaign and its purge write."""
    path = runtime.config.ledger_path
    free = (await asyncio.to_thread(shutil.disk_usage, path.parent)).free
    files = [path, *(path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm"))]
    held = sum(each.stat().st_size for each in files if each.exists())
    needed = max(_TIMES * held, _LEAST_BYTES)
    says = f"{free // _MB:,} MB free"
    do = f"make room: a purge may need {needed // _MB:,} MB, three times the ledger"
    if free < needed:
        return State.FAIL, says, do
    if ledger.database.is_shared:
        do = "see that the disk of the database server has three times the size of the ledger free"
        return State.WARN, f"{says} here; the server's disk is not seen from here", do
    return (State.WARN, says, do) if free < 2 * needed else (State.OK, says, "")


async def mailbox(runtime: Runtime) -> Said:
    """Return whether what comes back can be read. Raises: MailboxUnusable."""
    inbound, maildir = runtime.config.inbound, runtime.config.maildir
    if maildir is not None:
        return await asyncio.to_thread(_of_maildir, maildir)
    if inbound.server is not None:
        return await asyncio.to_thread(_of_imap, runtime)
    from repermit.cli.incoming import spool_of

    if spool_of(runtime).is_there:
        return State.OK, "messages are handed over by the MTA", ""
    return (
        State.WARN,
        "none: nobody learns which of the addresses that the relay takes are dead",
        "set maildir or imap under [inbound], or let the MTA hand messages to `repermit inbound -`",
    )


def _of_maildir(folder: Path) -> Said:
    from repermit.files import shown
    from repermit.inbound.maildir import Maildir

    waiting = len(Maildir(folder).waiting())
    for part in ("new", "cur"):
        if not os.access(folder / part, os.R_OK | os.W_OK | os.X_OK):
            do = "let the user who runs this command read and remove what is in it"
            return State.FAIL, f"what is in {shown(folder.name)}/{part} cannot be taken out", do
    return State.OK, f"{shown(folder.name)}: {counted(waiting, 'message')} waiting", ""


def _of_imap(runtime: Runtime) -> Said:
    from repermit.cli.incoming import imap_at
    from repermit.inbound.imap import Imap

    at = imap_at(runtime)
    opened = Imap(at)
    try:
        waiting = len(opened.uids())
    finally:
        opened.close()
    if at.tls == "none":
        return State.WARN, "it answers, without TLS", "use imaps:// or STARTTLS"
    return State.OK, f"it lets us in: {counted(waiting, 'message')} in {at.folder}", ""
