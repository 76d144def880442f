"""Finish: close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from repermit.cli.said import without_address
from repermit.cli.session import quietly, run, session_of, show, show_json, tell
from repermit.domain.due import BY_CLOSE

_KEPT_OPEN = "Withdrawals go on: keep `repermit serve` up as long as a yes is mailed for."


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("close", rich_help_panel="Finish")(close)


def close(
    context: typer.Context,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who ends it, for the log.")],
    erase: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS=N", help="Erase these N: withheld=123, never_sent=4."),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(metavar="CLASS", help="Keep these: withheld, never_sent.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """End the campaign: decide on who is left, ask nobody any more, leave the evidence."""
    from repermit.cli.ending import Decisions, close_campaign

    decisions = Decisions(_numbers(erase or ()), frozenset(map(_class, keep or ())))
    if decisions.keep & decisions.erase.keys():
        raise typer.BadParameter("a class is either erased or kept")
    if not by.strip():
        raise typer.BadParameter("--by wants the name of who ends it")
    without_address(by)
    runtime = session_of(context).runtime()
    say = quietly if as_json else tell
    content = run(close_campaign(runtime, by.strip(), decisions, say))
    if as_json:
        show_json(content)
    else:
        _show(content)


def _numbers(texts: Sequence[str]) -> dict[str, int]:
    """Return how many of each class are to go. Raises: BadParameter."""
    found: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not (number.isascii() and number.isdigit()) or name in found:
            raise typer.BadParameter("--erase wants a class and its number, as in withheld=123")
        found[_class(name)] = int(number)
    return found


def _class(name: str) -> str:
    if name not in tuple(map(str, BY_CLOSE)):
        raise typer.BadParameter(f"a class is one of: {', '.join(BY_CLOSE)}")
    return name


def _show(content: dict[str, Any]) -> None:
    show(f"closed at {content['closed']} by {content['by']}: nobody is asked any more")
    for what in ("erased", "kept"):
        for name, count in content[what].items():
            show(f"  {count:,} {name} {what}")
    stay = ", ".join(f"{count:,} {name}" for name, count in content["standings"].items())
    show(f"on file stay: {stay or 'nobody'}")
    for place in content["elsewhere"]:
        if not place["done"]:
            show(f"not cleaned yet: {place['name']}, so the purge is not complete")
    if content["evidence"]:
        show(f"the evidence is {content['evidence']}, beside the config: keep it in two places")
    tell(_KEPT_OPEN)
