"""Prepare: init, import, screen."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.lists import opened
from repermit.cli.session import (
    Interrupted,
    counted,
    is_terminal,
    run,
    run_until_stopped,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.errors import FileRefused, ListUnreadable

if TYPE_CHECKING:
    from repermit.intake.admit import Imported, Terms
    from repermit.intake.readers import ListFile
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.admission import Tally
    from repermit.runtime import Runtime

_PANEL = "Prepare"
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("init", rich_help_panel=_PANEL)(init)
    app.command("import", rich_help_panel=_PANEL)(import_lists)
    app.command("screen", rich_help_panel=_PANEL)(screen)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to begin.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take the example.")] = False,
) -> None:
    """Write config.toml and the key folder. Works offline."""
    from repermit.cli.begin import ask_answers, require_new, write_campaign

    target = require_new(folder)
    if not yes and not is_terminal():
        raise FileRefused(
            "init asks questions, and nobody is there to answer",
            hint="`repermit init --yes` writes the example; then edit config.toml",
        )
    answers = {} if yes else ask_answers(target)
    write_campaign(folder, answers)
    show(f"written: {folder / 'config.toml'} and {folder / 'keys'}")
    tell("Keep keys/keep safe: copy it, twice. Never copy keys/burn except beside a ledger backup.")
    tell("Next: read config.toml, fill in policy.accepted_by, then `repermit import LIST`.")


def import_lists(
    context: typer.Context,
    lists: Annotated[list[Path], typer.Argument(metavar="LIST…", help="CSV files, or -.")],
    relationship: Annotated[str | None, typer.Option(help="What they are to you.")] = None,
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
    evidence: Annotated[
        str, typer.Option(help="Declare the evidence for the whole list, in writing.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, keep nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Write what was rejected: line, reason, address.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Take lists in: lose nothing, explain everything, let nobody through who may not be asked."""
    from repermit.cli.assembly import rules
    from repermit.intake.admit import Terms
    from repermit.intake.evidence import Defaults

    runtime = session_of(context).runtime()
    defaults = Defaults(
        relationship=_relationship(relationship),
        country=_country(country),
        language=_language(language),
        source=source or None,
        collected=_day(collected),
        last_contact=_day(last_contact),
        declared=bool(evidence.strip()),
        sensitive=sensitive,
    )
    terms = Terms(
        defaults=defaults, rules=rules(runtime), today=runtime.today(), note=evidence.strip()
    )
    chosen = dict(_pair(text) for text in mapping or ())

    async def work(stop: asyncio.Event) -> list[Imported]:
        with ExitStack() as stack:
            sources = [stack.enter_context(opened(path, chosen)) for path in lists]
            reject = stack.enter_context(_rejects(rejects))
            async with _ledger(runtime, dry_run=dry_run) as ledger:
                return [await _import_one(ledger, each, terms, reject, stop) for each in sources]

    imports = run_until_stopped(work)
    _show_imports(imports, dry_run=dry_run, as_json=as_json)


async def _import_one(
    ledger: Ledger,
    source: ListFile,
    terms: Terms,
    reject: Callable[[int, str, str], None],
    stop: asyncio.Event,
) -> Imported:
    from repermit.intake.admit import admit_list

    tell(
        f"{source.name}: {source.encoding}, delimiter {source.delimiter!r}; "
        f"columns read: {', '.join(sorted(source.columns.index))}"
    )
    if source.columns.dropped:
        tell(f"  not read and not kept: {', '.join(source.columns.dropped)}")

    def progress(tally: Tally) -> None:
        if is_terminal():
            typer.echo(f"\r  {counted(tally.read, 'row')} read", nl=False, err=True)

    imported = await admit_list(ledger, source, terms, reject=reject, stop=stop, progress=progress)
    if is_terminal():
        tell("")
    if imported.stopped:
        raise Interrupted("nothing of this list was kept")
    if not imported.tally.read:
        raise ListUnreadable(f"{source.name} holds no rows", hint="check that it is the right file")
    return imported


