"""Operate: one person, and the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import (
    ask_address,
    is_terminal,
    run,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.cli.status import status
from repermit.domain.clock import iso
from repermit.errors import PersonUnknown, RepermitError

if TYPE_CHECKING:
    from repermit.ledger.store.reading import OnFile, SuppressedOnFile
    from repermit.runtime import Runtime

_PANEL = "Operate"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("status", rich_help_panel=_PANEL)(status)
    app.command("person", rich_help_panel=_PANEL)(person)
    app.command("demo", rich_help_panel=_PANEL)(demo)


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
