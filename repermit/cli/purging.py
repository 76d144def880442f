"""What `purge` does when a person types it: shows the plan, asks for the number, tells each phase.

What the unattended form shares with it stands here, too (see `scheduled`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from repermit.cli.purgecontent import done_content, planned, refusal_of, way_out
from repermit.cli.session import asking, counted, is_terminal, quietly, tell
from repermit.domain.due import BY_DATE, Reason

if TYPE_CHECKING:
    from repermit.config.file import Config
    from repermit.ledger.engine import Ledger
    from repermit.purge.guard import Watch
    from repermit.purge.plan import Order, Plan, Purged, Refusal
    from repermit.runtime import Runtime


@dataclass(frozen=True)
class Wish:
    """What the options of the command say."""

    by: str
    at_most: int | None = None
    accepted_outage: str = ""
    backup_to: Path | None = None
    reasons: tuple[Reason, ...] = BY_DATE
    is_scheduled: bool = False


def order_of(runtime: Runtime, wish: Wish) -> Order:
    """Return *wish* as an order of this moment."""
    from repermit.ledger.store.due import Terms
    from repermit.purge.plan import Order

    config = runtime.config
    terms = Terms(
        moment=runtime.clock.now(),
        reasons=wish.reasons,
        window=timedelta(days=config.campaign.answer_days + 1),
        proof=timedelta(days=config.purge.proof_days),
        ask_again=timedelta(days=config.purge.ask_again_days),
    )
    return Order(
        terms,
        by=wish.by,
        at_most=wish.at_most,
        accepted_outage=wish.accepted_outage,
        is_scheduled=wish.is_scheduled,
        backup_to=wish.backup_to,
    )


async def watch_of(runtime: Runtime, latest_entry: datetime | None = None) -> Watch:
    """Return what the guard is told besides the ledger; *latest_entry* is when the newest entry of
    the log was made before this command wrote to it, if it did."""
    from repermit.machine import name
    from repermit.purge.guard import Watch
    from repermit.respond.outside import outside_clock

    config = runtime.config
    said, url = config.purge, config.controller.privacy_url
    return Watch(
        said.outage_percent,
        timedelta(hours=said.last_hours),
        token_keys=runtime.tokens.held(),
        outside=None if config.web.is_local else await outside_clock(url, runtime.clock.now()),
        notice=timedelta(days=said.notice_days),
        zone=config.campaign.zone,
        own=own_addresses(config),
        latest_entry=latest_entry,
        beside=(config.folder,),
        beyond=_mailboxes(config),
        machine=name(),
    )


def own_addresses(config: Config) -> tuple[str, ...]:
    """Return the controller's own addresses, which are nobody's trace."""
    return (
        *(config.relay.from_.address, config.relay.reply_to.address),
        *(config.controller.email, config.controller.dpo, *config.notices.to),
    )


def _mailboxes(config: Config) -> tuple[str, ...]:
    """Return which mailboxes the config names that no purge reads."""
    from repermit.purge.report import IMAP, MAILDIR

    if config.inbound.server is not None:
        return (IMAP,)
    named = config.maildir
    is_own = named is None or named.resolve() == config.inbound_dir.resolve()
    return () if is_own else (MAILDIR,)


async def planned_purge(runtime: Runtime, wish: Wish) -> dict[str, Any]:
    """Return what a purge would do now, and what stands against it, as `--json` tells it."""
    from repermit.purge.run import plan

    order = order_of(runtime, wish)
    async with runtime.ledger(acts=False) as ledger:
        return planned(await plan(ledger, order, await watch_of(runtime)))


async def show_planned(runtime: Runtime, wish: Wish) -> None:
    """Show the same in words."""
    from repermit.cli.purgeplan import read, show_plan
    from repermit.purge.run import plan

    order = order_of(runtime, wish)
    async with runtime.ledger(acts=False) as ledger:
        intended = await plan(ledger, order, await watch_of(runtime))
        show_plan(intended, await ledger.read(read, intended.terms), runtime)


async def purge_typed(runtime: Runtime, wish: Wish, *, as_json: bool) -> dict[str, Any]:
    """Purge as a person says, and return what was done as `--json` tells it.

    Raises: PurgeRefused; ProofBroken; Interrupted. Crash: the next purge finishes this one.
    """
    from repermit.ledger.store import elsewhere, erasing, originals

    say = quietly if as_json else tell
    warnings: tuple[str, ...] = ()
    async with runtime.ledger() as ledger:
        latest = await settle_what_was_left(runtime, ledger, say)
        if await ledger.read(erasing.unfinished_purge):
            say("A purge was cut off: it is finished first, with those whom it was for.")
            say("Who has fallen due since is left for the next `repermit purge`.")
            wish = replace(wish, at_most=None)
        else:
            watch = await watch_of(runtime, latest)
            intended = await _shown(runtime, ledger, wish, watch, as_json=as_json)
            wish = replace(wish, at_most=_confirmed(intended, wish))
            warnings = intended.warnings
        before = await ledger.read(elsewhere.untold)
        done = await carry_out(runtime, ledger, wish, say, latest_entry=latest)
        untold = await ledger.read(elsewhere.untold) - before
        lists = await ledger.read(originals.count_left)
    if untold:
        gone = counted(untold, "yes", "yeses")
        say(f"{gone} of people who are erased now stood in an export, and no later one said stop.")
        say("  what to do: `repermit export --opt-outs` says which to remove elsewhere")
    if lists:
        left = counted(lists, "original list")
        say(f"{left} may still lie there: `repermit handover --destroy LIST` overwrites it.")
    return {**done_content(done), "warnings": list(warnings)}


async def settle_what_was_left(
    runtime: Runtime, ledger: Ledger, say: Callable[[str], None]
) -> datetime:
    """Settle what senders that are gone had in hand, write the reports that a purge which was cut
    off at its very end did not write, and return when the newest entry of the log was made before
    that."""
    from repermit.cli.purgereport import publish
    from repermit.dispatch.recover import recover, recover_owed
    from repermit.ledger.store import erasing

    latest = datetime.fromisoformat(await ledger.read(erasing.latest_entry_at))
    await recover(ledger)
    await recover_owed(ledger)
    for path in await publish(runtime, ledger):
        say(f"The report of an earlier purge had not been written: {path.name} is it.")
    return latest


async def carry_out(
    runtime: Runtime,
    ledger: Ledger,
    wish: Wish,
    say: Callable[[str], None],
    *,
    latest_entry: datetime | None = None,
) -> Purged:
    """Purge now, write the report and owe it to whom the config names; return what was done.

    *latest_entry* is what `watch_of` takes.
    """
    from repermit.cli.purgeplan import tell_machines
    from repermit.cli.purgereport import publish
    from repermit.purge.run import purge

    done = await purge(
        ledger,
        order_of(runtime, wish),
        await watch_of(runtime, latest_entry),
        sign=runtime.signing.sign,
        tell=say,
    )
    for path in await publish(runtime, ledger):
        say(f"the report is {path.name}")
    tell_machines(done.report, say)
    return done


async def _shown(
    runtime: Runtime, ledger: Ledger, wish: Wish, watch: Watch, *, as_json: bool
) -> Plan:
    """Return what is intended, shown to whoever sits there, or just what stands against it.

    Raises: PurgeRefused with every reason.
    """
    from repermit.cli.purgeplan import read, show_against, show_destroyed, show_plan
    from repermit.purge.run import plan

    order = order_of(runtime, wish)
    intended = await plan(ledger, order, watch)
    if not as_json and is_terminal() and intended.due:
        told = await ledger.read(read, intended.terms)
        show_plan(intended, told, runtime, say=tell)
        if not intended.refused:
            show_destroyed(told, runtime, say=tell)
    elif not as_json:
        show_against(intended, runtime, say=tell)
    may_ask = is_terminal() and not as_json
    unsaid = [] if may_ask or wish.at_most is not None else _unsaid(intended)
    if intended.refused or unsaid:
        refused = [*intended.refused, *unsaid]
        hint = way_out(intended, refused, runtime.config.campaign.zone)
        raise refusal_of(intended, refused, hint=hint)
    return intended


def _unsaid(intended: Plan) -> list[Refusal]:
    """Return what stands against a purge in a script that does not say how many may go."""
    from repermit.purge.plan import Refusal

    if not intended.due:
        return []
    text = f"{counted(intended.due, 'recipient')} are due, and nobody said how many may go"
    return [Refusal("at_most", text)]


def _confirmed(intended: Plan, wish: Wish) -> int:
    """Return how many may go: as many as was said, or as a person types. Raises: PurgeRefused."""
    from repermit.purge.plan import Refusal

    if wish.at_most is not None or not intended.due:
        return wish.at_most or 0
    with asking("nobody was erased"):
        typed = int(typer.prompt("Type the number of recipients to erase", type=int, err=True))
    if typed != intended.due:
        text = f"{counted(intended.due, 'recipient')} are due, and {typed:,} was typed"
        raise refusal_of(intended, [Refusal("at_most", text)], hint="nobody was erased; look again")
    return typed