def _show_imports(imports: list[Imported], *, dry_run: bool, as_json: bool) -> None:
    from repermit.intake.admit import total

    whole = total(imports)
    if as_json:
        show_json(whole)
        return
    show(
        f"{'would be: ' if dry_run else ''}{whole['read']:,} read = {whole['admitted']:,} admitted"
        f" + {whole['duplicates']:,} duplicates + {whole['rejected']:,} rejected"
        f" + {whole['suppressed']:,} suppressed"
    )
    show(
        f"of those admitted: {whole['listed']:,} may be asked, {whole['withheld']:,} withheld,"
        f" {whole['exempt']:,} need no question"
    )
    for reason, count in sorted(whole["reasons"].items(), key=lambda one: -one[1]):
        show(f"  {count:>8,}  {reason}{_cure(reason)}")
    for imported in imports:
        for name, count in imported.unread.items():
            meant = "a stop" if name == "opted_out" else "missing"
            tell(f"  {counted(count, 'cell')} of {name} could not be understood: taken as {meant}")
    tell(
        "Next: `repermit suppress LIST` with everyone who ever said stop, then `repermit preview`."
    )


def _cure(reason: str) -> str:
    from repermit.domain.policy import CURES, Reason

    cure = CURES.get(Reason(reason), "") if reason in frozenset(Reason) else ""
    return f": {cure}" if cure else ""


def screen(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Apply the policy again, after a change of the config; counts by cell."""
    run(_screen(session_of(context).runtime(), as_json=as_json))


async def _screen(runtime: Runtime, *, as_json: bool) -> None:
    from repermit.cli.assembly import policy_facts, rules
    from repermit.intake.screen import screen as screen_again

    async with runtime.ledger() as ledger:
        facts, today = policy_facts(runtime), runtime.today()
        counts = await screen_again(ledger, rules(runtime), facts, today=today)
    cells = sorted(counts.items())
    if as_json:
        rows = [
            {"cell": cell, "standing": standing, "reason": reason, "count": count}
            for (cell, standing, reason), count in cells
        ]
        totals = {
            name: sum(count for (_, standing, _), count in cells if standing == name)
            for name in ("listed", "withheld", "exempt")
        }
        show_json({"cells": rows, **totals})
        return
    for (cell, standing, reason), count in cells:
        cure = _cure(reason) if standing == "withheld" else ""
        show(f"{count:>9,}  {standing:<9} {cell}  {reason}{cure}")


@contextmanager
def _rejects(path: Path | None) -> Iterator[Callable[[int, str, str], None]]:
    """Yield what notes a rejected row: in *path* (0600), or nowhere."""
    if path is None:
        yield lambda _line, _reason, _cell: None
        return
    from repermit.report.export import new_file

    with new_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "address"))

        def note(line: int, reason: str, cell: str) -> None:
            writer.writerow((line, reason, cell))

        yield note


def _ledger(runtime: Runtime, *, dry_run: bool) -> Any:
    return runtime.rehearsal() if dry_run else runtime.ledger(create=True)


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals or not field or not column:
        raise typer.BadParameter("--map wants FIELD=COLUMN, as in --map email=Mailadres")
    return field.strip(), column.strip()


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _relationship(name: str | None) -> str | None:
    from repermit.domain.policy import Relationship

    if name is not None and name not in frozenset(Relationship):
        raise typer.BadParameter(f"--relationship is one of: {', '.join(Relationship)}")
    return name


def _country(text: str | None) -> str | None:
    from repermit.intake.evidence import country_of

    code = country_of(text) if text else None
    if text and code is None:
        raise typer.BadParameter("--country wants two letters, as in BE")
    return code


def _language(text: str | None) -> str | None:
    from repermit.intake.evidence import language_of

    code = language_of(text) if text else None
    if text and code is None:
        raise typer.BadParameter("--language wants two letters, as in nl")
    return code
