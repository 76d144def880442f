"""Ask: send, pause, resume."""

from __future__ import annotations

import asyncio
import getpass
from datetime import datetime, timedelta
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
from repermit.errors import SendRefused

if TYPE_CHECKING:
    from repermit.dispatch.outbox import Delivered
    from repermit.dispatch.plan import Next, Plan, Sent
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.tables import Approval
    from repermit.runtime import Runtime

_PANEL = "Ask"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("send", rich_help_panel=_PANEL)(send)
    app.command("pause", rich_help_panel=_PANEL)(pause)
    app.command("resume", rich_help_panel=_PANEL)(resume)


def send(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many mails.")] = None,
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
    from repermit.cli.owed import show_delivered

    runtime = session_of(context).runtime()
    if plan:
        from repermit.cli.sendplan import plan_ahead, show_plan

        show_plan(run(plan_ahead(runtime, _plan(runtime, 0, limit))), as_json=as_json)
        return
    looked_by = (by.strip() or _user()) if go_on else None
    sent, figures, owed = run_until_stopped(lambda stop: _send(runtime, limit, looked_by, stop))
    content, failure = _told(sent, figures, owed), sent.refusal or owed.refusal
    if failure is None and sent.interrupted:
        failure = Interrupted("nobody was skipped and nobody is mailed twice")
    if not as_json:
        show_delivered(owed)
        if sent.refusal is None or sent.mails:
            _show_sent(sent, figures)
    if failure is not None:
        failure.done = content
        raise failure
    if as_json:
        show_json(content)


async def _send(
    runtime: Runtime, limit: int | None, looked_by: str | None, stop: asyncio.Event
) -> tuple[Sent, Figures, Delivered]:
    from repermit.cli.assembly import later_keys, mailer, relay
    from repermit.cli.live import Live
    from repermit.cli.owed import deliver_owed, show_delivered
    from repermit.dispatch.run import send as send_mails
    from repermit.ledger.store import campaign, waves

    made, at, config = mailer(runtime, signing=True), relay(runtime), runtime.config.relay
    if later := later_keys(runtime):
        tell(later)
    async with runtime.ledger() as ledger:
        await _require_sound(runtime, ledger)
        owed = await deliver_owed(runtime, ledger, stop)
        try:
            approval = await _require_approval(runtime, ledger)
        except SendRefused as refused:
            refused.done = {"outbox": _owed(owed)}
            show_delivered(owed, tell)
            raise
        before = await ledger.read(campaign.figures)
        tell(
            f"{counted(before.standings['listed'], 'mail')} may leave, over"
            f" {counted(config.connections, 'connection')}, at most {config.per_second:g} a second"
        )
        if not runtime.config.inbound.is_configured and config.waves:
            tell("No [inbound]: bounces that come by mail are not seen, and no wave is waited for.")
        if looked_by is not None and await ledger.write(waves.look, by=looked_by):
            tell(f"{looked_by} has looked and lets it go on: that is in the log")
        plan, live = _plan(runtime, approval.log_size, limit), Live(limit)
        sent = await send_mails(ledger, at.connect, made, plan, stop=stop, progress=live)
        live.end(sent)
        if sent.refusal is None:
            owed = owed.plus(await deliver_owed(runtime, ledger, stop))
        return sent, await ledger.read(campaign.figures), owed


def _plan(runtime: Runtime, approved_size: int, limit: int | None) -> Plan:
    """Return what the config lets a sender do."""
    from repermit.dispatch.plan import Plan
    from repermit.dispatch.waves import Terms
    from repermit.domain.hours import Hours

    config = runtime.config.relay
    terms = Terms(
        sizes=config.waves,
        watch=timedelta(hours=config.watch_hours),
        stop_bounce_percent=config.stop_bounce_percent,
        stop_complaints=config.stop_complaints,
        sees_bounces=runtime.config.inbound.is_configured,
    )
    return Plan(
        give_up=timedelta(hours=config.give_up_hours),
        connections=config.connections,
        per_second=config.per_second,
        approved_size=approved_size,
        limit=limit,
        terms=terms,
        caps=config.caps,
        hours=Hours(*config.hours, runtime.config.campaign.zone) if config.hours else None,
    )


def _user() -> str:
    """Return who works at this machine, as far as it knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


async def _require_sound(runtime: Runtime, ledger: Ledger) -> None:
    """Refuse where nothing at all may leave. Raises: SendRefused."""
    from repermit.ledger.store import campaign, erasing

    if await ledger.read(ledger.older_copy):
        raise SendRefused(
            "this ledger is an older copy: some of its mails may have left since",
            hint="run `repermit doubt restored`, which makes the unsettled ones doubtful",
        )
    latest = datetime.fromisoformat(await ledger.read(erasing.latest_entry_at))
    if latest > runtime.clock.now():
        raise SendRefused(
            f"the clock is behind the log, whose last entry was made at {iso(latest)}",
            hint="set the clock of this machine right: the mails would print a wrong date",
        )
    figures = await ledger.read(campaign.figures)
    if figures.paused_at is not None:
        raise SendRefused("the campaign is paused", hint="`repermit resume` lets it go on")


async def _require_approval(runtime: Runtime, ledger: Ledger) -> Approval:
    """Return the approval that holds for exactly this. Raises: SendRefused."""
    from repermit.cli.assembly import approval_facts, digest
    from repermit.cli.changes import came_from, changes
    from repermit.ledger.store import approval

    given = await ledger.read(approval.latest_approval)
    if given is None:
        raise SendRefused(
            "nobody has approved this campaign yet",
            hint="`repermit preview`, then `repermit approve --by NAME --informed NAME`",
        )
    facts = approval_facts(runtime)
    if digest(facts) != given.digest:
        changed = "; ".join(changes(given, facts)) or "something"
        raise SendRefused(
            f"what was approved has changed since: {changed}",
            hint="look at it again with `repermit preview`, then approve it anew",
        )
    added = await ledger.read(approval.listed_since, given)
    if added:
        raise SendRefused(
            f"{counted(sum(added.values()), 'recipient')} added after the approval"
            f" ({came_from(added)})",
            hint="look at the counts with `repermit screen`, then approve it anew",
        )
    return given


def _owed(owed: Delivered) -> dict[str, int]:
    names = ("sent", "waiting", "failed", "doubtful", "dropped")
    return {name: getattr(owed, name) for name in names}


def _told(sent: Sent, figures: Figures, owed: Delivered) -> dict[str, Any]:
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
        "outbox": _owed(owed),
        "due": {"first": iso(figures.first_due), "last": iso(figures.last_due)},
    }


def _due(coming: Next) -> str:
    if coming.why == "the next try":
        return f"the next try is due at {iso(coming.at)}"
    return f"the next mail may leave at {iso(coming.at)} ({coming.why})"


def _show_sent(sent: Sent, figures: Figures) -> None:
    for wave in sent.waves:
        tell(wave)
    show(
        f"{counted(sent.asked, 'mail')} taken by the relay, {sent.deferred:,} deferred,"
        f" {sent.undeliverable:,} undeliverable, {sent.doubtful:,} doubtful"
    )
    if sent.recovered:
        show(f"{counted(sent.recovered, 'mail')} of a sender that was lost are doubtful")
    if figures.standings["doubtful"]:
        tell("What is doubtful is never sent again by itself: see `repermit doubt list`.")
    if figures.paused_at is not None:
        show("paused: `repermit resume`, then `repermit send` goes on")
    elif sent.next is not None:
        show(f"{_due(sent.next)}: run `repermit send` again then")
    elif figures.standings["listed"]:
        show(f"{counted(figures.standings['listed'], 'mail')} not sent yet")
    else:
        show("nothing more may leave")


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
    async with runtime.ledger() as ledger:
        return await ledger.write(part)
