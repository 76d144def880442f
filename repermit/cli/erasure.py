"""Operate: erasing one person on their own wish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from repermit.cli.aside import name_of
from repermit.cli.listing import tell_of_files
from repermit.cli.session import asking, is_terminal, tell
from repermit.errors import MailboxUnusable, PersonUnknown, RepermitError

if TYPE_CHECKING:
    from repermit.cli.told import Told
    from repermit.cli.whom import Whom
    from repermit.ledger.engine import Ledger
    from repermit.report.letters import About
    from repermit.runtime import Runtime


async def erase_one(runtime: Runtime, ledger: Ledger, who: Whom, told: Told) -> None:
    """Erase them, and note that in *told*.

    Crash: as `erase_person`; a letter that was asked for is then not written.
    """
    from repermit.ledger.store import erasing, holding
    from repermit.ledger.store.reading import suppressed
    from repermit.report.life import Life

    if who.found is None:
        raise PersonUnknown
    await ledger.read(holding.require_free, who.found.id)
    with asking("nobody was erased"):
        is_meant = not is_terminal() or typer.confirm("Erase this person for good?", err=True)
    if not is_meant:
        raise RepermitError("nobody was erased", hint="answer y to erase them")
    address = who.found.person.address
    gone = await ledger.write(erasing.erase_person, who.found.id)
    await ledger.checkpoint()
    told.erased, told.exported = who.found.id, list(gone.exported) if gone else []
    told.life = Life(None, await ledger.read(suppressed, address))
    tell("Erased. Older copies of the ledger can be read until the next purge destroys their key.")
    await tell_of_files(ledger)
    _tell_of_messages(runtime)
    if told.exported:
        proofs = ", ".join(map(str, told.exported))
        tell(f"An export has carried their yes out, as proof {proofs}: remove")
        tell("that row wherever the file went (GDPR art. 19); `export --opt-outs` lists it, too.")


def _tell_of_messages(runtime: Runtime) -> None:
    """Tell how many messages lie here that no purge has read yet: they may be from that person."""
    from repermit.cli.incoming import quarantine_of, spool_of

    spool, quarantine = spool_of(runtime), quarantine_of(runtime)
    try:
        waiting = len(spool.waiting())
    except MailboxUnusable:  # nothing was ever handed over, or a folder of it is missing
        waiting = 0
    kept = quarantine.waiting().messages
    if waiting or kept:
        places = [(waiting, spool.folder / "new"), (kept, quarantine.folder)]
        told = " and ".join(f"{count:,} in {name_of(at, runtime)}" for count, at in places if count)
        tell(f"Messages that may be theirs lie there still: {told}. Look through them.")


def erased_just_now(who: Whom, runtime: Runtime, *, exported: bool) -> About:
    """Return what a letter says of somebody who is erased just now."""
    from repermit.ledger.store.reading import SuppressedOnFile
    from repermit.report.letters import About
    from repermit.report.life import Life

    never = SuppressedOnFile(runtime.clock.now(), "erased", "")
    return About(who.mailbox, Life(None, never), exported=exported)
