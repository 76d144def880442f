"""Shows what a purge would do, and what one did, in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from repermit.cli.purgecontent import moment_of, when
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
    "contract_ended": "everybody who is left, as the client's contract has ended; who was never"
    " asked stands in no file of the hand-over: give the client the original list, or tell them",
}
_BEYOND = {  # what no purge can reach, and how to deal with it
    "original_list": "the original list: destroy it once you have handed over"
    " (`repermit handover DIR`)",
    "relay_log": "the relay's log: ask who runs the relay how long it keeps addresses",
    "disk_snapshots": "snapshots and backups of machine and disk: let those from before now expire",
    "old_sectors": "old sectors of the disk: destroy it, or the key it is encrypted with, one day",
    "running_processes": "processes that were running: start `serve` anew, so that it forgets",
    "database_server": "the server of the database: rows deleted, VACUUM, generation destroyed; let"
    " what it keeps besides (write-ahead log, replicas, base backups) from before now expire: only"
    " the destroyed keys reach it",
    "maildir": "the maildir of [inbound]: let `repermit inbound` take out what is theirs",
    "imap_folders": "the mailbox of [inbound], with repermit-handled and repermit-quarantine: empty"
    " those two, and let copies that the server keeps expire",
}


@dataclass(frozen=True)
class Told:
    """What is told of a purge besides its plan: the first and the last date of those who are due,
    by reason; before when nobody falls due, whatever their mail says; the vault keys that would go;
    how many files with addresses that were written earlier are still there, but for those that name
    who must be removed elsewhere; whether everybody goes, because a client's contract has ended."""

    dates: Mapping[str, tuple[datetime, datetime]]
    extended: datetime | None
    generation: int
    files: int
    ends_contract: bool


def read(tx: Transaction, terms: Terms) -> Told:
    """Return what is told, all of one moment."""
    from repermit.domain.due import BY_CONTRACT
    from repermit.ledger.store import extending, purges, written

    noted = (each for each in written.files(tx) if each.kind != written.REMOVAL)
    there = sum(os.path.lexists(each.path) for each in noted)
    extended = extending.extended_until(tx)
    ends = tuple(terms.reasons) == BY_CONTRACT
    return Told(purges.printed(tx, terms), extended, purges.generation(tx), there, ends)


def show_plan(intended: Plan, told: Told, runtime: Runtime, *, say: Say = show) -> None:
    """Show who is due and why, who is held back, and everything that stands against it."""
    zone = runtime.config.campaign.zone
    if intended.resumes:
        say("A purge was cut off: `repermit purge` finishes it first, without asking.")
    _show_due(intended.due, intended.by_reason, say)
    for name, count in intended.by_reason.items():
        day = _days(told.dates[name], told.extended, zone) if name in told.dates else ""
        say(f"{count:>10,}  {name}: {_WHY[name]}{day}")
    _show_kept(intended.owed, intended.held, say)
    if intended.lapsing:
        say(f"{codes(intended.lapsing)} would be forgotten")
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
        until = moment_of(each.seen.goes, zone)
        say(f"put off [{codes}]: {people} of {day}, until {until} at least")
    for refusal in intended.refused:
        say(f"refused [{refusal.code}]: {refusal.text}{when(refusal, zone)}")


def show_destroyed(told: Told, runtime: Runtime, *, say: Say) -> None:
    """Show what goes for good and what stays."""
    days = runtime.config.purge.ask_again_days
    say("What goes: their rows, their answers, what the log says of each of them; then the keys of")
    say(
        f"  generation {told.generation}, without which no older copy of the ledger yields anybody."
    )
    stays = "whoever has spoken since the hand-over" if told.ends_contract else "everybody else"
    say(f"What stays: {stays}, under new keys; the counts; of each address a code that only")
    say(f"  keys/keep can compare: of a no for good, of silence for {days:,} days, so that nobody")
    say("  is asked twice.")


def show_done(content: Mapping[str, Any]) -> None:
    """Show what a purge did, and what lies outside its reach."""
    from repermit.purge.report import BEYOND

    _show_due(content["due"], content["by_reason"], show)
    _show_kept(content["owed"], content["held"], show)
    show(f"{counted(content['purged'], 'recipient')} erased; traces left: {content['traces']}")
    if content["lapsed"]:
        show(forgotten(content["lapsed"]))
    report = content["report"]
    if not content["due"]:
        return
    if report and report["saved"]:
        tell(f"{counted(report['saved'], 'recipient')} answered meanwhile, and stayed.")
    tell("Out of reach of any purge; deal with them now:")
    for name in report["beyond"] if report else BEYOND:
        tell(f"  {_BEYOND.get(name, name.replace('_', ' '))}")
    if report:
        _tell_of_places(report)


def tell_machines(report: Mapping[str, Any], say: Say) -> None:
    """Tell which machines may still hold the old keys, if there are any."""
    if behind := report.get("machines"):
        say(f"These machines may still hold the old keys: {', '.join(behind)}.")
        say("  what to do: start anew what runs there, with the keys of now, and it destroys the")
        say("  old ones; of a machine that is not used any more, delete the key folder")


def _tell_of_places(report: Mapping[str, Any]) -> None:
    """Tell which places are not cleaned, and which files say of whom."""
    files = report["scan"]["removal"]
    left = [place for place in report["places"] if not place["done"]]
    named = [place["name"] for place in left if place["named"]]
    for name, count in files:
        what = f"delete it once {' and '.join(named)} is clean" if named else "delete it now"
        who = counted(count, "person", "people")  # of every purge so far
        tell(f"  {name} names {who} erased by now, for other places: {what}")
    for place in left:
        how = f"then `repermit handover --done {quote(place['name'])} --by NAME`"
        if place["named"]:
            tell(f"  {place['name']}: not cleaned yet; clean it by the last hand-over, {how}")
        else:
            tell(f"  {place['name']}: no hand-over before this purge named them")


def codes(count: int) -> str:
    """Return what lapses: so many codes of people who may be asked again."""
    return f"{counted(count, 'code')} of people who were asked long ago"


def forgotten(count: int) -> str:
    """Return that so many codes have lapsed."""
    return f"{codes(count)} {'is' if count == 1 else 'are'} forgotten"


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


def _days(dates: tuple[datetime, datetime], extended: datetime | None, zone: ZoneInfo) -> str:
    days = " to ".join(dict.fromkeys(str(last_day(each, zone=zone)) for each in dates))
    if extended is not None and extended > dates[0]:
        days += f"; extended to {last_day(extended, zone=zone)}"
    return f" ({days})"
