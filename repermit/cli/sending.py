"""What `send` does: the outbox, the approval, the answer page, the waves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from repermit.cli.session import counted, tell
from repermit.errors import MailboxUnusable, RepermitError

if TYPE_CHECKING:
    from repermit.cli.lookout import Lookout
    from repermit.dispatch.outbox import Delivered
    from repermit.dispatch.plan import Plan, Sent
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.store.waves import State
    from repermit.runtime import Runtime


async def send_all(
    runtime: Runtime, limit: int | None, looked_by: str | None, stop: asyncio.Event
) -> tuple[Sent, Figures, Delivered]:
    """Send what may leave now, and before and after it what the outbox owes; return what was done.
    With a *limit* of 0 only the outbox is delivered, which needs no approval.

    Raises: SendRefused, with what the outbox did, when nobody may be asked now; Interrupted.
    """
    from repermit.cli.assembly import mailer, relay
    from repermit.cli.live import Live
    from repermit.cli.owed import counts_of, deliver_owed, show_delivered
    from repermit.cli.ready import require_approval, require_present, require_sound
    from repermit.dispatch.plan import Sent
    from repermit.dispatch.run import send as send_mails
    from repermit.ledger.store import campaign, waves

    made, at, config = mailer(runtime, signing=True), relay(runtime), runtime.config.relay
    async with runtime.ledger() as ledger:
        if limit == 0:
            await require_present(ledger)
            owed = await deliver_owed(runtime, ledger, stop)
            return Sent(), await ledger.read(campaign.figures), owed
        await require_sound(runtime, ledger)
        owed = await deliver_owed(runtime, ledger, stop)
        try:
            approval = await require_approval(runtime, ledger)
            before = await ledger.read(campaign.figures)
            eye = await _lookout(runtime, ledger, stop) if _is_anybody_left(before) else None
        except RepermitError as refused:
            owed = owed.plus(await _tell_end(runtime, ledger, refused, stop))
            refused.done = {"outbox": counts_of(owed)}
            show_delivered(owed, tell)
            raise
        tell(
            f"{counted(before.standings['listed'], 'mail')} may leave, over"
            f" {counted(config.connections, 'connection')}, at most {config.per_second:g} a second"
        )
        plan, live = plan_of(runtime, approval.log_size, limit), Live(limit)
        if blind := await why_blind(runtime, plan, await ledger.read(waves.state)):
            tell(blind)
        if looked_by is not None:
            has_begun = await ledger.write(waves.look, by=looked_by)
            tell(
                f"{looked_by} has looked and lets it go on: that is in the log"
                if has_begun
                else "--continue: there was nothing to continue, no wave had begun"
            )
        watch = eye.watch if eye else None
        sent = await send_mails(
            ledger, at.connect, made, plan, stop=stop, progress=live, watch=watch
        )
        live.end(sent)
        if eye and sent.mails and (found := await eye.look()).code:
            tell(f"nobody can answer just now: at {found.url} {found.why}; {found.hint}")
        if sent.refusal is None:
            owed = owed.plus(await deliver_owed(runtime, ledger, stop))
        else:
            owed = owed.plus(await _tell_end(runtime, ledger, sent.refusal, stop))
        return sent, await ledger.read(campaign.figures), owed


async def _tell_end(
    runtime: Runtime, ledger: Ledger, why: RepermitError, stop: asyncio.Event
) -> Delivered:
    """Owe the notice that a run has ended by itself, deliver it unless the relay is what is wrong,
    and return what was done."""
    from repermit.cli.news import owe_news
    from repermit.cli.owed import deliver_owed
    from repermit.dispatch.outbox import Delivered
    from repermit.dispatch.refusals import OF_THE_RELAY
    from repermit.errors import SendRefused

    if not isinstance(why, SendRefused) or not why.code:
        return Delivered()
    await owe_news(runtime, ledger, why)
    if why.code in OF_THE_RELAY:
        return Delivered()
    return replace(await deliver_owed(runtime, ledger, stop), refusal=None)


def _is_anybody_left(figures: Figures) -> bool:
    return bool(figures.standings["listed"] or figures.standings["deferred"])


async def why_blind(runtime: Runtime, plan: Plan, state: State) -> str | None:
    """Return why what comes back after the relay took it is not seen as it should be, and what to
    do; None when it is."""
    from repermit.inbound.maildir import Maildir

    first = "" if not plan.terms.sizes else ", or no wave is waited for"
    if not plan.terms.has_inbound:
        waited = first and "; no wave is waited for"
        return f"what bounces by mail is not read ([inbound]): nobody sees it{waited}"
    if state.inbound_at is None:
        return f"what came back was never read: `repermit inbound` or `repermit check` first{first}"
    try:
        if folder := runtime.config.maildir:
            await asyncio.to_thread(Maildir(folder).waiting)
    except MailboxUnusable as failure:
        return f"what comes back cannot be read: {failure}; {failure.hint}"
    if state.wave and state.wave.ended_at and state.inbound_at < state.wave.ended_at:
        return "what came back since the last wave was not read: `repermit inbound` first"
    return None


async def _lookout(runtime: Runtime, ledger: Ledger, stop: asyncio.Event) -> Lookout | None:
    """Say whether a recipient can answer now, and return what looks time after time whether they
    still can; None in a trial. Raises: SendRefused; Interrupted."""
    from repermit.cli.lookout import lookout
    from repermit.cli.pagecertificate import certificate_warning
    from repermit.cli.probe import last_answer

    eye = await lookout(runtime, ledger, stop)
    found = await eye.begin()
    if found.code:
        tell(f"A trial: nobody could answer, as at {found.url} {found.why}; see `repermit probe`.")
    elif runtime.config.web.is_local:
        tell(f"A trial: the links lead to {found.url}, which works on this machine only.")
    elif warning := certificate_warning(
        found, await last_answer(runtime, ledger), runtime.clock.now()
    ):
        tell(warning)
    return None if found.code else eye


def plan_of(runtime: Runtime, approved_size: int, limit: int | None) -> Plan:
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
        has_inbound=runtime.config.inbound.is_configured,
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
