"""Answers: what comes back is read: bounces, complaints, replies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from repermit.cli import review
from repermit.cli.lists import reading_of
from repermit.cli.session import (
    Interrupted,
    Session,
    run,
    run_until_stopped,
    session_of,
    show_json,
    tell,
)
from repermit.cli.suppress import Delimiter, Encoding, Sheet
from repermit.cli.tallied import content, show_readings, show_tally
from repermit.errors import FileRefused, MailboxUnusable

if TYPE_CHECKING:
    import asyncio

    from repermit.cli.incoming import Sources
    from repermit.runtime import Runtime

STANDARD_INPUT = Path("-")
_ONE_FILE = (
    "one FILE at a time; many one after the other:"
    ' `for each in *.eml; do repermit inbound "$each"; done`; a maildir: --maildir DIR'
)
_MANY = 100  # messages that take a while
_PATIENCE_SECONDS = 60.0  # for another process that reads the same


class _Family(TyperGroup):
    """A command that takes a FILE, and has commands of its own beside."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take no FILE where the first word is a command. What fails from here on, a wrong option
        and a wrong config, too, must not lose what an MTA hands over."""
        session = ctx.find_object(Session)
        if args and args[0] in self.commands:
            self.params = [each for each in self.params if each.param_type_name != "argument"]
            ctx.allow_interspersed_args = False
        elif session is not None and "-" in args and not {"--csv", "--dry-run"} & set(args):
            session.ends_with = os.EX_TEMPFAIL
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command of *args*. What is none stands after a FILE: another one. Raises:
        UsageError."""
        if args[0] not in self.commands:
            ctx.fail(_ONE_FILE)
        return super().resolve_command(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    family = typer.Typer(
        cls=_Family,
        invoke_without_command=True,
        context_settings={"allow_interspersed_args": True},
    )
    family.callback()(inbound)
    review.register(family)
    app.add_typer(family, name="inbound", rich_help_panel="Answers")


def inbound(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE|-]", help="One message; - from an MTA, which is kept first."),
    ] = None,
    maildir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A maildir, in place of the configured one.")
    ] = None,
    imap: Annotated[bool, typer.Option("--imap", help="Only the mailbox of the config.")] = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="A provider's export: CSV, Excel, JSON Lines."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Of --csv: address, event, reason."),
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how each is read; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Read what came back: bounces, complaints, replies. Without a FILE: what the config names, and
    what an MTA handed over. `inbound -` ends with 75 when the message could not be kept, so that
    the MTA tries again; see docs/inbound.md."""
    if context.invoked_subcommand is not None:
        return
    if (file is not None) + (maildir is not None) + imap + (csv is not None) > 1:
        raise typer.BadParameter("give a FILE, or --maildir DIR, or --imap, or --csv FILE")
    if csv is None and (mapping or encoding or delimiter or sheet):
        raise typer.BadParameter("--map, --encoding, --delimiter and --sheet go with --csv FILE")
    reading = reading_of(encoding, delimiter, sheet, mapping)
    session = session_of(context)
    if csv is not None:
        from repermit.cli.providerfile import read_export

        run(read_export(session.runtime(), csv, reading, dry_run=dry_run, as_json=as_json))
    elif file == STANDARD_INPUT and not dry_run:
        _take(session, as_json=as_json)
    elif file is not None:
        run(_read_file(session.runtime(), file, dry_run=dry_run, as_json=as_json))
    elif dry_run:
        run(_look(session.runtime(), maildir, imap=imap, as_json=as_json))
    else:
        runtime = session.runtime()
        run_until_stopped(
            lambda stop: _read(runtime, _sources(runtime, maildir, imap=imap), stop, as_json)
        )


def _take(session: Session, *, as_json: bool) -> None:
    """Keep the message that an MTA hands over, and then handle what is there. Nothing is printed
    then, for some MTAs take what is printed for a failure.

    Raises: MailboxUnusable when it could not be kept, and then the MTA still has it.
    """
    from repermit.cli.incoming import empty_spool, spool_of
    from repermit.inbound.spool import keep

    runtime = session.runtime()
    try:
        keep(spool_of(runtime), sys.stdin.buffer, os.environ)
    except (OSError, AttributeError) as failure:  # the latter: standard input is closed
        why = failure.strerror if isinstance(failure, OSError) else "there is no standard input"
        raise MailboxUnusable(
            f"the message cannot be kept ({why})",
            hint="let the user who runs this write beside the ledger, and make room there; the MTA"
            " tries again",
        ) from failure
    session.ends_with = 0
    tally = run(empty_spool(runtime))
    if as_json:
        show_json(content(tally))


async def _read(runtime: Runtime, sources: Sources, stop: asyncio.Event, as_json: bool) -> None:
    from repermit.cli.incoming import NotAllRead, read_all

    try:
        tally = await read_all(
            runtime, sources, patience=_PATIENCE_SECONDS, stopped=stop.is_set, told=_tell_many
        )
    except NotAllRead as failure:
        failure.done = content(failure.tally)
        if failure.tally.read and not as_json:
            show_tally(failure.tally, runtime)
        raise
    if stop.is_set():
        stopped = Interrupted("what was read is settled; the rest is where it was")
        stopped.done = content(tally)
        raise stopped
    if as_json:
        show_json(content(tally))
    else:
        show_tally(tally, runtime)


async def _read_file(runtime: Runtime, path: Path, *, dry_run: bool, as_json: bool) -> None:
    """Handle one message, which stays where it is."""
    from repermit.cli.incoming import opened_desk
    from repermit.inbound.spool import without_envelope

    message = without_envelope(_content_of(path))
    async with opened_desk(runtime) as desk:
        looked = desk.look(message)
        if dry_run:
            foreseen = await desk.foresee(looked[1])
        else:
            await desk.settle([looked])
    if dry_run:
        show_readings([foreseen], as_json=as_json)
    elif as_json:
        show_json(content(desk.tally))
    else:
        show_tally(desk.tally, runtime)


def _content_of(path: Path) -> bytes:
    from repermit.files import shown
    from repermit.inbound.tree import MOST_BYTES

    try:
        if path == STANDARD_INPUT:
            return sys.stdin.buffer.read(MOST_BYTES + 1) if sys.stdin else b""
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as failure:
        hint = "name a file that this user may read"
        if isinstance(failure, IsADirectoryError):
            hint = "for a folder: `repermit inbound --maildir DIR`"
        raise FileRefused(
            f"{shown(path.name)} cannot be read ({failure.strerror})", hint=hint
        ) from failure


async def _look(runtime: Runtime, maildir: Path | None, *, imap: bool, as_json: bool) -> None:
    from repermit.cli.incoming import look_at

    found = await look_at(runtime, _sources(runtime, maildir, imap=imap))
    show_readings(found, as_json=as_json)


def _sources(runtime: Runtime, maildir: Path | None, *, imap: bool) -> Sources:
    """Return what is to be read. Raises: MailboxUnusable when nothing comes in anywhere."""
    from repermit.cli.incoming import Sources, spool_of

    if maildir is not None or imap:
        return Sources(spool=False, maildir=maildir, imap=imap)
    found = Sources.configured(runtime)
    if not runtime.config.inbound.is_configured and not spool_of(runtime).is_there:
        raise MailboxUnusable(
            "nothing says where bounces and replies come in",
            hint="set maildir or imap under [inbound], or let the MTA hand each message to"
            " `repermit inbound -`; see docs/inbound.md",
        )
    return found


def _tell_many(waiting: int) -> None:
    if waiting > _MANY:
        tell(f"{waiting:,} messages wait")
