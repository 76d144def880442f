"""Finish: who may be mailed and who must be removed, for whoever goes on; then the old list."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.elsewhere import state_of
from repermit.cli.handing import link_of, tell_of_links
from repermit.cli.said import day_of, without_address
from repermit.cli.session import asking, counted, is_terminal, run, session_of, show, tell
from repermit.domain.deadline import last_day
from repermit.errors import ListKept

if TYPE_CHECKING:
    from repermit.ledger.store.places import Place
    from repermit.report.handover import Counts
    from repermit.report.original import Original
    from repermit.runtime import Runtime

_WHY = {  # as must-be-removed.csv says it
    "opted_out": "said no",
    "silent": "said nothing by their date",
    "doubtful": "said nothing, and may have had no mail",
    "undeliverable": "could not be reached",
    "agrees_no_more": "agree no more to what an earlier export has",
    "erased": "erased, by proof alone",
}


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("handover", rich_help_panel="Finish")(handover)


def handover(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A new folder; only you may open it.")
    ] = None,
    done: Annotated[
        str, typer.Option(metavar="PLACE", help="Note that a place elsewhere is cleaned.")
    ] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="With --done: who did it.")] = "",
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="With --done: when; today unless said.")
    ] = None,
    destroy: Annotated[
        Path | None,
        typer.Option(metavar="LIST", help="Then overwrite and remove this original list."),
    ] = None,
) -> None:
    """Write what whoever goes on needs: yes, needs no question, must be removed elsewhere."""
    if done and (folder or destroy or not by.strip()):
        raise typer.BadParameter("--done PLACE wants --by NAME, and neither DIR nor --destroy")
    if not done and (by or on):
        raise typer.BadParameter("--by and --on go with --done PLACE")
    if not (done or folder or destroy):
        raise typer.BadParameter("name a new folder, or --done PLACE")
    without_address(by)
    runtime = session_of(context).runtime()
    if done:
        _note_done(runtime, done, by.strip(), day_of(on))
        return
    if folder is not None:
        counts = run(_handover(runtime, folder))
        show(
            f"{counted(counts.total, 'address', 'addresses')} written, in three files with a README"
        )
        tell_of_links(runtime)
        for place in counts.places:
            tell(f"To be cleaned by must-be-removed.csv: {place.name}")
        if destroy is None and counts.waiting == 0 and is_terminal():
            destroy = _asked_list()
            if destroy is not None:
                _destroy(runtime, destroy, asks=True)
            return
    if destroy is not None:
        _destroy(runtime, destroy, asks=False)


async def _handover(runtime: Runtime, folder: Path) -> Counts:
    from repermit.report.handover import Reader, handover

    config = runtime.config
    reader = Reader(
        runtime.templates,
        config.campaign.default_language,
        {"controller": config.controller.name, "day": runtime.today().isoformat()},
        config.campaign.zone,
    )

    def tell_counts(counts: Counts) -> None:
        _tell_counts(runtime, counts)

    async with runtime.ledger() as ledger:
        link = link_of(runtime)
        return await handover(ledger, folder, reader=reader, link=link, tell=tell_counts)


def _tell_counts(runtime: Runtime, counts: Counts) -> None:
    for name, count in counts.files().items():
        tell(f"{name}: {counted(count, 'row')}")
    for why, count in counts.removed.items():
        tell(f"  {count:,} {_WHY[why]}")
    if counts.last is None:
        return
    last = last_day(counts.last, zone=runtime.config.campaign.zone)
    if set(counts.removed) <= {"opted_out", "agrees_no_more", "erased"}:
        tell("Nobody is past their date yet, so nobody stands there for having said nothing.")
    who = counted(counts.waiting, "person", "people")
    tell(f"{who} can answer until {last} at the latest: hand over again then, before the purge.")
    tell("Keep the original list until that is done.")


def _note_done(runtime: Runtime, name: str, by: str, on: date | None) -> None:
    """Note that a place is cleaned. Raises: PlaceUnknown, BadParameter."""
    day = on or runtime.today()
    if day > runtime.today():
        raise typer.BadParameter("--on is a day that has not come yet")
    if day < run(_named_on(runtime, name)):
        raise typer.BadParameter("--on is a day on which that place was not named yet")
    for place in run(_done(runtime, name, by, day)):
        show(state_of(place))


async def _named_on(runtime: Runtime, name: str) -> date:
    """Return the day on which a place was named; the first of all where there is none."""
    from repermit.ledger.store import places

    async with runtime.ledger(acts=False) as ledger:
        known = await ledger.read(places.places)
    zone = runtime.config.campaign.zone
    days = {each.name: each.named_at.astimezone(zone).date() for each in known}
    return days.get(name, date.min)


async def _done(runtime: Runtime, name: str, by: str, on: date) -> tuple[Place, ...]:
    from repermit.ledger.store import places

    async with runtime.ledger() as ledger:
        await ledger.write(places.note_done, name, by=by, on=on)
        return await ledger.read(places.places)


def _asked_list() -> Path | None:
    """Return the list that may be destroyed, as it is typed; None: it is kept. Nobody is asked
    while people can answer: who they will be is still to be handed over."""
    tell("Everybody is handed over: the original list can go now. It is the copy that a purge")
    tell("cannot reach.")
    with asking("everything is handed over, and the original list is kept"):
        said = typer.prompt(
            "Its path, to destroy it (empty: keep it)", default="", show_default=False, err=True
        )
    return Path(said.strip()).expanduser() if said.strip() else None


def _destroy(runtime: Runtime, path: Path, *, asks: bool) -> None:
    """Destroy an original list for good. Raises: ListKept."""
    original = run(_look(runtime, path))
    tell(
        f"{original.name}: {original.size:,} bytes, {counted(original.of.rows, 'row')},"
        f" import {original.of.id}"
    )
    if asks:
        with asking("the original list is kept"):
            typed = typer.prompt("Type its name to destroy it for good", err=True)
        if typed.strip() not in (path.name, original.name):
            raise ListKept("the original list is kept: that is not its name", hint="try again")
    left = run(_destroyed(runtime, original))
    show(f"{original.name} is overwritten and removed")
    tell("Out of reach: copies elsewhere, backups and snapshots of that disk, sectors that a disk")
    tell("writes anew elsewhere (every SSD).")
    if left:
        tell(f"{counted(left, 'other list')} of this campaign may still lie somewhere.")


async def _look(runtime: Runtime, path: Path) -> Original:
    from repermit.report.original import look

    async with runtime.ledger(acts=False) as ledger:
        return await look(ledger, path)


async def _destroyed(runtime: Runtime, original: Original) -> int:
    from repermit.ledger.store import originals
    from repermit.report.original import destroy

    async with runtime.ledger() as ledger:
        await destroy(ledger, original)
        return await ledger.read(originals.count_left)
