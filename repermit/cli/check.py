"""Prepare: everything that must hold before the first mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.finding import Finding, State
from repermit.cli.session import Interrupted, plain, run, session_of, show, show_json
from repermit.errors import CheckFailed, RepermitError

if TYPE_CHECKING:
    from repermit.runtime import Runtime

_LONGEST_WAIT_SECONDS = 86_400
_BEFORE_A_MAIL = frozenset({"config", "keys", "relay", "dkim"})


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("check", rich_help_panel="Prepare")(check)


def check(
    context: typer.Context,
    wait: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_LONGEST_WAIT_SECONDS,
            metavar="SECONDS",
            help="How long to wait for the bounce of a dead address: 120, or 0 not to wait.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; send that one mail.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Look at everything that must hold before the first mail. One mail leaves, to an address that
    does not exist, to see whether bounces come back to where they are read."""
    runtime = session_of(context).runtime()
    found = run(_looked(runtime, wait, may_mail=yes, shows=not as_json))
    wrong = [each for each in found if each.state is State.NOT_OK]
    if wrong:
        failure = CheckFailed(len(wrong))
        failure.done = _content(found)
        raise failure
    if as_json:
        show_json(_content(found))
    else:
        show("everything that was looked at holds")


async def _looked(
    runtime: Runtime, wait: int | None, *, may_mail: bool, shows: bool
) -> list[Finding]:
    """Return what was found, each shown as soon as it is known."""
    from repermit.cli.bouncing import bounces_come_back
    from repermit.cli.checks import in_ledger, machines_of, without_ledger

    found: list[Finding] = []

    def note(each: Finding) -> None:
        found.append(each)
        if shows:
            _show(each)

    async for each in without_ledger(runtime):
        note(each)
    try:
        async with runtime.ledger(acts=False) as ledger:
            async for each in in_ledger(runtime, ledger):
                note(each)
            async for each in machines_of(runtime, ledger):
                note(each)
            if any(each.code in _BEFORE_A_MAIL for each in _wrong(found)):
                note(_not_tried("config, keys and relay must be right first"))
            elif await ledger.read(ledger.older_copy):
                note(_not_tried("this is an older copy of the ledger"))
            else:
                note(await _tried(bounces_come_back(runtime, ledger, wait, may_mail=may_mail)))
    except Interrupted:
        raise
    except RepermitError as failure:
        note(Finding("ledger", "there is a ledger", State.NOT_OK, str(failure), failure.hint))
        note(
            _not_tried(
                "the ledger comes first; nor was it looked at who is listed, what was approved and"
                " whether a recipient can answer"
            )
        )
    return found


async def _tried(work: Any) -> Finding:
    try:
        found: Finding = await work
    except Interrupted:
        raise
    except RepermitError as failure:
        return Finding("bounces", "bounces come back", State.NOT_OK, str(failure), failure.hint)
    return found


def _not_tried(why: str) -> Finding:
    return Finding("bounces", "bounces come back", State.UNKNOWN, f"not tried: {why}")


def _wrong(found: list[Finding]) -> list[Finding]:
    return [each for each in found if each.state is State.NOT_OK]


def _show(each: Finding) -> None:
    says = f": {each.says}" if each.says else ""
    show(plain(f"{each.state:<9}  {each.name}{says}"))
    if each.do and each.state is not State.OK:
        show(plain(f"           what to do: {each.do}"))


def _content(found: list[Finding]) -> dict[str, Any]:
    names = {State.OK: True, State.NOT_OK: False, State.UNKNOWN: None}
    return {
        "not_ok": len(_wrong(found)),
        "unknown": sum(each.state is State.UNKNOWN for each in found),
        "checks": [
            {
                "code": each.code,
                "name": each.name,
                "ok": names[each.state],
                "says": each.says,
                "do": each.do,
            }
            for each in found
        ],
    }
