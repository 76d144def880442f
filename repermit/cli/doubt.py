"""Ask: what to do about mails that may or may not be out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

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
from repermit.domain.clock import iso
from repermit.errors import DoubtRefused

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.transaction import Transaction
    from repermit.runtime import Runtime

_SLICE = 500  # rows that are read or decided at once
_WHO = "Show the addresses, too, on this screen?"

Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]…", help="From `doubt list`.")]
Outbox = Annotated[bool, typer.Option("--outbox", help="Mails of the outbox, not questions.")]
All = Annotated[int | None, typer.Option("--all", metavar="N", help="All, stating how many.")]


class _HasId(Protocol):
    @property
    def id(self) -> int: ...


_Row = TypeVar("_Row", bound=_HasId, covariant=True)


class _Store(Protocol[_Row]):
    """What decides on doubtful mails: `ledger.store.doubt`, or `outbox_doubt`."""

    def doubtful(self, tx: Transaction, *, after: int = 0, limit: int) -> Sequence[_Row]: ...

    def count_doubtful(self, tx: Transaction, ids: Sequence[int] | None = None) -> int: ...

    def decide_doubt(self, tx: Transaction, ids: Sequence[int], *, resend: bool) -> int: ...


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
    from repermit.cli.assembly import letters, mailer
    from repermit.dispatch.recover import recover, recover_owed
    from repermit.ledger.store import doubt, outbox_doubt

    made, letter_id = mailer(runtime), letters(runtime, signing=False).message_id
    async with runtime.ledger() as ledger:
        await recover_owed(ledger)
        await recover(ledger)  # what a sender that was lost had in hand is in doubt from now on
        owed = [
            {
                "id": each.id,
                "kind": str(each.kind),
                "intent_at": iso(each.intent_at),
                "message_id": letter_id(each.id),
            }
            async for each in _all_of(ledger, outbox_doubt)
        ]
        if as_json:
            rows = [
                {
                    "id": each.id,
                    "intent_at": iso(each.intent_at),
                    "due_at": iso(each.due_at),
                    "message_id": made.message_id(each.id),
                }
                async for each in _all_of(ledger, doubt)
            ]
            show_json({"doubtful": rows, "outbox": owed})
            return
        count = 0
        with asking():
            with_names = is_terminal() and sys.stdout.isatty() and typer.confirm(_WHO, err=True)
        async for each in _all_of(ledger, doubt):
            line = f"{each.id:>9}  {iso(each.intent_at)}  <{made.message_id(each.id)}>"
            show(f"{line}  {each.mailbox}" if with_names else line)
            count += 1
    if not count and not owed:
        show("nothing is in doubt")
        return
    _tell_what_to_do(count)
    _show_owed(owed)


def _tell_what_to_do(count: int) -> None:
    tell(
        f"{counted(count, 'mail')} in doubt. In the relay's log, look for what stands before the @"
    )
    tell("of the Message-ID, which is the same whatever the sender was called then:")
    tell("  found: `repermit doubt assume-sent ID…`; surely not there: `repermit doubt resend ID…`")


def _show_owed(owed: Sequence[Mapping[str, Any]]) -> None:
    """Show the mails of the outbox that are in doubt, if there are any."""
    for each in owed:
        show(f"{each['id']:>9}  {each['intent_at']}  <{each['message_id']}>  {each['kind']}")
    if owed:
        kinds = Counter(each["kind"] for each in owed)
        told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
        tell(f"Of the outbox, those with a word at the end: {told}. The same, with --outbox:")
        tell("  `repermit doubt assume-sent --outbox ID…`, `repermit doubt resend --outbox ID…`")


async def _all_of(ledger: Ledger, store: _Store[_Row]) -> AsyncIterator[_Row]:
    after = 0
    while found := await ledger.read(store.doubtful, after=after, limit=_SLICE):
        for each in found:
            yield each
        after = found[-1].id


def doubt_assume_sent(
    context: typer.Context, ids: Ids = None, all_of: All = None, of_outbox: Outbox = False
) -> None:
    """Take doubtful mails as sent: their deadline stands, nobody is mailed again."""
    runtime = session_of(context).runtime()
    count = run(_decide(runtime, ids, all_of, of_outbox=of_outbox, resend=False))
    show(f"{counted(count, 'mail')} taken as sent")


def doubt_resend(
    context: typer.Context, ids: Ids = None, all_of: All = None, of_outbox: Outbox = False
) -> None:
    """Send doubtful mails again. Outside the promise of one mail: they may get two."""
    runtime = session_of(context).runtime()
    count = run(_decide(runtime, ids, all_of, of_outbox=of_outbox, resend=True))
    what = (
        f"{counted(count, 'mail')} owed" if of_outbox else f"{counted(count, 'recipient')} listed"
    )
    show(f"{what} again; whoever had the first mail will get a second")


async def _decide(
    runtime: Runtime,
    ids: list[int] | None,
    all_of: int | None,
    *,
    of_outbox: bool,
    resend: bool,
) -> int:
    """Decide slice by slice, so that answers need not wait. Crash: the rest is still doubtful."""
    from repermit.ledger.store import doubt, outbox_doubt

    if bool(ids) == (all_of is not None):
        raise DoubtRefused(
            "say which: ids, or --all with the number of doubtful mails",
            hint="`repermit doubt list` shows both",
        )
    named = sorted(set(ids or ()))
    expected = len(named) if all_of is None else all_of
    store: _Store[Any] = outbox_doubt if of_outbox else doubt
    count = 0
    async with runtime.ledger() as ledger:
        found = await ledger.read(store.count_doubtful, named or None)
        if found != expected:
            raise DoubtRefused(
                f"{found} of the rows named are doubtful, not {expected}",
                hint="see `repermit doubt list`, then state the ids or the count that it shows",
            )
        async for part in _slices(ledger, named, store):
            count += await ledger.write(store.decide_doubt, part, resend=resend)
    return count


async def _slices(
    ledger: Ledger, named: Sequence[int], store: _Store[Any]
) -> AsyncIterator[Sequence[int]]:
    """Yield the ids of *named*, or of all that are doubtful, a slice at a time."""
    for start in range(0, len(named), _SLICE):
        yield named[start : start + _SLICE]
    if not named:
        while found := await ledger.read(store.doubtful, limit=_SLICE):
            yield [each.id for each in found]


def doubt_restored(context: typer.Context, all_of: All = None) -> None:
    """After an older copy of the ledger was put back: make doubtful what may have left since."""
    count, owed = run(_restored(session_of(context).runtime(), all_of))
    show(f"{counted(count, 'mail')} are doubtful now; the ledger may send and purge again")
    if owed:
        tell(f"Of the outbox, too: {counted(owed, 'mail')}; `repermit doubt list` shows them.")
    tell("Who is withheld or exempt in the copy is never listed again: they may have been asked.")
    tell("What was imported, suppressed or answered after the copy was made is not in it:")
    tell("  suppress again what was suppressed since, and do not import again what was imported")
    tell("  since: those people may have been asked.")


async def _restored(runtime: Runtime, all_of: int | None) -> tuple[int, int]:
    """Return how many questions and how many mails of the outbox are doubtful from now on."""
    from repermit.ledger.store import campaign, doubt, outbox_doubt

    async with runtime.ledger() as ledger:
        if older := ledger.superseded:
            raise DoubtRefused(f"{older}: nobody in it can be read any more", hint=older.hint)
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
        owed = await ledger.write(outbox_doubt.doubt_restored)
        await ledger.write(ledger.accept_copy)
    return count, owed
