"""What `repermit` says without a command: where the campaign stands and what comes next."""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from typing import TYPE_CHECKING

from repermit.cli.session import Session, counted, plain, run, show, show_json, tell
from repermit.domain.deadline import last_day
from repermit.domain.situation import Situation
from repermit.domain.step import Step, next_step

if TYPE_CHECKING:
    from repermit.cli.glance import Glance


def show_next(session: Session, *, is_named: bool, as_json: bool) -> None:
    """Show where the campaign stands, and the one command that comes next; where *is_named* says
    that somebody has named a config, it must be there.

    Raises: ConfigInvalid; what `situation.glance` raises.
    """
    if not is_named and not session.config.exists():
        _show_none(session, as_json=as_json)
        return
    from repermit.cli.glance import facts
    from repermit.cli.situation import campaign_at, glance

    runtime = campaign_at(session.config, session.clock, tell=tell)
    found = run(glance(runtime))
    if as_json:
        show_json(facts(found))
        return
    for line in _lines(found):
        show(plain(line))
    for line in step_lines(found.step, runtime.config.campaign.zone):
        show(plain(line))


def _show_none(session: Session, *, as_json: bool) -> None:
    step = next_step(Situation(session.clock.now(), has_config=False))
    if as_json:
        from repermit.cli.glance import step_facts

        show_json({"campaign": None, "name": None, "stands": step.stands, "next": step_facts(step)})
        return
    show("No campaign stands in this folder.")
    for line in step_lines(step, None):
        show(line)
    show("`repermit --help` lists every command.")


def _lines(found: Glance) -> list[str]:
    """Return where the campaign stands."""
    now, counts = found.situation, found.counts
    lines = [f"{found.name}: {found.step.stands}"]
    people = {"to be asked": now.to_ask, "withheld": now.withheld}
    told = [f"{count:,} {words}" for words, count in people.items() if count]
    if counts.asked:
        told.append(
            f"{counts.asked:,} asked: {counts.yes:,} yes, {counts.no:,} no,"
            f" {counts.silent:,} silent"
        )
    if found.figures and found.figures.purged:
        told.append(f"{found.figures.purged:,} erased")
    lines += [f"  {'; '.join(told)}"] if told else []
    if now.open and now.first_due:
        day = last_day(now.first_due, zone=found.runtime.config.campaign.zone)
        lines.append(f"  {counted(now.open, 'person', 'people')} can answer, the first until {day}")
    if found.faults:
        lines.append(f"  wrong: {', '.join(each.short for each in found.faults)}")
    return lines


def step_lines(step: Step, zone: tzinfo | None) -> list[str]:
    """Return the step in words."""
    start = f", from {when(step.after, zone)} on" if step.after else ""
    lines = [f"Next{start}: `{step.command}`", f"  why: {step.why}"]
    if step.first:
        lines.append(f"  before it: {step.first}")
    if step.then:
        lines.append(f"  after it: `{step.then}`")
    if step.meanwhile:
        lines.append(f"  meanwhile: {', '.join(f'`{each}`' for each in step.meanwhile)}")
    return lines


def when(moment: datetime, zone: tzinfo | None) -> str:
    """Return *moment* as a day, or with the time of the day where that counts."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d}" if local.time() == time() else f"{local:%Y-%m-%d %H:%M}"
