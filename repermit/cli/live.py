"""What `send` shows of itself while it runs: rate, in flight, deferred, time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from repermit.cli.session import is_terminal, tell

if TYPE_CHECKING:
    from repermit.dispatch.plan import Sent

_TERMINAL_SECONDS = 0.2
_PLAIN_SECONDS = 10.0
_RATE_SECONDS = 5.0  # over which the rate is measured
_HOUR, _MINUTE = 3600, 60


@dataclass
class Live:
    """Called after each mail; looks at the clock, and prints now and then."""

    limit: int | None
    terminal: bool = field(default_factory=is_terminal)
    clock: Callable[[], float] = time.monotonic
    _width: int = 0

    def __post_init__(self) -> None:
        self._shown_at = self._measured_at = self.clock()
        self._measured_mails = 0
        self._rate = 0.0

    def __call__(self, sent: Sent) -> None:
        """Show *sent*, if it is time."""
        now = self.clock()
        if now - self._shown_at >= (_TERMINAL_SECONDS if self.terminal else _PLAIN_SECONDS):
            self._show(sent, now)

    def end(self, sent: Sent) -> None:
        """Show the last figures, and leave the line."""
        if self.terminal and sent.mails:
            self._show(sent, self.clock())
            tell("")

    def _show(self, sent: Sent, now: float) -> None:
        text = self._text(sent, now)
        self._shown_at = now
        if self.terminal:
            typer.echo("\r" + text.ljust(self._width), nl=False, err=True)
            self._width = len(text)
        else:
            tell(text)

    def _text(self, sent: Sent, now: float) -> str:
        mails = sent.mails
        if now - self._measured_at >= _RATE_SECONDS or not self._rate:
            self._rate = (mails - self._measured_mails) / max(now - self._measured_at, 1e-3)
            self._measured_at, self._measured_mails = now, mails
        total = max(mails, sent.to_send if self.limit is None else min(sent.to_send, self.limit))
        parts = [f"{mails:,} of {total:,}", f"{self._rate:,.0f}/s", f"{sent.in_flight} in flight"]
        parts += [f"{sent.deferred:,} deferred", f"{sent.undeliverable:,} undeliverable"]
        if self._rate and total > mails:
            parts.append(f"{_in_words((total - mails) / self._rate)} left")
        return "  " + " · ".join(parts)


def _in_words(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
