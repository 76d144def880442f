"""Shows what a purge would do, and what one did, in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from repermit.cli.session import counted, show, tell
from repermit.domain.deadline import last_day

if TYPE_CHECKING:
    from repermit.ledger.store.due import Terms
    from repermit.ledger.transaction import Transaction
    from repermit.purge.plan import Plan
    from repermit.runtime import Runtime

Say = Callable[[str], None]
_WHY = {
    "silent": "asked, and said nothing by the last day in their mail",
    "doubtful": "may have been asked, and said nothing by that day",
    "opted_out": "said no",
    "withdrawn": "said yes and later no; the proof of that yes is not needed any more",
    "undeliverable": "could not be reached",
    "withheld": "may not be asked",
    "never_sent": "no mail has left",
}
_BEYOND = {  # what no purge can reach, and how to deal with it
    "original_list": "the original list: destroy it once you have handed over"
    " (`repermit handover DIR`)",
    "relay_log": "the relay's log: ask who runs the relay how long it keeps addresses",
    "disk_snapshots": "snapshots and backups of machine and disk: let those from before now expire",
    "old_sectors": "old sectors of the disk: destroy it, or the key it is encrypted with, one day",
    "running_processes": "processes that were running: start `serve` anew, so that it forgets",
}


@dataclass(frozen=True)
class Told:
    """What is told of a purge besides its plan: the first and the last date of those who are due,
    by reason; the vault keys that would go; how many files with addresses that were written earlier
    are still there, but for those that name who must be removed elsewhere."""

    dates: Mapping[str, tuple[datetime, datetime]]
    generation: int
    files: int


def read(tx: Transaction, terms: Terms) -> Told:
    """Return what is told, all of one moment."""
    from repermit.ledger.store import purges, written

    noted = (each for each in written.files(tx) if each.kind != written.REMOVAL)
    there = sum(os.path.lexists(each.path) for each in noted)
    return Told(purges.printed(tx, terms), purges.generation(tx), there)


def show_plan(intended: Plan, told: Told, runtime: Runtime, *, say: Say = show) -> None:
    """Show who is due and why, who is held back, and everything that stands against it."""
    zone = runtime.config.campaign.zone
    if intended.resumes:
        say("A purge was cut off: `repermit purge` finishes it first, without asking.")
    _show_due(intended.due, intended.by_reason, say)
    for name, count in intended.by_reason.items():
        day = _days(told.dates[name], zone) if name in told.dates else ""
        say(f"{count:>10,}  {name}: {_WHY[name]}{day}")
    _show_kept(intended.owed, intended.held, say)
    if intended.due and told.files:
        files = counted(told.files, "file")
        say(f"still there, of what was written earlier: {files}. Delete what is not needed, as")
        say("  those who go now may stand in them. The purge looks, and ends with 1 if they do.")
    show_against(intended, runtime, say=say)
    if say is show:
        say("nobody was erased")


def show_against(intended: Plan, runtime: Runtime, *, say: Say) -> None:
    """Show what to think of, and every reason against it with the date from which it will work."""
    zone = runtime.config.campaign.zone
    for warning in intended.warnings:
        say(f"take note: {warning}")
    for each in intended.postponed:
        day, codes = last_day(each.seen.window.end, zone=zone), ", ".join(w.code for w in each.why)
        people = counted(each.people, "recipient")
        say(f"put off [{codes}]: {people} of {day}, until {_moment(each.seen.goes, zone)}")
    for refusal in intended.refused:
        until = f"; it will work from {_moment(refusal.until, zone)}" if refusal.until else ""
        say(f"refused [{refusal.code}]: {refusal.text}{until}")


def show_destroyed(told: Told, runtime: Runtime, *, say: Say) -> None:
    """Show what goes for good and what stays."""
    days = runtime.config.purge.ask_again_days
    say("What goes: their rows, their answers, what the log says of each of them; then the keys of")
    say(
        f"  generation {told.generation}, without which no older copy of the ledger yields anybody."
    )
    say("What stays: everybody else, under new keys; the counts; of each address a code that only")
    say(f"  keys/keep can compare: of a no for good, of silence for {days:,} days, so that nobody")
    say("  is asked twice.")


def show_done(content: Mapping[str, Any]) -> None:
    """Show what a purge did, and what lies outside its reach."""
    _show_due(content["due"], content["by_reason"], show)
    _show_kept(content["owed"], content["held"], show)
    show(f"{counted(content['purged'], 'recipient')} erased; traces left: {content['traces']}")
    report = content["report"]
    if not content["due"]:
        return
    if report and report["saved"]:
        tell(f"{counted(report['saved'], 'recipient')} answered meanwhile, and stayed.")
    tell("Out of reach of any purge; deal with them now:")
    for name in report["beyond"] if report else _BEYOND:
        tell(f"  {_BEYOND.get(name, name.replace('_', ' '))}")
    for name, count in report["scan"]["removal"] if report else ():
        tell(f"  {name} names {count:,} of them for other places: delete it when those are clean")
    for place in report["places"] if report else ():
        if not place["done"]:
            tell(f"  {place['name']}: not cleaned yet; `repermit handover DIR` says of whom")


def _show_due(due: int, by_reason: Mapping[str, int], say: Say) -> None:
    reasons = ", ".join(f"{count:,} {name}" for name, count in by_reason.items())
    say(f"{counted(due, 'recipient')} due{f': {reasons}' if reasons else ''}")


def _show_kept(owed: int, held: int, say: Say) -> None:
    if owed:
        text = f"{counted(owed, 'recipient')} held back: a mail is still owed to them"
        say(f"{text}, which `repermit send` delivers")
    if held:
        text = f"{counted(held, 'recipient')} held back by a hold (a contract, a dispute)"
        say(f"{text}: `repermit person` shows until when")


def _days(dates: tuple[datetime, datetime], zone: ZoneInfo) -> str:
    days = dict.fromkeys(str(last_day(each, zone=zone)) for each in dates)
    return f" ({' to '.join(days)})"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
