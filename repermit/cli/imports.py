"""Prepare: import."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.completion import relationships
from repermit.cli.elsewhere import asked_places, keep_places, place_names
from repermit.cli.listing import listed_files
from repermit.cli.lists import STANDARD_INPUT, opened_lists, reading_of
from repermit.cli.said import country_code, day_of, known_relationship, language_code, statement_of
from repermit.cli.session import (
    Interrupted,
    counted,
    is_terminal,
    run_until_stopped,
    session_of,
    show_json,
    tell,
)
from repermit.cli.summary import show_imports, tell_oddities, tell_reading
from repermit.cli.undo import undo_import
from repermit.errors import ListUnreadable, RepermitError

if TYPE_CHECKING:
    from repermit.cli.mixed import Answers
    from repermit.intake.admit import Imported, Notes, Terms
    from repermit.intake.evidence import Defaults
    from repermit.intake.listfile import ListFile, Reading
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

Day = Annotated[str | None, typer.Option(metavar="DATE", help="As in 2024-05-01.")]


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("import", rich_help_panel="Prepare")(import_lists)


def import_lists(
    context: typer.Context,
    lists: Annotated[
        list[Path] | None,
        typer.Argument(metavar="LIST…", help="CSV, text, XLSX, XLS, ODS, vCard, JSONL; or -."),
    ] = None,
    relationship: Annotated[
        str | None, typer.Option(help="What they are to you.", autocompletion=relationships)
    ] = None,
    country: Annotated[str | None, typer.Option(metavar="CC", help="Where they live.")] = None,
    source: Annotated[str | None, typer.Option(help="Where the addresses came from.")] = None,
    collected: Day = None,
    last_contact: Day = None,
    language: Annotated[str | None, typer.Option(metavar="LL")] = None,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Being on the list says something intimate.")
    ] = False,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="As in cp1252; else it is found.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="As in ; or tab; else it is found.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Which sheet of a workbook.")] = None,
    evidence: Annotated[
        str, typer.Option(help="Declare the evidence for the whole list, in writing.")
    ] = "",
    answers: Annotated[
        Path | None, typer.Option(help="What a terminal asked and kept, for a script.")
    ] = None,
    check_domains: Annotated[
        bool, typer.Option("--check-domains", help="Ask the DNS which domains take mail.")
    ] = False,
    elsewhere: Annotated[
        list[str] | None,
        typer.Option(metavar="PLACE", help="Where else the list lives; as often as needed."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, keep nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Write what was rejected: line, reason, address.")
    ] = None,
    suggestions: Annotated[
        Path | None, typer.Option(help="Write what to look at: line, what, address.")
    ] = None,
    undo: Annotated[
        int | None,
        typer.Option(
            metavar="ID", min=1, max=2**31, help="Take an import back, until its first mail."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Take lists in: lose nothing, explain everything, let nobody through who may not be asked."""
    runtime = session_of(context).runtime()
    if undo is not None:
        if lists or _others_given(context):
            raise typer.BadParameter("--undo takes no list, and no option but --dry-run and --json")
        undo_import(runtime, undo, dry_run=dry_run, as_json=as_json)
        return
    if not lists:
        raise typer.BadParameter("name a LIST, or - for standard input")
    from repermit.files import noted
    from repermit.intake.evidence import Defaults

    defaults = Defaults(
        relationship=known_relationship(relationship),
        country=country_code(country),
        language=language_code(language),
        source=source or None,
        collected=day_of(collected),
        last_contact=day_of(last_contact),
        sensitive=sensitive,
    )
    reading = reading_of(encoding, delimiter, sheet, mapping)
    named = place_names(elsewhere) if elsewhere else None
    call = _Call(runtime, defaults, statement_of(evidence), check_domains, dry_run, as_json)
    said, reading = _answers(call, lists, reading, answers)
    with (
        opened_lists(lists, reading) as (sources, _),
        listed_files(runtime, {"rejects": rejects, "suggestions": suggestions}),
        noted(rejects, ("line", "reason", "address")) as reject,
        noted(suggestions, ("line", "what", "suggestion", "address")) as suggest,
    ):
        from repermit.intake.admit import Notes

        if named is None and not dry_run and STANDARD_INPUT not in lists:
            named = asked_places(runtime)
        imports = _import_all(call, sources, said, Notes(reject, suggest), named)
    _show(imports, call)


def _others_given(context: typer.Context) -> bool:
    """Return whether any option was given that means nothing to an undoing."""
    taken = {"lists", "undo", "dry_run", "as_json"}
    return any(value for name, value in context.params.items() if name not in taken)


@dataclass(frozen=True)
class _Call:
    """What this call was told."""

    runtime: Runtime
    defaults: Defaults
    note: str
    check_domains: bool
    dry_run: bool
    as_json: bool


