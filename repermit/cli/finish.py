"""Finish: the purge."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import counted, is_terminal, run, session_of, show, show_json, tell
from repermit.errors import ProofBroken, PurgeRefused

if TYPE_CHECKING:
    from repermit.purge.guard import Watch
    from repermit.purge.plan import Order, Plan
    from repermit.runtime import Runtime


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("purge", rich_help_panel="Finish")(purge)


def purge(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who is due.")] = False,
    at_most: Annotated[int | None, typer.Option(min=0, help="Erase at most so many.")] = None,
    by: Annotated[str, typer.Option(help="Who does it, for the log.")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Erase who said no or nothing by the date in their mail; refuses when that would be wrong."""
    runtime = session_of(context).runtime()
    if dry_run:
        content = run(planned_purge(runtime, at_most))
    else:
        content = run(_purge(runtime, at_most, by or _operator(), as_json=as_json))
    if not as_json:
        _show_purge(content, dry_run=dry_run)
    if content["traces"]:
        failure = ProofBroken(
            f"{counted(content['traces'], 'trace')} of purged people can still be read",
            hint="keep the key folder closed and report this",
        )
        failure.done = content
        raise failure
    if as_json:
        show_json(content)


async def planned_purge(runtime: Runtime, at_most: int | None) -> dict[str, Any]:
    """Return what a purge would do now, and what stands against it, as `--json` tells it."""
    from repermit.purge.run import plan

    async with runtime.ledger() as ledger:
        return _planned(await plan(ledger, _order(runtime, "", at_most), _watch(runtime)))


async def _purge(
    runtime: Runtime, at_most: int | None, by: str, *, as_json: bool
) -> dict[str, Any]:
    from repermit.dispatch.recover import recover, recover_owed
    from repermit.ledger.store import elsewhere, originals
    from repermit.purge.run import plan
    from repermit.purge.run import purge as purge_now

    async with runtime.ledger() as ledger:
        untold = await ledger.read(elsewhere.untold)
        await recover(ledger)
        await recover_owed(ledger)
        if at_most is None:
            at_most = _confirmed(await plan(ledger, _order(runtime, by, None), _watch(runtime)))
        order = _order(runtime, by, at_most)
        done = await purge_now(
            ledger,
            order,
            _watch(runtime),
            sign=runtime.signing.sign,
            tell=_quietly if as_json else tell,
        )
        untold = await ledger.read(elsewhere.untold) - untold
        lists = await ledger.read(originals.count_left)
    if untold and not as_json:
        gone = counted(untold, "yes", "yeses")
        tell(f"{gone} of people who are erased now stood in an export, and no later one said stop.")
        tell("  what to do: `repermit export --opt-outs` says which to remove elsewhere")
    if lists and not as_json:
        left = counted(lists, "original list")
        tell(f"{left} may still lie there: `repermit handover --destroy LIST` overwrites it.")
    return {
        "due": done.due,
        "by_reason": dict(done.by_reason),
        "owed": done.owed,
        "held": done.held,
        "purged": done.purged,
        "refused": [],
        "traces": done.traces,
    }


def _order(runtime: Runtime, by: str, at_most: int | None) -> Order:
    from datetime import timedelta

    from repermit.domain.due import BY_DATE
    from repermit.ledger.store.due import Terms
    from repermit.purge.plan import Order

    terms = Terms(
        moment=runtime.clock.now(),
        reasons=BY_DATE,
        window=timedelta(days=runtime.config.campaign.answer_days + 1),
        proof=timedelta(days=runtime.config.purge.proof_days),
        ask_again=timedelta(days=runtime.config.purge.ask_again_days),
    )
    return Order(terms, by=by, at_most=at_most)


def _watch(runtime: Runtime) -> Watch:
    from datetime import timedelta

    from repermit.purge.guard import Watch

    said = runtime.config.purge
    return Watch(
        said.outage_percent,
        timedelta(hours=said.last_hours),
        token_keys=runtime.tokens.fingerprints,
        notice=timedelta(days=said.notice_days),
        zone=runtime.config.campaign.zone,
    )


def _operator() -> str:
    """Return the name of the account that runs this, or its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _confirmed(intended: Plan) -> int:
    """Return how many may go: what a person types, none in a script unless nobody is due."""
    if not intended.due or intended.resumes:
        return intended.due
    if not is_terminal() or intended.refused:
        text = f"{counted(intended.due, 'recipient')} are due, and nobody said how many may go"
        reasons = [(each.code, each.text, each.until) for each in intended.refused]
        raise PurgeRefused(
            [*reasons, ("at_most", text, None)],
            due=intended.due,
            hint=f"check `repermit purge --dry-run`, then pass --at-most {intended.due}",
        )
    _show_purge(_planned(intended), dry_run=True)
    return int(typer.prompt("Type the number of recipients to erase", type=int, err=True))


def _planned(intended: Plan) -> dict[str, Any]:
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
        "traces": 0,
    }


def _show_purge(content: dict[str, Any], *, dry_run: bool) -> None:
    reasons = ", ".join(f"{count:,} {name}" for name, count in content["by_reason"].items())
    show(f"{counted(content['due'], 'recipient')} due{f': {reasons}' if reasons else ''}")
    if content["owed"]:
        owed = f"{counted(content['owed'], 'recipient')} held back: a mail is still owed to them"
        show(f"{owed}, which `repermit send` delivers")
    for refusal in content["refused"]:
        until = f" (until {refusal['until']})" if refusal["until"] else ""
        show(f"refused [{refusal['code']}]: {refusal['text']}{until}")
    if dry_run:
        show("nobody was erased")
        return
    show(f"{counted(content['purged'], 'recipient')} erased; traces left: {content['traces']}")
    tell("Out of reach: the original list, the relay's log, disk snapshots. See docs/concepts.md.")


def _quietly(_: str) -> None:
    """Say nothing."""
