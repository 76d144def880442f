"""Ask: what to do about mails that may or may not be out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import counted, run, session_of, show, show_json, tell
from repermit.domain.clock import iso
from repermit.errors import DoubtRefused

if TYPE_CHECKING:
    from repermit.runtime import Runtime

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
    from repermit.dispatch.recover import recover
    from repermit.ledger.store import doubt

    made = mailer(runtime)
    async with runtime.ledger() as ledger:
        await recover(ledger)
        found = await ledger.read(doubt.doubtful, limit=100_000)
    if as_json:
        rows = [
            {
                "id": each.id,
                "intent_at": iso(each.intent_at),
                "due_at": iso(each.due_at),
                "message_id": made.message_id(each.id),
            }
            for each in found
        ]
        show_json({"doubtful": rows})
        return
    for each in found:
        show(f"{each.id:>9}  {iso(each.intent_at)}  <{made.message_id(each.id)}>")
    tell(f"{counted(len(found), 'mail')} in doubt. In the relay's log, look for the Message-ID:")
    tell("  found: `repermit doubt assume-sent ID…`; surely not there: `repermit doubt resend ID…`")


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
    from repermit.ledger.store import doubt

    if bool(ids) == (all_of is not None):
        raise DoubtRefused(
            "say which: ids, or --all with the number of doubtful mails",
            hint="`repermit doubt list` shows both",
        )
    expected = all_of if all_of is not None else len(set(ids or ()))
    async with runtime.ledger() as ledger:
        return await ledger.write(doubt.decide_doubt, ids or None, expected=expected, resend=resend)


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
