"""Operate: the ledger moves from its SQLite file to PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.session import asking, counted, is_terminal, session_of, show, show_json, tell
from repermit.errors import MoveRefused

if TYPE_CHECKING:
    from repermit.ledger.moving import Extent
    from repermit.ledger.postgres.engine import PostgreSQL
    from repermit.runtime import Runtime

_THEN = "put that URL into database.url of the config, here and on each machine, before you go on"
_AGAIN = "nothing was moved; the ledger is in use as before"


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command("migrate-ledger", rich_help_panel="Operate")(migrate_ledger)


def migrate_ledger(
    context: typer.Context,
    url: Annotated[
        str, typer.Argument(metavar="URL", help="postgresql://user@host/database, no password.")
    ],
    entries: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Do not ask: its log has so many entries."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Move the ledger to PostgreSQL, so that several machines can work on it. Nothing else may use
    it meanwhile; cut off at any moment, the same command goes on."""
    runtime = session_of(context).runtime()
    content = _moved(runtime, _target(runtime, url), entries, as_json=as_json)
    if as_json:
        show_json(content)
        return
    show(f"moved: {content['entries']:,} log entries, root {content['root']}")
    show(f"the old ledger is {content['moved_to']} now; a purge makes it unreadable, too")
    tell(f"  what to do: {_THEN}")


def _target(runtime: Runtime, url: str) -> PostgreSQL:
    """Return where it goes. Raises: BadParameter; MoveRefused when it is there already."""
    from repermit.config.tables import Database
    from repermit.config.urls import database_url

    try:
        database_url(url)
    except ValueError as failure:
        raise typer.BadParameter(f"the URL {failure}") from failure
    if not url.startswith("postgresql://"):
        raise typer.BadParameter(
            "the URL is not one of PostgreSQL: postgresql://user@host/database"
        )
    if runtime.config.has_server:
        raise MoveRefused(
            "database.url names PostgreSQL already",
            hint="for a move that was cut off, let it name the SQLite file again, as before",
        )
    return replace(runtime, config=replace(runtime.config, database=Database(url=url))).server


def _moved(
    runtime: Runtime, target: PostgreSQL, entries: int | None, *, as_json: bool
) -> dict[str, Any]:
    """Move it, and return what was moved."""
    from repermit.ledger import moving

    file, vault, clock = runtime.config.ledger_path, runtime.vault, runtime.clock
    try:
        aside = moving.finish(file, target, vault, clock)
        if aside is not None:
            return _content(moving.extent_of(target), aside)
        with moving.held(file, vault) as source:
            found = moving.extent(source)
            if not as_json:
                _tell(found)
            _confirm(found, entries, asks=is_terminal() and not as_json)
            if not as_json:
                tell("copying it, and reading its log back")
            return _content(found, moving.move(file, source, target, vault, clock))
    finally:
        target.close()


def _tell(found: Extent) -> None:
    """Say what will be done."""
    people = counted(found.recipients, "recipient")
    tell(f"The ledger moves to PostgreSQL: {people}, {_size(found)}. Its file gets another name:")
    tell("whatever still has it in its config finds no ledger there, and mails nobody.")


def _confirm(found: Extent, entries: int | None, *, asks: bool) -> None:
    """Have it confirmed. Raises: MoveRefused, Interrupted."""
    if entries is None and asks:
        with asking(_AGAIN):
            question = "Type the number of log entries to move it"
            entries = int(typer.prompt(question, type=int, err=True))
    if entries is None:
        raise MoveRefused(
            f"nobody said that this ledger is to move: it has {_size(found)}",
            hint=f"look at `repermit status`, then pass --entries {found.entries}",
        )
    if entries != found.entries:
        raise MoveRefused(f"this ledger has {_size(found)}, not {entries:,}", hint=_AGAIN)


def _size(found: Extent) -> str:
    return counted(found.entries, "log entry", "log entries")


def _content(found: Extent, aside: Path) -> dict[str, Any]:
    return {
        "recipients": found.recipients,
        "entries": found.entries,
        "root": found.root,
        "moved_to": aside.name,
    }
