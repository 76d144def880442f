"""Ask: what to do about mails that may or may not be out."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import (
    counted,
    is_terminal,
    run,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.domain.clock import iso
from repermit.errors import DoubtRefused

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.doubt import Doubtful
    from repermit.runtime import Runtime

_SLICE = 500  # rows that are read or decided at once
_WHO = "Show the addresses, too, on this screen?"

Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]…", help="From `doubt list`.")]
All = Annotated[int | None, typer.Option("--all", metavar="N", help="All, stating how many.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    family = typer.Typer(no_args_is_help=True, help="Decide on mails that may or may not be out.")
    family.command("list")(doubt_list)
    family.command("assume-sent")(doubt_assume_sent)
    family.command("resend")(doubt_resend)
    family.command("restored")(doubt_restored)
    app.add_typer(family, name="doubt", rich_help_panel="Ask")


def doubt_list(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Show which mails may or may not be out, with the Message-ID to look for at the relay."""
    run(_doubt_list(session_of(context).runtime(), as_json=as_json))


async def _doubt_list(runtime: Runtime, *, as_json: bool) -> None:
    from repermit.cli.assembly import mailer
    from repermit.dispatch.recover import recover, recover_owed

    made = mailer(runtime)
    async with runtime.ledger() as ledger:
        await recover_owed(ledger)
        await recover(ledger)  # what a sender that was lost had in hand is in doubt from now on
        if as_json:
            rows = [
                {
                    "id": each.id,
                    "intent_at": iso(each.intent_at),
                    "due_at": iso(each.due_at),
                    "message_id": made.message_id(each.id),
                }
                async for each in _doubtful(ledger)
            ]
            show_json({"doubtful": rows})
            return
        count = 0
        with_names = is_terminal() and sys.stdout.isatty() and typer.confirm(_WHO, err=True)
        async for each in _doubtful(ledger):
            line = f"{each.id:>9}  {iso(each.intent_at)}  <{made.message_id(each.id)}>"
            show(f"{line}  {each.mailbox}" if with_names else line)
            count += 1
    tell(
        f"{counted(count, 'mail')} in doubt. In the relay's log, look for what stands before the @"
    )
    tell("of the Message-ID, which is the same whatever the sender was called then:")
    tell("  found: `repermit doubt assume-sent ID…`; surely not there: `repermit doubt resend ID…`")


async def _doubtful(ledger: Ledger) -> AsyncIterator[Doubtful]:
    from repermit.ledger.store import doubt

    after = 0
    while found := await ledger.read(doubt.doubtful, after=after, limit=_SLICE):
        for each in found:
            yield each
        after = found[-1].id


def doubt_assume_sent(context: typer.Context, ids: Ids = None, all_of: All = None) -> None:
    """Take doubtful mails as sent: their deadline stands, nobody is mailed again."""
    count = run(_decide(session_of(context).runtime(), ids, all_of, resend=False))
    show(f"{counted(count, 'mail')} taken as sent")


def doubt_resend(context: typer.Context, ids: Ids = None, all_of: All = None) -> None:
    """Send doubtful mails again. Outside the promise of one mail: they may get two."""
    count = run(_decide(session_of(context).runtime(), ids, all_of, resend=True))
    show(
        f"{counted(count, 'recipient')} listed again; whoever had the first mail will get a second"
    )


async def _decide(
    runtime: Runtime, ids: list[int] | None, all_of: int | None, *, resend: bool
) -> int:
    """Decide slice by slice, so that answers need not wait. Crash: the rest is still doubtful."""
    from repermit.ledger.store import doubt

    if bool(ids) == (all_of is not None):
        raise DoubtRefused(
            "say which: ids, or --all with the number of doubtful mails",
            hint="`repermit doubt list` shows both",
        )
    named = sorted(set(ids or ()))
    expected = len(named) if all_of is None else all_of
    count = 0
    async with runtime.ledger() as ledger:
        found = await ledger.read(doubt.count_doubtful, named or None)
        if found != expected:
            raise DoubtRefused(
                f"{found} of the rows named are doubtful, not {expected}",
                hint="see `repermit doubt list`, then state the ids or the count that it shows",
            )
        async for part in _slices(ledger, named):
            count += await ledger.write(doubt.decide_doubt, part, resend=resend)
    return count


async def _slices(ledger: Ledger, named: Sequence[int]) -> AsyncIterator[Sequence[int]]:
    """Yield the ids of *named*, or of all that are doubtful, a slice at a time."""
    from repermit.ledger.store import doubt

    for start in range(0, len(named), _SLICE):
        yield named[start : start + _SLICE]
    if not named:
        while found := await ledger.read(doubt.doubtful, limit=_SLICE):
            yield [each.id for each in found]


def doubt_restored(context: typer.Context, all_of: All = None) -> None:
    """After an older copy of the ledger was put back: make doubtful what may have left since."""
    count = run(_restored(session_of(context).runtime(), all_of))
    show(f"{counted(count, 'mail')} are doubtful now; the ledger may send and purge again")
    tell("Who is withheld or exempt in the copy is never listed again: they may have been asked.")
    tell("What was imported, suppressed or answered after the copy was made is not in it:")
    tell("  suppress again what was suppressed since, and do not import again what was imported")
    tell("  since: those people may have been asked.")


async def _restored(runtime: Runtime, all_of: int | None) -> int:
    from repermit.ledger.store import campaign, doubt, outbox

    async with runtime.ledger() as ledger:
        standings = (await ledger.read(campaign.figures)).standings
        unsettled = sum(standings[name] for name in ("listed", "deferred", "claimed"))
        if all_of != unsettled and not await ledger.read(ledger.older_copy):
            raise DoubtRefused(
                "this ledger is not an older copy, as far as the mark in the key folder knows",
                hint="nothing needs to be done, unless keys/keep was put back too, from the same "
                f"time: then `repermit doubt restored --all {unsettled}`",
            )
        due, count = runtime.question.due_at(runtime.clock.now()), 0
        while moved := await ledger.write(doubt.doubt_unsettled, slice_rows=500, due=due):
            count += moved
        await ledger.write(doubt.set_aside_restored)
        await ledger.write(outbox.doubt_restored)
        await ledger.write(ledger.accept_copy)
    return count
