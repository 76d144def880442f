"""Operate: where the campaign stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from repermit.cli import aside, returns
from repermit.cli.deadtrial import came, what_to_do
from repermit.cli.elsewhere import state_of
from repermit.cli.session import counted, run, session_of, show, show_json
from repermit.domain.clock import iso
from repermit.domain.deadline import last_day

if TYPE_CHECKING:
    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.store.probing import Sight
    from repermit.runtime import Runtime


def status(
    context: typer.Context,
    places: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Several campaigns: their folders, or configs."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    watching: Annotated[
        bool, typer.Option("--watch", help="On a screen that is drawn anew, until q.")
    ] = False,
) -> None:
    """Show where the campaign stands; the standings, purged and erased add up to admitted. With
    folders: a line for each campaign, and whose turn it is."""
    if watching:
        from repermit.cli.watch import watch

        if places:
            raise typer.BadParameter("--watch shows one campaign: go into its folder")
        watch(session_of(context), as_json=as_json)
        return
    if places:
        from repermit.cli.campaigns import show_campaigns

        show_campaigns(session_of(context), places, as_json=as_json)
        return
    runtime = session_of(context).runtime()
    figures = run(read_figures(runtime))
    content = status_content(figures)
    content["inbound"]["quarantined"] = aside.quarantined(runtime)
    if as_json:
        show_json(content)
        return
    for name, count in content["standings"].items():
        if count:
            show(f"{count:>10,}  {name}")
    for name in ("purged", "erased"):
        if content[name]:
            show(f"{content[name]:>10,}  {name}")
    show(f"{content['admitted']:>10,}  admitted")
    if figures.suspect:
        show(f"{counted(figures.suspect, 'answer')} suspect: a yes and a no at once")
    if figures.first_due and figures.last_due:
        moved = ", moved by an approval" if figures.extended_until else ""
        show(f"{_due(figures.first_due, figures.last_due, runtime.config.campaign.zone)}{moved}")
    if figures.next_release:
        ends = last_day(figures.next_release, zone=runtime.config.campaign.zone)
        held = counted(figures.holds, "recipient")
        show(f"{held} held for a contract or a dispute, the first to the end of {ends}")
    if stopped := content["stopped"]:
        show(f"stopped since {stopped['since']}: {stopped['why']}")
        show(f"  what to do: {stopped['way_out']}")
    if figures.paused_at:
        show(f"paused since {iso(figures.paused_at)}: `repermit resume` lets it go on")
    if page := _page(figures):
        show(f"answer page: {page}")
    if tried := came(figures.bounce_check):
        show(f"bounces: {tried}")
        if do := what_to_do(figures.bounce_check):
            show(f"  what to do: {do}")
    if figures.closed_at:
        show(f"closed since {iso(figures.closed_at)}: nobody is asked any more")
    for line in returns.lines(
        content["inbound"], is_configured=runtime.config.inbound.is_configured
    ):
        show(line)
    if text := aside.line(content["inbound"]["quarantined"]):
        show(text)
    for place in figures.places:
        show(f"elsewhere: {state_of(place)}")
    if done := content["last_purge"]:
        show(f"purge {done['number']}: {done['purged']:,} erased, {_state(done)}")
    if any(figures.outbox.values()):
        show(f"outbox: {_outbox(figures.outbox)}")
    if figures.to_remove:
        who = counted(figures.to_remove, "yes of somebody erased", "yeses of people erased")
        show(f"{who} must be removed elsewhere: `repermit export --opt-outs` says which")
    show(f"log: {counted(figures.log_size, 'entry', 'entries')}, root {figures.log_root}")


def _due(first: datetime, last: datetime, zone: ZoneInfo) -> str:
    """Return the last days to answer."""
    days = [str(last_day(each, zone=zone)) for each in (first, last)]
    return f"last day to answer: {' to '.join(dict.fromkeys(days))}"


def _page(figures: Figures) -> str:
    """Return when the answer page was seen to work, and before it that it did not since."""
    parts = []
    if failed := figures.page_failed:
        when = f"{iso(failed.at)}, seen {failed.vantage.words}"
        parts.append(f"did not work at {when}: {_why(failed)}")
    if seen := figures.page_seen:
        parts.append(f"last seen to work at {iso(seen.at)}, {seen.vantage.words}")
    return "; ".join(parts)


def _why(failed: Sight) -> str:
    from repermit.respond.probe import why_in_general

    return why_in_general(failed.code)


def _outbox(counts: Mapping[str, int]) -> str:
    """Return the figures of the outbox in words, without those that are 0."""
    words = {
        "owed": f"{counted(counts['owed'], 'mail')} owed, which `repermit send` delivers",
        "doubtful": f"{counts['doubtful']:,} doubtful, which `repermit doubt list` shows",
        "failed": f"{counts['failed']:,} failed for good",
    }
    return ", ".join(text for name, text in words.items() if counts[name])


def status_content(figures: Figures) -> dict[str, Any]:
    """Return the figures as `--json` tells them."""
    return {
        "campaign": figures.campaign,
        "standings": dict(figures.standings),
        "purged": figures.purged,
        "erased": figures.erased,
        "admitted": figures.admitted,
        "suspect": figures.suspect,
        "due": {"first": iso(figures.first_due), "last": iso(figures.last_due)},
        "extended": iso(figures.extended_until),
        "holds": {"count": figures.holds, "first_ends": iso(figures.next_release)},
        "paused": iso(figures.paused_at),
        "stopped": _stopped(figures),
        "log": {"size": figures.log_size, "root": figures.log_root},
        "outbox": dict(figures.outbox),
        "to_remove": figures.to_remove,
        "page": {
            "seen": iso(figures.page_seen.at) if figures.page_seen else None,
            "vantage": figures.page_seen.vantage if figures.page_seen else None,
            "failed": iso(figures.page_failed.at) if figures.page_failed else None,
            "why": _why(figures.page_failed) if figures.page_failed else None,
        },
        "closed": iso(figures.closed_at),
        "elsewhere": [place.to_json() for place in figures.places],
        "last_purge": _last_purge(figures),
        "bounce_check": {
            "left": iso(figures.bounce_check.left_at),
            "seen": iso(figures.bounce_check.seen_at),
            "kind": figures.bounce_check.kind,
        },
        "inbound": returns.to_json(figures.returns),
    }


def _last_purge(figures: Figures) -> dict[str, Any] | None:
    """Return the latest purge; it is complete once whoever it erased is removed elsewhere, too."""
    done = figures.last_purge
    if done is None:
        return None
    return {
        "number": done.number,
        "purged": done.purged,
        "finished": iso(done.finished_at),
        "complete": done.finished_at is not None
        and not done.named_nowhere
        and all(each.is_done for each in figures.places),
        "named_nowhere": list(done.named_nowhere),
    }


def _state(done: Mapping[str, Any]) -> str:
    if done["complete"]:
        return "complete"
    if done["named_nowhere"]:
        names = ", ".join(done["named_nowhere"])
        return f"not complete: no hand-over before it named its people to {names}"
    if done["finished"]:
        return "not complete: the places elsewhere are not all done"
    return "cut off: `repermit purge` finishes it"


def _stopped(figures: Figures) -> dict[str, Any] | None:
    """Return why sending has stopped by itself, since when, and how it goes on."""
    if figures.stopped_for is None:
        return None
    from repermit.dispatch.objection import GO_ON, Objection

    objection = Objection(**figures.stopped_for)
    return {
        "code": objection.code,
        "why": str(objection),
        "since": iso(figures.stopped_at),
        "way_out": f"{objection.hint}; {GO_ON}",
    }


async def read_figures(runtime: Runtime) -> Figures:
    """Return where the campaign stands."""
    from repermit.ledger.store import campaign

    async with runtime.ledger(acts=False) as ledger:
        return await ledger.read(campaign.figures)
