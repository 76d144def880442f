"""Prepare: who must never be mailed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from repermit.cli.lists import STANDARD_INPUT, open_asking, reading_of
from repermit.cli.session import counted, run, session_of, show, tell

if TYPE_CHECKING:
    from repermit.intake.hashes import HashList
    from repermit.intake.listfile import ListFile, Reading
    from repermit.intake.suppress import Heard, SuppressedList
    from repermit.runtime import Runtime

Mapping = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Name a column.")
]
Encoding = Annotated[str | None, typer.Option(help="As in cp1252.")]
Delimiter = Annotated[str | None, typer.Option(help="As in ; or tab.")]
Sheet = Annotated[str | None, typer.Option(help="Which sheet of a workbook.")]


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("suppress", rich_help_panel="Prepare")(suppress)


def suppress(
    context: typer.Context,
    lists: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[LIST|-]...", help="Addresses in any format of `import`, or an export."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    none: Annotated[
        str | None, typer.Option("--none", metavar="TEXT", help="State that nobody ever opted out.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the keyed hashes with their key.")
    ] = None,
    mapping: Mapping = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
) -> None:
    """Say who must never be mailed; it wins over everything."""
    if sum(bool(given) or given == "" for given in (lists, none, export)) != 1:
        raise typer.BadParameter("give a LIST, or --none TEXT, or --export FILE")
    if none is not None and not none.strip():
        raise typer.BadParameter("--none wants the statement itself, in words")
    reading = reading_of(encoding, delimiter, sheet, mapping)
    runtime = session_of(context).runtime()
    if lists:
        run(_suppress_lists(runtime, lists, reading, reason.strip()))
    elif none:
        run(_state_none(runtime, none.strip()))
    elif export:
        run(_export_suppression(runtime, export))


async def _suppress_lists(
    runtime: Runtime, paths: list[Path], reading: Reading, reason: str
) -> None:
    from repermit.intake.hashes import HashList
    from repermit.intake.suppress import suppress_hashes, suppress_list

    with ExitStack() as stack:
        sources = _opened(stack, paths, reading)
        async with runtime.ledger(create=True) as ledger:
            for source in sources:
                if isinstance(source, HashList):
                    tell(f"{source.name}: looking for {source.count:,} keyed hashes")
                    done = await suppress_hashes(ledger, source, reason=reason)
                    _show(done, "keyed hash", "keyed hashes")
                else:
                    tell("\n  ".join((f"{source.name}: {source.table.told}", *source.table.notes)))
                    done = await suppress_list(ledger, source, reason=reason)
                    _show(done, "address", "addresses")


def _opened(stack: ExitStack, paths: list[Path], reading: Reading) -> list[HashList | ListFile]:
    """Return what *paths* and standard input hold, open for as long as *stack*."""
    from repermit.files import shown
    from repermit.intake.hashes import Looked, read_hashes
    from repermit.intake.listfile import open_lists

    sources: list[HashList | ListFile] = []
    for path in paths:
        file = _openly(stack, path)
        looked = Looked(file) if file else None
        found: Sequence[HashList | ListFile]
        if looked and looked.holds_hashes:
            name = "standard input" if path == STANDARD_INPUT else shown(path.name)
            found = [read_hashes(name, looked)]
        elif path == STANDARD_INPUT or _is_pipe(path):  # which is read once
            stdin = BufferedReader(looked) if looked else None
            found = open_lists(None, reading, stdin=stdin)
        else:
            found, reading = open_asking(path, reading)
        for source in found:
            stack.enter_context(source)
            sources.append(source)
    return sources


def _openly(stack: ExitStack, path: Path) -> BinaryIO | None:
    """Return a file or pipe to look into; None for anything else, and for closed input."""
    if path == STANDARD_INPUT:
        return sys.stdin.buffer if sys.stdin else None
    try:
        return stack.enter_context(path.open("rb")) if path.is_file() or path.is_fifo() else None
    except OSError:
        return None  # and whoever opens it as a list says why


def _is_pipe(path: Path) -> bool:
    try:
        return path.is_fifo()
    except OSError:  # a name that no file can have
        return False


def _show(done: SuppressedList, one: str, many: str) -> None:
    show(
        f"{counted(done.added, one, many)} newly suppressed, {done.known:,} were so before,"
        f" {counted(done.moved, 'recipient')} moved to opted_out,"
        f" {done.rejected:,} not understood"
    )
    tell_not_reached(done, done.leaving)
    if done.statement_fell:
        tell("The statement that nobody ever opted out is taken back: this list names who did.")
    if done.new_keys:
        tell("keys/keep now holds the key of that list too: renew your backup of keys/keep.")
    tell_rejected(done, "suppressed")


def tell_not_reached(heard: Heard, leaving: int) -> None:
    """Tell whom a list of who must stop could not stop in time, and of whom it said the
    opposite."""
    if leaving:
        tell(f"{counted(leaving, 'mail')} on the way at that moment could not be called back")
    if heard.passed_over:
        tell(f"{counted(heard.passed_over, 'row')} passed over: the list says they did not opt out")


def tell_rejected(heard: Heard, done: str) -> None:
    """Tell which lines were not understood, so that they are not *done*."""
    if heard.rejected:
        tell(f"What was not understood is NOT {done}: lines {heard.lines_named}.")
        tell("  what to do: correct those lines and run it again")


async def _state_none(runtime: Runtime, statement: str) -> None:
    from repermit.ledger.store import campaign

    async with runtime.ledger(create=True) as ledger:
        await ledger.write(campaign.state_no_opt_outs, statement)
    show("noted: nobody ever opted out")


async def _export_suppression(runtime: Runtime, path: Path) -> None:
    from repermit.files import file_refused
    from repermit.intake.hashes import written
    from repermit.ledger.store import suppression
    from repermit.ledger.transaction import Transaction
    from repermit.report.export import new_file

    async with runtime.ledger() as ledger:
        with new_file(path) as file:

            def write(tx: Transaction) -> int:
                count = suppression.count_suppressed(tx)
                keys, hashes = tx.vault.suppression_keys(), suppression.suppressed_hashes(tx)
                with file_refused(path):
                    file.writelines(written(keys, hashes, count=count))
                    file.flush()
                return count

            count = await ledger.read(write)
            await ledger.write(suppression.note_export, count)
    show(f"{counted(count, 'keyed hash', 'keyed hashes')} written, with the key to test them")
    tell("Whoever holds that file can test whether an address is on it: keep it closed.")
