"""What every command shares: where its config is, what it prints where, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from repermit.domain.clock import Clock
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from repermit.runtime import Runtime

T = TypeVar("T")
INTERRUPTED = 130


@dataclass
class Session:
    """One call of the command line."""

    clock: Clock
    config: Path = Path("config.toml")

    def runtime(self) -> Runtime:
        """Return the campaign that the config describes. Raises: ConfigInvalid."""
        from repermit.runtime import Runtime

        return Runtime.of(self.config, self.clock)


class Interrupted(RepermitError):
    """The operator stopped the command; what was done is done, and it can go on."""

    exit_code = INTERRUPTED

    def __init__(self, what: str, *, hint: str = "the same command goes on where it was") -> None:
        super().__init__(f"stopped: {what}", hint=hint)


def session_of(context: typer.Context) -> Session:
    """Return the session of this call."""
    session = context.find_object(Session)
    if session is None:
        raise typer.BadParameter("a command needs a session")
    return session


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* returned."""
    return asyncio.run(work)


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Return what *work* returned; the first Ctrl-C or SIGTERM sets its flag, so that it ends
    after what it has in hand; the second ends the process at once, which loses nothing either."""

    async def guarded() -> T:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def interrupt() -> None:
            if stop.is_set():
                tell("stopped at once; what was in hand is doubtful: see `repermit doubt list`")
                os._exit(INTERRUPTED)
            tell("stopping after what is in hand; press Ctrl-C again to stop at once")
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
        return await work(stop)

    return asyncio.run(guarded())


def tell(text: str) -> None:
    """Print progress or a message, to standard error."""
    typer.echo(text, err=True)


def show(text: str) -> None:
    """Print a result, to standard output."""
    typer.echo(text)


def show_json(content: dict[str, Any]) -> None:
    """Print the one JSON object of a command, to standard output."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def is_terminal() -> bool:
    """Return whether a person sits in front of the command."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_address(prompt: str = "E-mail address") -> str:
    """Return an address from the prompt, or from standard input in a script; never from the
    command line, where other users of the machine could read it."""
    if is_terminal():
        return str(typer.prompt(prompt, err=True))
    return sys.stdin.readline().strip()


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return "1 mail", "12,400 mails"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
