"""What every command shares: where its config is, what it prints where, how it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from repermit.domain.clock import Clock
from repermit.domain.count import counted as counted  # for every command
from repermit.errors import RepermitError

if TYPE_CHECKING:
    import asyncio

    from dns.asyncresolver import Resolver

    from repermit.runtime import Runtime

T = TypeVar("T")
INTERRUPTED = 130
_HERE = Path(__file__).parent.parent
_LONGEST_LINE = 10_000  # bytes
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # of Unicode: controls and directions


@dataclass
class Session:
    """One call of the command line."""

    clock: Clock
    config: Path = Path("config.toml")
    ends_with: int | None = None  # when it fails, whatever the failure; 0: and says nothing
    asks: Callable[[], Resolver] | None = None  # who is asked instead of this machine's DNS servers

    def runtime(self) -> Runtime:
        """Return the campaign that the config describes. Raises: ConfigInvalid."""
        from repermit.runtime import Runtime

        return Runtime.of(self.config, self.clock, tell=tell)

    def resolver(self) -> Resolver:
        """Return who is asked about the DNS."""
        from repermit.intake.domains import system_resolver

        return self.asks() if self.asks else system_resolver()


class Interrupted(RepermitError):
    """The operator stopped the command; what was done is done, and it can go on."""

    exit_code = INTERRUPTED

    def __init__(self, what: str, *, hint: str = "the same command goes on where it was") -> None:
        super().__init__(f"stopped: {what}", hint=hint)


def unforeseen(defect: Exception) -> RepermitError:
    """Return what to say of an exception that nobody foresaw: its kind and its place, no more."""
    import traceback

    frames = traceback.extract_tb(defect.__traceback__)
    ours = [each for each in frames if _HERE in Path(each.filename).parents] or list(frames)
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return RepermitError(
        f"something that nobody foresaw ended it ({type(defect).__name__}, {place})",
        hint="`repermit proof verify` finds what was changed in the ledger by hand; "
        "if that is not it, report the line above",
    )


def session_of(context: typer.Context) -> Session:
    """Return the session of this call."""
    session = context.find_object(Session)
    if session is None:
        raise typer.BadParameter("a command needs a session")
    return session


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* returned."""
    import asyncio

    return asyncio.run(work)


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Return what *work* returned; the first Ctrl-C or SIGTERM sets its flag, so that it ends
    after what it has in hand; the second ends the process at once, which loses nothing either."""
    import asyncio

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


def quietly(_: str) -> None:
    """Tell nothing."""


def tell(text: str) -> None:
    """Print progress or a message, to standard error."""
    typer.echo(text, err=True)


def show(text: str) -> None:
    """Print a result, to standard output."""
    typer.echo(text)


def plain(text: str) -> str:
    """Return *text* with "�" for what a terminal would obey instead of showing."""
    return "".join("�" if _is_obeyed(character) else character for character in text)


def show_json(content: dict[str, Any]) -> None:
    """Print the one JSON object of a command, to standard output; what a terminal would obey is
    escaped in it."""
    import json

    text = json.dumps(content, ensure_ascii=False, indent=2)
    typer.echo("".join(json.dumps(one)[1:-1] if _is_obeyed(one) else one for one in text))


def _is_obeyed(character: str) -> bool:
    import unicodedata

    return character != "\n" and unicodedata.category(character) in _OBEYED


def is_terminal() -> bool:
    """Return whether a person sits in front of the command."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def asking(so_far: str = "nothing was done") -> Iterator[None]:
    """Let Ctrl-C end a prompt at once: in an event loop it would wait for what is typed.

    Raises: Interrupted, which says *so_far*.
    """
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except (KeyboardInterrupt, typer.Abort):
        raise Interrupted(so_far, hint="run the same command again") from None
    finally:
        signal.signal(signal.SIGINT, kept)


def ask_address() -> str:
    """Return an address from the prompt, or from standard input in a script; never from the
    command line, where other users of the machine could read it."""
    return ask_line("E-mail address")


def ask_line(prompt: str) -> str:
    """Return what is typed at the prompt, or the next line of standard input in a script."""
    if is_terminal():
        with asking():
            return str(typer.prompt(prompt, err=True))
    return next_line()


def next_line() -> str:
    """Return the next line of standard input, empty at its end; what is not UTF-8 is replaced."""
    if sys.stdin is None:  # it was closed
        return ""
    return sys.stdin.buffer.readline(_LONGEST_LINE).decode("utf-8", "replace").strip()
