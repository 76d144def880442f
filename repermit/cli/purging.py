"""What `purge` does when a person types it: shows the plan, asks for the number, tells each phase.

What the unattended form shares with it stands here, too (see `scheduled`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from repermit.cli.session import counted, is_terminal, tell
from repermit.domain.due import BY_DATE, Reason
from repermit.errors import ProofBroken, PurgeRefused

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.purge.guard import Watch
    from repermit.purge.plan import Order, Plan, Purged
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
    )
    return Order(
        terms,
        by=wish.by,
        at_most=wish.at_most,
        accepted_outage=wish.accepted_outage,
        is_scheduled=wish.is_scheduled,
        backup_to=wish.backup_to,
    )


async def watch_of(runtime: Runtime) -> Watch:
    """Return what the guard is told besides the ledger."""
    from repermit.purge.guard import Watch

    said = runtime.config.purge
    return Watch(said.outage_percent, timedelta(hours=said.last_hours))


async def planned_purge(
    runtime: Runtime, at_most: int | None, accepted_outage: str = ""
) -> dict[str, Any]:
    """Return what a purge would do now, and what stands against it, as `--json` tells it."""
    from repermit.purge.run import plan

    order = order_of(runtime, Wish("", at_most, accepted_outage))
    async with runtime.ledger() as ledger:
        return planned(await plan(ledger, order, await watch_of(runtime)))


async def show_planned(runtime: Runtime, wish: Wish) -> None:
    """Show the same in words."""
    from repermit.cli.purgeplan import read, show_plan
    from repermit.purge.run import plan

    order = order_of(runtime, wish)
    async with runtime.ledger() as ledger:
        intended = await plan(ledger, order, await watch_of(runtime))
        show_plan(intended, await ledger.read(read, order.terms), runtime)


async def purge_typed(runtime: Runtime, wish: Wish, *, as_json: bool) -> dict[str, Any]:
    """Purge as a person says, and return what was done as `--json` tells it.

    Raises: PurgeRefused; ProofBroken; Interrupted. Crash: the next purge finishes this one.
    """
    from repermit.ledger.store import elsewhere, erasing

    say = _quietly if as_json else tell
    async with runtime.ledger() as ledger:
        await settle_what_was_left(runtime, ledger, say)
        if await ledger.read(erasing.unfinished_purge):
            say("A purge was cut off: it is finished first, with those whom it was for.")
            say("Who has fallen due since is left for the next `repermit purge`.")
            wish = replace(wish, at_most=None)
        elif wish.at_most is None:
            wish = replace(wish, at_most=await _confirmed(runtime, ledger, wish, as_json=as_json))
        before = await ledger.read(elsewhere.untold)
        done = await carry_out(runtime, ledger, wish, say)
        untold = await ledger.read(elsewhere.untold) - before
    if untold:
        gone = counted(untold, "yes", "yeses")
        say(f"{gone} of people who are erased now stood in an export, and no later one said stop.")
        say("  what to do: `repermit export --opt-outs` says which to remove elsewhere")
    return done_content(done)


async def settle_what_was_left(
    runtime: Runtime, ledger: Ledger, say: Callable[[str], None]
) -> None:
    """Settle what senders that are gone had in hand, and write the reports that a purge which was
    cut off at its very end did not write."""
    from repermit.cli.purgereport import publish
    from repermit.dispatch.recover import recover, recover_owed

    await recover(ledger)
    await recover_owed(ledger)
    for path in await publish(runtime, ledger):
        say(f"The report of an earlier purge had not been written: {path.name} is it.")


async def carry_out(
    runtime: Runtime, ledger: Ledger, wish: Wish, say: Callable[[str], None]
) -> Purged:
    """Purge now, write the report and owe it to whom the config names; return what was done."""
    from repermit.cli.purgereport import publish
    from repermit.purge.run import purge

    done = await purge(
        ledger,
        order_of(runtime, wish),
        await watch_of(runtime),
        sign=runtime.signing.sign,
        tell=say,
    )
    for path in await publish(runtime, ledger):
        say(f"the report is {path.name}")
    return done


async def _confirmed(runtime: Runtime, ledger: Ledger, wish: Wish, *, as_json: bool) -> int:
    """Return how many may go: what a person types, none in a script unless nobody is due."""
    from repermit.cli.purgeplan import read, show_destroyed, show_plan
    from repermit.purge.run import plan

    order = order_of(runtime, wish)
    intended = await plan(ledger, order, await watch_of(runtime))
    if not intended.due:
        return 0
    if as_json or not is_terminal() or intended.refused:
        raise _unconfirmed(intended)
    told = await ledger.read(read, order.terms)
    show_plan(intended, told, runtime, say=tell)
    show_destroyed(told, runtime, say=tell)
    typed = int(typer.prompt("Type the number of recipients to erase", type=int, err=True))
    if typed != intended.due:
        text = f"{counted(intended.due, 'recipient')} are due, and {typed:,} was typed"
        raise PurgeRefused(
            [("at_most", text, None)], due=intended.due, hint="nobody was erased; look again"
        )
    return typed


def _unconfirmed(intended: Plan) -> PurgeRefused:
    text = f"{counted(intended.due, 'recipient')} are due, and nobody said how many may go"
    reasons = [(each.code, each.text, each.until) for each in intended.refused]
    failure = PurgeRefused(
        [*reasons, ("at_most", text, None)],
        due=intended.due,
        hint=f"check `repermit purge --dry-run`, then pass --at-most {intended.due}",
    )
    told = planned(intended)
    failure.done = {name: told[name] for name in ("by_reason", "owed", "held", "warnings")}
    return failure


def planned(intended: Plan) -> dict[str, Any]:
    """Return a plan as `--json` tells it."""
    from repermit.domain.clock import iso

    return {
        "due": intended.due,
        "by_reason": dict(intended.by_reason),
        "owed": intended.owed,
        "held": intended.held,
        "purged": 0,
        "refused": [
            {"code": each.code, "text": each.text, "until": iso(each.until)}
            for each in intended.refused
        ],
        "warnings": list(intended.warnings),
        "readings": dict(intended.readings),
        "traces": 0,
        "report": None,
    }


def done_content(done: Purged) -> dict[str, Any]:
    """Return what a purge did as `--json` tells it; `report` is the whole of it."""
    return {
        "due": done.due,
        "by_reason": dict(done.by_reason),
        "owed": done.owed,
        "held": done.held,
        "purged": done.purged,
        "refused": [],
        "warnings": [],
        "traces": done.traces,
        "report": dict(done.report) or None,
    }


def require_no_trace(content: Mapping[str, Any]) -> None:
    """Raise ProofBroken when something of a purged person can still be read."""
    if not content["traces"]:
        return
    failure = ProofBroken(
        f"{counted(content['traces'], 'trace')} of purged people can still be read",
        hint="the report names the files: remove them, then run `repermit purge` again",
    )
    failure.done = dict(content)
    raise failure


def _quietly(_: str) -> None:
    """Say nothing."""
