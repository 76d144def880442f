"""Ask: send, pause, resume."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import (
    Interrupted,
    counted,
    run,
    run_until_stopped,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.domain.clock import iso

if TYPE_CHECKING:
    from repermit.dispatch.plan import Next, Sent
    from repermit.ledger.store.campaign import Figures
    from repermit.runtime import Runtime

_PANEL = "Ask"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("send", rich_help_panel=_PANEL)(send)
    app.command("pause", rich_help_panel=_PANEL)(pause)
    app.command("resume", rich_help_panel=_PANEL)(resume)


def send(
    context: typer.Context,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="At most so many mails; 0: only what the outbox owes."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Send nothing; tell what would leave when.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="A person has looked: go on with the next wave.")
    ] = False,
    by: Annotated[str, typer.Option(metavar="NAME", help="With --continue: who has looked.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Ask everyone who is listed, once each, in waves; ends when nothing may leave now, and
    names when the next mail may. Before and after, what the outbox owes is delivered."""
    from repermit.cli.owed import counts_of, show_delivered
    from repermit.cli.sending import plan_of, send_all

    if by and not go_on:
        raise typer.BadParameter("--by says who has looked: give it with --continue")
    if plan and go_on:
        raise typer.BadParameter("--plan lets nothing go on: give --continue without it")
    runtime = session_of(context).runtime()
    if plan:
        from repermit.cli.sendplan import plan_ahead, show_plan

        show_plan(run(plan_ahead(runtime, plan_of(runtime, 0, limit))), as_json=as_json)
        return
    looked_by = (by.strip() or _user()) if go_on else None
    sent, figures, owed = run_until_stopped(lambda stop: send_all(runtime, limit, looked_by, stop))
    content, failure = _told(sent, figures, counts_of(owed)), sent.refusal or owed.refusal
    if failure is None and sent.interrupted:
        failure = Interrupted("nobody was skipped and nobody is mailed twice")
    if not as_json:
        show_delivered(owed)
        if limit == 0 and not any(counts_of(owed).values()):
            show("nothing is owed just now")
        elif limit != 0 and (sent.refusal is None or sent.mails):
            _show_sent(sent, figures, limit)
    if failure is not None:
        failure.done = content
        raise failure
    if as_json:
        show_json(content)


def _user() -> str:
    """Return who works at this machine, as far as it knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _told(sent: Sent, figures: Figures, owed: dict[str, int]) -> dict[str, Any]:
    return {
        "asked": sent.asked,
        "deferred": sent.deferred,
        "undeliverable": sent.undeliverable,
        "doubtful": sent.doubtful + sent.recovered,
        "returned": sent.returned,
        "unmade": sent.unmade,
        "interrupted": sent.interrupted,
        "left": figures.standings["listed"],
        "next_try": iso(figures.next_try),
        "next": {"at": iso(sent.next.at), "why": sent.next.why} if sent.next else None,
        "waves": sent.waves,
        "outbox": owed,
        "due": {"first": iso(figures.first_due), "last": iso(figures.last_due)},
    }


def _due(coming: Next) -> str:
    if coming.why == "the next try":
        return f"the next try is due at {iso(coming.at)}"
    return f"the next mail may leave at {iso(coming.at)} ({coming.why})"


def _why_left(sent: Sent, limit: int | None) -> str:
    """Return why mails are left that could leave at once, and what to do."""
    if sent.is_held:
        return "the campaign was paused meanwhile; `repermit send` goes on"
    if sent.refusal is not None or sent.interrupted:
        return "nobody was skipped"
    if limit is not None and sent.mails >= limit:
        return "the limit is reached; `repermit send` goes on"
    return "another `repermit send` may hold them; run it again when that has ended"


def _show_sent(sent: Sent, figures: Figures, limit: int | None) -> None:
    for wave in sent.waves:
        tell(wave)
    show(
        f"{counted(sent.asked, 'mail')} taken by the relay, {sent.deferred:,} deferred,"
        f" {sent.undeliverable:,} undeliverable, {sent.doubtful:,} doubtful"
    )
    if sent.recovered:
        show(f"{counted(sent.recovered, 'mail')} of a sender that was lost are doubtful")
    if sent.had_enough:
        show("the relay wants fewer mails now; if it says so often, lower relay.per_second")
    if figures.standings["doubtful"]:
        tell("What is doubtful is never sent again by itself: see `repermit doubt list`.")
    if figures.paused_at is not None:
        show("paused: `repermit resume`, then `repermit send` goes on")
    elif sent.next is not None:
        show(f"{_due(sent.next)}: run `repermit send` again then")
    elif figures.standings["listed"]:
        left = counted(figures.standings["listed"], "mail")
        show(f"{left} not sent yet: {_why_left(sent, limit)}")
    else:
        show("nothing more may leave")
        tell("Until the purge, run `repermit send` once a day: it delivers what people are owed.")


def pause(context: typer.Context) -> None:
    """Hold every sender of this campaign, on every machine, before its next mail."""
    from repermit.ledger.store import campaign

    done = run(_write(session_of(context).runtime(), campaign.pause))
    show("paused" if done else "it was paused already")


def resume(context: typer.Context) -> None:
    """Let senders go on."""
    from repermit.ledger.store import campaign

    done = run(_write(session_of(context).runtime(), campaign.resume))
    show("resumed: `repermit send` goes on" if done else "it was not paused")


async def _write(runtime: Runtime, part: Any) -> Any:
    async with runtime.ledger(acts=False) as ledger:  # whatever other machines work with
        return await ledger.write(part)
