"""Finish: unsubscribes that came in elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.lists import opened_lists, reading_of
from repermit.cli.session import (
    asking,
    counted,
    is_terminal,
    run,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.cli.suppress import (
    Delimiter,
    Encoding,
    Mapping,
    Sheet,
    tell_not_reached,
    tell_rejected,
)
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from repermit.intake.listfile import ListFile
    from repermit.intake.withdraw import WithdrawnList
    from repermit.runtime import Runtime


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("withdraw", rich_help_panel="Finish")(withdraw)


def withdraw(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="LIST|-", help="Addresses in any format of `import`.")
    ],
    mapping: Mapping = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Take in who unsubscribed elsewhere, as in the newsletter tool; before the next export."""
    reading = reading_of(encoding, delimiter, sheet, mapping)
    runtime = session_of(context).runtime()
    with opened_lists([path], reading) as (sources, _):
        for source in sources:
            tell("\n  ".join((f"{source.name}: {source.table.told}", *source.table.notes)))
        done = run(_withdraw(runtime, sources))
    if as_json:
        show_json(_content(done))
    else:
        _show(done)


async def _withdraw(runtime: Runtime, sources: list[ListFile]) -> WithdrawnList:
    """Withdraw whom *sources* name, once a person at the terminal has seen how many those are."""
    from repermit.intake.withdraw import heard
    from repermit.intake.withdraw import withdraw as withdraw_list

    async with runtime.ledger() as ledger:
        _tell_count(_sum([await heard(ledger, source) for source in sources]))
        with asking("nobody was opted out"):
            question = "Opt all of them out, for good?"
            is_meant = not is_terminal() or typer.confirm(question, err=True)
        if not is_meant:
            raise RepermitError("nobody was opted out", hint="answer y to opt them out")
        return _sum([await withdraw_list(ledger, source) for source in sources])


def _sum(parts: list[WithdrawnList]) -> WithdrawnList:
    from repermit.intake.withdraw import WithdrawnList

    return WithdrawnList(
        passed_over=sum(part.passed_over for part in parts),
        rejected=sum(part.rejected for part in parts),
        lines=[line for part in parts for line in part.lines],
        addresses=sum(part.addresses for part in parts),
        stood=sum((part.stood for part in parts), Counter()),
        suppressed=sum(part.suppressed for part in parts),
    )


def _tell_count(found: WithdrawnList) -> None:
    tell(
        f"{counted(found.addresses, 'address', 'addresses')}:"
        f" {counted(found.withdrawn, 'yes', 'yeses')} to withdraw,"
        f" {found.never_said_yes:,} never said yes, {found.known:,} opted out before,"
        f" {found.unknown:,} unknown here"
    )


def _show(done: WithdrawnList) -> None:
    show(
        f"{counted(done.withdrawn, 'yes', 'yeses')} withdrawn, {done.never_said_yes:,} who never"
        f" said yes opted out, {done.known:,} were so before, {done.unknown:,} unknown here;"
        f" {counted(done.suppressed, 'address', 'addresses')} newly suppressed,"
        f" {done.rejected:,} not understood"
    )
    tell_not_reached(done, done.leaving)
    tell_rejected(done, "withdrawn")


def _content(done: WithdrawnList) -> dict[str, object]:
    return {
        "addresses": done.addresses,
        "withdrawn": done.withdrawn,
        "never_said_yes": done.never_said_yes,
        "opted_out_before": done.known,
        "unknown": done.unknown,
        "suppressed": done.suppressed,
        "passed_over": done.passed_over,
        "rejected": done.rejected,
        "lines": done.lines,
    }
