"""`status --watch`: the campaign on a screen that is drawn anew every other second.

Each look opens the ledger, reads, and lets go of it: nobody who writes ever waits for a person who
watches, and no keys are kept in memory that a purge destroys meanwhile.
"""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from repermit.cli.session import Session, quietly, run, tell
from repermit.cli.watched import Rate, Seen, alarm, lines, look
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from repermit.runtime import Runtime

_SECONDS = 2.0  # between two looks at the least
_PATIENCE = 4  # times as long as a look takes is waited for the next
_TICK_SECONDS = 0.2
_QUIT = frozenset(b"qQ\x03\x04")  # q, and what Ctrl-C and Ctrl-D send where they make no signal
_PLAIN_WIDTH = 100  # columns, where there is no terminal


def watch(session: Session, *, as_json: bool = False) -> None:
    """Show the campaign until q or Ctrl-C; where there is no terminal, once.

    Raises: what `status` raises, at the first look.
    """
    from rich.console import Console

    if as_json:
        raise typer.BadParameter("--watch is for a person, --json for a program: take one of them")

    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that has no "█" shows "?"
        sys.stdout.reconfigure(errors="replace")
    watched = Watched(session, session.runtime())
    watched.look()
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        console = Console(width=_PLAIN_WIDTH, no_color=True, highlight=False, emoji=False)
        console.print(watched.frame(_PLAIN_WIDTH, height=None), soft_wrap=True)
        tell("this is no terminal, so it was one look; `repermit status --json` is for programs")
        return
    _keep_watching(watched, Console(highlight=False, emoji=False))


@dataclass
class Watched:
    """A campaign, as it was seen last."""

    session: Session
    runtime: Runtime
    rate: Rate = field(default_factory=Rate)
    seen: Seen | None = None
    failure: RepermitError | None = None
    took_seconds: float = 0.0
    _mails_a_second: float | None = None

    def look(self) -> None:
        """Look once more. Raises: RepermitError, only where nothing was ever seen."""
        from repermit.runtime import Runtime

        started = time.monotonic()
        try:
            fresh = Runtime(self.runtime.config, self.session.clock, quietly)
            self.seen = run(look(fresh))
            self.failure = None
        except RepermitError as failure:
            if self.seen is None:
                raise
            self.failure = failure
        self.took_seconds = time.monotonic() - started
        if self.failure is None and self.seen is not None:
            self._mails_a_second = self.rate.of(self.seen.mails, started)

    def frame(self, width: int, *, height: int | None) -> RenderableType:
        """Return what the screen shows, no more than fits on it."""
        from rich.console import Group
        from rich.text import Text

        told = []
        if self.failure is not None:
            what = f"{self.failure}; looking again"
            told = alarm(what, self.failure.hint, width=width)
        if self.seen is not None:
            told += lines(self.seen, self.runtime, self._mails_a_second, width=width)
        for line in told:
            line.no_wrap, line.overflow = True, "ellipsis"
        if height is None:
            return Group(*told)
        shown = told[: max(0, height - 1)]
        return Group(*shown, Text("q ends it", style="dim", no_wrap=True, overflow="ellipsis"))


def _keep_watching(watched: Watched, console: Console) -> None:
    """Draw until the person wants to end: after each look, and when the terminal has another
    size."""
    from rich.console import ConsoleDimensions
    from rich.live import Live

    with (
        _asked_to_end() as asked,
        _keys_at_once(),
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        drawn: tuple[int, int] | None = None
        next_look = 0.0
        while not asked and not _QUIT.intersection(_pressed(_TICK_SECONDS if drawn else 0.0)):
            if drawn and time.monotonic() >= next_look:
                watched.look()
                drawn = None
            if drawn != (size := _size()):
                console.size = ConsoleDimensions(*size)
                live.update(watched.frame(size[0], height=size[1]), refresh=True)
                drawn = size
                next_look = time.monotonic() + max(_SECONDS, _PATIENCE * watched.took_seconds)


def _size() -> tuple[int, int]:
    """Return how wide and high the terminal is now, at least 1; a variable in the environment
    would be what it was when the shell began."""
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except OSError:  # it was closed, and the signal that says so is on its way
        return 1, 1
    return max(1, columns), max(1, rows)


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """Yield a list that is no longer empty once Ctrl-C or a SIGTERM has come."""
    asked: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda had, _: asked.append(had)) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _keys_at_once() -> Iterator[None]:
    """Let a key be read as soon as it is pressed, unseen; the terminal is as it was afterwards."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield
    finally:
        with suppress(termios.error):  # it was closed meanwhile
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _pressed(seconds: float) -> bytes:
    """Return the keys that are pressed within so many seconds; q when the terminal is gone."""
    terminal = sys.stdin.fileno()
    if not select.select([terminal], [], [], seconds)[0]:
        return b""
    try:
        return os.read(terminal, 1024) or b"q"
    except OSError:
        return b"q"
