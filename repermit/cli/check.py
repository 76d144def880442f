"""Prepare: everything that must hold before the first mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.finding import Finding, Group, State
from repermit.cli.findingtable import table, verdict
from repermit.cli.session import (
    Interrupted,
    Session,
    plain,
    run,
    session_of,
    show,
    show_json,
    tell,
)
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
    session = session_of(context)
    found = run(_looked(session, wait, may_mail=yes, shows=not as_json))
    content = content_of(found)
    if not as_json:
        show(verdict(found))
    if content["fail"]:
        failure = CheckFailed(content["fail"])
        failure.done = content
        raise failure
    if as_json:
        show_json(content)


async def _looked(
    session: Session, wait: int | None, *, may_mail: bool, shows: bool
) -> list[Finding]:
    """Return what was found; what comes back is looked for last, because that may take a while."""
    from repermit.cli.checks import looked_at

    runtime = session.runtime()
    tell("Looking at everything that must hold before the first mail.")
    found = await looked_at(runtime, session.resolver())
    at_once = [each for each in found if each.group is not Group.RETURNS]
    later = [each for each in found if each.group is Group.RETURNS]
    if shows:
        _show(at_once)
    later.append(await _bounces(runtime, wait, found, may_mail=may_mail))
    if shows:
        _show(later)
    return [*at_once, *later]


async def _bounces(
    runtime: Runtime, wait: int | None, found: list[Finding], *, may_mail: bool
) -> Finding:
    from repermit.cli.bouncing import bounces_come_back
    from repermit.cli.deadtrial import NAME

    failed = {each.code for each in found if each.state is State.FAIL}
    if "ledger" in failed:
        return _not_tried("the ledger comes first")
    if failed & _BEFORE_A_MAIL:
        return _not_tried("config, keys, DKIM and relay must be right first")
    try:
        async with runtime.ledger(acts=False) as ledger:
            if await ledger.read(ledger.older_copy):
                return _not_tried("this is an older copy of the ledger")
            return await bounces_come_back(runtime, ledger, wait, may_mail=may_mail)
    except Interrupted:
        raise
    except RepermitError as failure:
        return Finding("bounces", NAME, State.FAIL, str(failure), failure.hint)


def _not_tried(why: str) -> Finding:
    from repermit.cli.deadtrial import NAME

    return Finding("bounces", NAME, State.WARN, f"not tried: {why}")


def _show(found: list[Finding]) -> None:
    for line in table(found):
        show(plain(line))


def content_of(found: list[Finding]) -> dict[str, Any]:
    """Return what was found as `--json` tells it."""
    holds = {State.OK: True, State.WARN: None, State.FAIL: False}
    states = [each.state for each in found]
    return {
        "not_ok": states.count(State.FAIL),
        "unknown": states.count(State.WARN),
        "fail": states.count(State.FAIL),
        "warn": states.count(State.WARN),
        "checks": [
            {
                "code": each.code,
                "group": str(each.group),
                "name": each.name,
                "ok": holds[each.state],
                "state": str(each.state),
                "says": each.says,
                "do": each.do,
            }
            for each in found
        ],
    }