def _answers(
    call: _Call, lists: Sequence[Path], reading: Reading, path: Path | None
) -> tuple[Answers, Reading]:
    """Return what the people of the lists are, from the file at *path* or asked in a terminal,
    and *reading* with the column that says so."""
    from repermit.cli.mixed import Answers, ask_values, keep_answers, read_answers

    if path is not None:
        said = read_answers(path)
    elif call.defaults.relationship or not is_terminal() or STANDARD_INPUT in lists:
        return Answers(), reading
    else:
        said, reading = _asked(lists, reading, ask_values)
        if said.values or said.relationship:
            kept = keep_answers(said, call.runtime.config.folder)
            tell(f"Your answers are kept in {kept.name}: `--answers` replays them in a script.")
    if said.column:
        reading = replace(reading, mapping={**reading.mapping, "relationship": said.column})
    return said, reading


def _asked(
    lists: Sequence[Path],
    reading: Reading,
    ask: Callable[[Sequence[ListFile], str | None], Answers],
) -> tuple[Answers, Reading]:
    """Ask what the people of all *lists* are, and return it with how the lists are read."""
    from repermit.cli.mixed import ask_column

    with opened_lists(lists, reading) as (sources, reading):
        if any("relationship" in source.fields for source in sources):
            return ask(sources, None), reading
        column = ask_column(sources)
        if column is None:
            return ask(sources, None), reading
    chosen = replace(reading, mapping={**reading.mapping, "relationship": column})
    with opened_lists(lists, chosen) as (sources, _):
        return ask(sources, column), reading


def _import_all(
    call: _Call,
    sources: Sequence[ListFile],
    said: Answers,
    notes: Notes,
    named: Sequence[str] | None,
) -> list[Imported]:
    from repermit.cli.assembly import rules
    from repermit.intake.admit import Terms, total

    relationship = call.defaults.relationship or said.relationship
    note = call.note or said.evidence
    terms = Terms(
        defaults=replace(call.defaults, relationship=relationship, declared=bool(note)),
        rules=rules(call.runtime),
        today=call.runtime.today(),
        note=note,
        meanings=said.values,
    )
    imports: list[Imported] = []

    async def work(stop: asyncio.Event) -> None:
        dead = await _dead_domains(sources) if call.check_domains else {}
        async with _ledger(call) as ledger:
            for source in sources:
                tell_reading(source, terms)
                imports.append(
                    await _import_one(ledger, source, replace(terms, dead=dead), notes, stop)
                )
                await keep_places(ledger, named)

    try:
        run_until_stopped(work)
    except RepermitError as failure:
        if imports:  # what was done before it failed stays, and is told
            failure.done = total(imports)
            if not call.as_json:
                show_imports(failure.done, dry_run=call.dry_run)
        raise
    return imports


async def _import_one(
    ledger: Ledger, source: ListFile, terms: Terms, notes: Notes, stop: asyncio.Event
) -> Imported:
    from repermit.cli.progress import bar
    from repermit.intake.admit import admit_list

    with bar() as progress:
        imported = await admit_list(
            ledger, source, terms, notes=notes, stop=stop, progress=progress
        )
    if imported.stopped:
        raise Interrupted(
            "nothing of this list was kept, but who opted out in it",
            hint="the same command takes it in from its beginning",
        )
    tell_oddities(imported)
    if not imported.tally.read:
        raise ListUnreadable(f"{source.name} holds no rows", hint="check that it is the right file")
    return imported


async def _dead_domains(sources: Sequence[ListFile]) -> dict[str, str]:
    """Return the domains of all lists that take no mail; what cannot be asked is not among
    them."""
    from repermit.cli.progress import bar_of
    from repermit.intake.domains import dead_domains, domains_of, system_resolver

    with bar_of("  asking for domains") as progress:
        checked = await dead_domains(domains_of(sources), system_resolver(), progress=progress)
    tell(
        f"{counted(checked.checked, 'domain')} asked: {len(checked.dead):,} take no mail,"
        f" {len(checked.unknown):,} could not be asked and are kept"
    )
    return dict(checked.dead)


def _ledger(call: _Call) -> Any:
    return call.runtime.rehearsal() if call.dry_run else call.runtime.ledger(create=True)


def _show(imports: list[Imported], call: _Call) -> None:
    from repermit.intake.admit import total

    whole = total(imports)
    if call.as_json:
        show_json(whole)
        return
    show_imports(whole, dry_run=call.dry_run)
    if call.dry_run:
        tell("Nothing was kept. Without --dry-run it is.")
    elif not whole["listed"] and whole["withheld"]:
        tell("Next: supply what is missing, take this import back, and import the list again.")
    else:
        tell("Next: `repermit suppress LIST` with everyone who ever said stop, then `preview`.")
