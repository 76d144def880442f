"""Operate: the keys that sign the links in the mails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import asking, counted, is_terminal, run, session_of, show, tell
from repermit.errors import LinksKept

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.linkkeys import Change
    from repermit.ledger.log import Kind
    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.store.token_keys import LinksOut
    from repermit.runtime import Runtime

_AGAIN = "Copy keys/keep to your two safe places again, in the place of the copies there."


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    family = typer.Typer(no_args_is_help=True, help="Change the keys that sign the links.")
    family.callback()(_family)
    family.command("rotate")(rotate)
    family.command("revoke-links")(revoke_links)
    app.add_typer(family, name="keys", rich_help_panel="Operate")


def _family() -> None:
    """Change the keys that sign the links."""


def rotate(context: typer.Context) -> None:
    """Sign the links of new mails with a new key. Links that are out work as before."""
    runtime = session_of(context).runtime()
    change, others = run(_rotate(runtime))
    show(f"new links are signed with key {change.new}; links that are out work as before")
    tell(_AGAIN)
    tell("  Without the new key nobody can answer a mail that leaves from now on.")
    tell("`serve` and `run` on this machine take it over by themselves.")
    _tell_machines(others)


def revoke_links(
    context: typer.Context,
    at_most: Annotated[
        int | None, typer.Option(min=0, help="Let the links of at most so many recipients die.")
    ] = None,
) -> None:
    """After a leak: let every link that is out work no more, and sign new ones with a new key."""
    runtime = session_of(context).runtime()
    change, out, others = run(_revoke(runtime, at_most))
    show(f"revoked: no link works any more that was made before; new key {change.new}")
    tell(_AGAIN)
    tell("  The copies that are there now hold keys that are worth nothing, and are refused.")
    tell("`serve` and `run` on this machine take the new key over by themselves.")
    _tell_machines(others)
    if out.waiting:
        people = counted(out.waiting, "recipient")
        tell(
            f"{people} cannot answer by their link: ask them in another way, or in a new campaign."
        )
    tell("Give a monitor its new link (`repermit probe --link`), and export again what was.")
    tell("What is paused goes on with `repermit resume`.")


async def _rotate(runtime: Runtime) -> tuple[Change, list[str]]:
    from repermit.ledger.log import Kind

    async with runtime.ledger(acts=False) as ledger:
        change = await _finished(runtime, ledger, Kind.ROTATED)
        change = change or await _changed(runtime, ledger, Kind.ROTATED)
        return change, await _others(ledger)


async def _revoke(runtime: Runtime, at_most: int | None) -> tuple[Change, LinksOut, list[str]]:
    """Revoke every link that is out, once it was said how many.

    Raises: LinksKept. Crash: the links are dead, or not; the same command finishes it.
    """
    from repermit.dispatch.recover import recover
    from repermit.ledger.log import Kind
    from repermit.ledger.store import campaign, token_keys

    async with runtime.ledger(acts=False) as ledger:
        await recover(ledger)  # what a sender that is gone had in hand is not leaving any more
        out = await ledger.read(token_keys.links_out)
        change = await _finished(runtime, ledger, Kind.REVOKED)
        if change is None:
            _require_pause(await ledger.read(campaign.figures))
            for line in _meant(out):
                tell(line)
            _require_number(out.people, at_most)
            change = await _changed(runtime, ledger, Kind.REVOKED)
        return change, out, await _others(ledger)


async def _finished(runtime: Runtime, ledger: Ledger, kind: Kind) -> Change | None:
    """Put on record a change that was cut off; return it if it is of that kind."""
    from repermit.ledger import linkkeys
    from repermit.ledger.log import Kind

    left = linkkeys.unlogged(runtime.keys)
    if left is None:
        return None
    await runtime.log_change_of_keys(ledger)
    name = "rotate" if left.kind is Kind.ROTATED else "revoke-links"
    tell(f"An earlier `keys {name}` that was cut off is finished.")
    return left if left.kind is kind else None


async def _changed(runtime: Runtime, ledger: Ledger, kind: Kind) -> Change:
    """Change the keys, in the folder first: until the log has it, the folder says that it lacks
    it."""
    from repermit.ledger import linkkeys

    change = await asyncio.to_thread(linkkeys.change, runtime.config.keys_dir, kind)
    await runtime.log_change_of_keys(ledger)
    return change


async def _others(ledger: Ledger) -> list[str]:
    from repermit.ledger.store import machines
    from repermit.machine import name

    return [
        each.machine.name
        for each in await ledger.read(machines.known)
        if each.machine.name != name()
    ]


def _tell_machines(others: list[str]) -> None:
    if others:
        tell(
            f"Give {', '.join(others)} the same keys/keep, now: within a minute what starts there,"
        )
        tell("  or here beside it, is refused until they have it, and it cannot read new links.")


def _require_pause(figures: Figures) -> None:
    """Refuse while a mail could leave with a link that dies. Raises: LinksKept."""
    standings = figures.standings
    if standings["claimed"]:
        raise LinksKept(
            f"{counted(standings['claimed'], 'mail is', 'mails are')} just leaving, with a link"
            " that would die",
            hint="`repermit pause`, wait for the end of `send`, then run the same command again",
        )
    waiting = standings["listed"] + standings["deferred"]
    if waiting and figures.paused_at is None and figures.closed_at is None:
        raise LinksKept(
            f"{counted(waiting, 'mail')} may leave at any time, with a link that would die",
            hint="`repermit pause`, then run the same command again",
        )


def _meant(out: LinksOut) -> Iterator[str]:
    """Yield what revoking does, to how many."""
    yield f"The links in the mails of {counted(out.people, 'recipient')} stop working, for good:"
    yield f"  {out.waiting:,} have not answered and still have time; by their link they cannot any"
    yield "    more, so `repermit purge` refuses to take their silence for a no"
    yield f"  {out.agreed:,} said yes, and cannot withdraw it by their link any more"
    yield "With them go the links in exports, and that of a monitor. Whoever writes is still heard."


def _require_number(people: int, at_most: int | None) -> None:
    """Require that somebody knows how many links die. Raises: LinksKept."""
    hint = f"nothing was changed; look again, then type {people}, or pass --at-most {people}"
    links = counted(people, "recipient has", "recipients have")
    if at_most is None and people and not is_terminal():
        raise LinksKept(f"{links} a link that dies, and nobody said how many may", hint=hint)
    if at_most is None and people:
        with asking("no link was revoked"):
            typed = int(typer.prompt("Type the number of recipients", type=int, err=True))
        if typed != people:
            raise LinksKept(f"{links} a link that dies, and {typed:,} was typed", hint=hint)
    if at_most is not None and people > at_most:
        raise LinksKept(f"{links} a link that dies, but at most {at_most} may", hint=hint)
