"""Operate: where the campaign stands, one person, and the demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import (
    ask_address,
    counted,
    is_terminal,
    run,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.domain.clock import iso
from repermit.errors import PersonUnknown, RepermitError

if TYPE_CHECKING:
    from repermit.ledger.store.campaign import Figures
    from repermit.ledger.store.reading import OnFile, SuppressedOnFile
    from repermit.runtime import Runtime

_PANEL = "Operate"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("status", rich_help_panel=_PANEL)(status)
    app.command("person", rich_help_panel=_PANEL)(person)
    app.command("demo", rich_help_panel=_PANEL)(demo)


def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Show where the campaign stands; the standings, purged and erased add up to admitted."""
    figures = run(read_figures(session_of(context).runtime()))
    content = status_content(figures)
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
        show(f"due from {iso(figures.first_due)} to {iso(figures.last_due)}")
    if stopped := content["stopped"]:
        show(f"stopped since {stopped['since']}: {stopped['why']}")
        show(f"  what to do: {stopped['way_out']}")
    if figures.paused_at:
        show(f"paused since {iso(figures.paused_at)}: `repermit resume` lets it go on")
    if seen := figures.page_seen:
        show(f"answer page: last seen to work at {iso(seen.at)}, {seen.vantage.words}")
    if any(figures.outbox.values()):
        show(f"outbox: {_outbox(figures.outbox)}")
    if figures.to_remove:
        who = counted(figures.to_remove, "yes of somebody erased", "yeses of people erased")
        show(f"{who} must be removed elsewhere: `repermit export --opt-outs` says which")
    show(f"log: {counted(figures.log_size, 'entry', 'entries')}, root {figures.log_root}")


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
        "paused": iso(figures.paused_at),
        "stopped": _stopped(figures),
        "log": {"size": figures.log_size, "root": figures.log_root},
        "outbox": dict(figures.outbox),
        "to_remove": figures.to_remove,
        "page": {
            "seen": iso(figures.page_seen.at) if figures.page_seen else None,
            "vantage": figures.page_seen.vantage if figures.page_seen else None,
        },
    }


def _stopped(figures: Figures) -> dict[str, Any] | None:
    """Return why sending has stopped by itself, since when, and how it goes on."""
    if figures.stopped_for is None:
        return None
    from repermit.dispatch.waves import GO_ON, Objection

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

    async with runtime.ledger() as ledger:
        return await ledger.read(campaign.figures)


def person(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    erase: Annotated[bool, typer.Option("--erase", help="Erase them, on their own wish.")] = False,
) -> None:
    """Show everything on file about one person, or erase them. The address comes from a prompt
    or standard input."""
    runtime = session_of(context).runtime()
    text = ask_address()
    if erase and is_terminal() and not typer.confirm("Erase this person for good?", err=True):
        raise RepermitError("nobody was erased", hint="answer y to erase them")
    content = run(_erase(runtime, text) if erase else _person(runtime, text))
    if as_json:
        show_json(content)
    else:
        _show_person(content)


async def _person(runtime: Runtime, text: str) -> dict[str, Any]:
    from repermit.domain.address import parse
    from repermit.ledger.store import reading

    address = parse(text)
    async with runtime.ledger() as ledger:
        found = await ledger.read(reading.find, address)
        never = await ledger.read(reading.suppressed, address)
    if found is None and never is None:
        raise PersonUnknown
    return {"on_file": _on_file(found), "suppressed": _suppressed(never)}


async def _erase(runtime: Runtime, text: str) -> dict[str, Any]:
    from repermit.domain.address import parse
    from repermit.ledger.store import erasing, reading

    address = parse(text)
    async with runtime.ledger() as ledger:
        found = await ledger.read(reading.find, address)
        if found is None:
            raise PersonUnknown
        erased = await ledger.write(erasing.erase_person, found.id)
        await ledger.checkpoint()
        never = await ledger.read(reading.suppressed, address)
    tell("Erased. Older copies of the ledger can be read until the next purge destroys their key.")
    exported = list(erased.exported) if erased else []
    if exported:
        tell(
            f"An export has carried their yes out, as proof {', '.join(map(str, exported))}: remove"
        )
        tell("that row wherever the file went (GDPR art. 19); `export --opt-outs` lists it, too.")
    return {
        "erased": found.id,
        "exported": exported,
        "on_file": None,
        "suppressed": _suppressed(never),
    }


def _on_file(found: OnFile | None) -> dict[str, Any] | None:
    if found is None:
        return None
    evidence = {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in vars(found.person.evidence).items()
        if value is not None
    }
    return {
        "id": found.id,
        "address": found.person.address.mailbox,
        "standing": str(found.standing),
        "suspect": found.suspect,
        "cell": found.cell,
        "reason": found.reason,
        "language": found.language,
        "evidence": evidence,
        "mailed_at": iso(found.intent_at),
        "settled_at": iso(found.settled_at),
        "relay_said": found.relay_reply,
        "due_at": iso(found.due_at),
        "purposes": list(found.purposes),
        "answers": [
            {**vars(each), "at": iso(each.at), "purposes": list(each.purposes)}
            for each in found.answers
        ],
        "origins": [{**vars(each), "keep_until": iso(each.keep_until)} for each in found.origins],
    }


def _suppressed(never: SuppressedOnFile | None) -> dict[str, Any] | None:
    if never is None:
        return None
    return {"since": iso(never.since), "source": never.source, "reason": never.reason}


def _show_person(content: dict[str, Any]) -> None:
    for name, value in (content["on_file"] or {}).items():
        if name == "answers":
            for answer in value:
                show(f"  {answer['at']}  pressed {answer['button']!r} ({answer['standing']})")
        elif name == "origins":
            for origin in value:
                show(f"  from {origin['network']} {origin['agent']}, until {origin['keep_until']}")
        elif name == "evidence":
            for key, known in value.items():
                show(f"  {key}: {known}")
        elif value not in (None, [], ""):
            show(f"{name}: {value}")
    if content["on_file"] is None:
        show("no row on file")
    if content["suppressed"]:
        show(f"never mailed since {content['suppressed']['since']}: an unreadable code only")


def demo(
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="Where; kept afterwards.")
    ] = None,
) -> None:
    """Show the whole path in a minute, with real parts, on this machine only."""
    try:
        import aiosmtpd  # noqa: F401 - the demonstration's mail catcher
    except ImportError as failure:
        raise RepermitError(
            "the demonstration needs a mail catcher that is not installed",
            hint="install `aiosmtpd` beside repermit, or use `make demo`",
        ) from failure
    from repermit.cli.demo import play

    play(folder)
