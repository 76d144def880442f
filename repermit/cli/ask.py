"""Ask: send, pause, resume."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import (
    Interrupted,
    counted,
    is_terminal,
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
    from repermit.dispatch.plan import Sent
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
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Ask everyone who is listed, once each; ends when nothing may leave now."""
    runtime = session_of(context).runtime()
    sent, figures = run_until_stopped(lambda stop: _send(runtime, limit, stop))
    content, failure = _told(sent, figures), sent.refusal
    if failure is None and sent.interrupted:
        failure = Interrupted("nobody was skipped and nobody is mailed twice")
    if not as_json and (sent.refusal is None or sent.mails):
        _show_sent(sent, figures)
    if failure is not None:
        failure.done = content
        raise failure
    if as_json:
        show_json(content)


async def _send(runtime: Runtime, limit: int | None, stop: asyncio.Event) -> tuple[Sent, Figures]:
    from repermit.cli.assembly import later_keys, mailer, relay
    from repermit.dispatch.plan import Plan
    from repermit.dispatch.run import send as send_mails
    from repermit.ledger.store import campaign

    made, at, config = mailer(runtime, signing=True), relay(runtime), runtime.config.relay
    if later := later_keys(runtime):
        tell(later)
    async with runtime.ledger() as ledger:
        approval = await _require_ready(runtime, ledger)
        before = await ledger.read(campaign.figures)
        tell(
            f"{counted(before.standings['listed'], 'mail')} may leave, over"
            f" {counted(config.connections, 'connection')}, at most {config.per_second:g} a second"
        )
        plan = Plan(
            give_up=timedelta(hours=config.give_up_hours),
            connections=config.connections,
            per_second=config.per_second,
            approved_size=approval.log_size,
            limit=limit,
        )
        sent = await send_mails(
            ledger, at.connect, made, plan, stop=stop, progress=_progress(before)
        )
        if is_terminal():
            tell("")
        return sent, await ledger.read(campaign.figures)


async def _require_ready(runtime: Runtime, ledger: Ledger) -> Approval:
    """Return the approval that holds for exactly this. Raises: SendRefused."""
    from repermit.cli.assembly import approval_facts, digest
    from repermit.ledger.store import approval, campaign, erasing

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
    given = await ledger.read(approval.latest_approval)
    if given is None:
        raise SendRefused(
            "nobody has approved this campaign yet",
            hint="`repermit preview`, then `repermit approve --by NAME --informed NAME`",
        )
    facts = approval_facts(runtime)
    if digest(facts) != given.digest:
        changed = ", ".join(_changed(given, facts)) or "something"
        raise SendRefused(
            f"what was approved has changed since: {changed}",
            hint="look at it again with `repermit preview`, then approve it anew",
        )
    added = await ledger.read(approval.listed_since, given)
    if added:
        raise SendRefused(
            f"{counted(added, 'recipient')} added after the approval",
            hint="look at the counts with `repermit screen`, then approve it anew",
        )
    return given


def _changed(given: Approval, facts: dict[str, Any]) -> list[str]:
    import json

    approved = json.loads(given.facts)
    return [name for name, value in facts.items() if approved.get(name) != value]


def _progress(before: Figures) -> Any:
    total = before.standings["listed"] + before.standings["deferred"]

    def show_progress(sent: Sent) -> None:
        if is_terminal():
            typer.echo(f"\r  {sent.mails:,} of {total:,}", nl=False, err=True)
        elif sent.mails % 1000 == 0:
            tell(f"  {sent.mails:,} of {total:,}")

    return show_progress


def _told(sent: Sent, figures: Figures) -> dict[str, Any]:
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
        "due": {"first": iso(figures.first_due), "last": iso(figures.last_due)},
    }


def _show_sent(sent: Sent, figures: Figures) -> None:
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
    elif figures.next_try is not None:
        show(f"the next try is due at {iso(figures.next_try)}: run `repermit send` again then")
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
