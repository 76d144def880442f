"""The command line: options in, one call, print. Each family of commands has a file."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from repermit import __version__
from repermit.cli.commands import Program
from repermit.cli.completion import configs
from repermit.cli.session import (
    INTERRUPTED,
    Interrupted,
    Session,
    plain,
    session_of,
    show,
    show_json,
    tell,
    unforeseen,
)
from repermit.domain.clock import Clock, SystemClock
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

app = typer.Typer(
    cls=Program,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: it starts fast, and reads well in any terminal
    help="Ask an old mailing list once, by mail, with a Yes and a No; keep proof of each yes, "
    "and let everyone else go. Without a command: where the campaign stands, and what comes next.",
)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            envvar="REPERMIT_CONFIG",
            help="The campaign's config.",
            autocompletion=configs,
        ),
    ] = Path("config.toml"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Without a command: one JSON object.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Say which release this is, and do nothing else.")
    ] = False,
) -> None:
    """Read what is common to all commands; without a command, say what comes next."""
    if version:
        show(f"repermit {__version__}")
        raise typer.Exit
    session = session_of(context)
    session.config = config
    if context.invoked_subcommand is None:
        from repermit.cli.next_step import show_next

        source = context.get_parameter_source("config")
        is_named = source is not None and source.name != "DEFAULT"
        show_next(session, is_named=is_named, as_json=as_json)
    elif as_json:
        raise typer.BadParameter(f"--json goes behind {context.invoked_subcommand}")


def main(
    arguments: Sequence[str] | None = None,
    *,
    clock: Clock | None = None,
    resolver: Callable[[], Resolver] | None = None,
) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage or
    config, 130 interrupted. A failure is one line why and one line what to do, no traceback.

    The one exception is `inbound -`, which an MTA calls: 75 while the message is not kept, so that
    the MTA keeps it and tries again, and 0 once it is (EX_TEMPFAIL of sysexits.h).
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    session = Session(clock=clock or SystemClock(), asks=resolver)
    code = _code(given, session)
    return code if code == 0 or session.ends_with is None else session.ends_with


def _code(given: list[str], session: Session) -> int:
    """Run one command and return its own exit code."""
    try:
        if not all(map(_is_text, given)):
            raise typer.BadParameter("an argument is not UTF-8 text")
        ended = app(args=given, prog_name="repermit", standalone_mode=False, obj=session)
        if ended == INTERRUPTED:  # what typer makes of a Ctrl-C
            raise KeyboardInterrupt
        sys.stdout.flush()
        return ended if isinstance(ended, int) else 0
    except RepermitError as failure:
        _explain(session, failure, as_json="--json" in given)
        return failure.exit_code
    except TyperException as failure:
        message = re.sub(r"\S*@\S*", "…", failure.format_message())  # it may quote an address
        if "--json" in given:
            show_json({"error": message, "hint": "see `repermit --help`"})
        else:
            _explain_usage(message)
        return failure.exit_code
    except (KeyboardInterrupt, typer.Abort):
        done = Interrupted("what was done is on file", hint="run the same command again")
        _explain(session, done, as_json="--json" in given)
        return INTERRUPTED
    except OSError as failure:  # everything else that may fail is explained where it happens
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(failure, BrokenPipeError) and session.ends_with != 0:
            tell(f"repermit: the result could not be printed ({failure.strerror})")
            tell("  what to do: make room, then run it again")
        return 1
    except Exception as defect:  # noqa: BLE001 - its words may hold what nobody may read here
        _explain(session, unforeseen(defect), as_json="--json" in given)
        return 1


def _is_text(argument: str) -> bool:
    """Return whether an argument can be kept as text; the name of a file may be anything."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return Path(argument).exists()
    return True


def _explain(session: Session, failure: RepermitError, *, as_json: bool) -> None:
    if session.ends_with == 0 and not as_json:
        return
    if as_json:
        show_json({"error": str(failure), "hint": failure.hint, **failure.details()})
        return
    tell(f"repermit: {plain(str(failure))}")
    if failure.hint:
        tell(f"  what to do: {plain(failure.hint)}")


def _explain_usage(message: str) -> None:
    if not message or message.startswith("Usage:"):  # a family without a command: the help
        tell(message)
        return
    tell(f"repermit: {plain(message)}")
    tell("  what to do: see `repermit --help`, or `repermit COMMAND --help`")
