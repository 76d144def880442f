"""`status --watch` at a real terminal, in a process of its own, while others work."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.campaign import LISTED, Campaign, address
from tests.journeys.terminal import SOURCES

pytestmark = pytest.mark.journey
_SECONDS = 30.0
_ALTERNATE, _BACK, _CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


@dataclass
class Watching:
    """A `status --watch` at a terminal; `shown` is all that it has written so far."""

    process: int
    screen: int
    shown: str = ""
    code: int | None = None

    def until(self, wanted: str, *, since: int = 0) -> int:
        """Wait until *wanted* is written after *since*, and return where that ends."""
        end = time.monotonic() + _SECONDS
        while not (found := re.search(wanted, self.shown[since:])):
            assert time.monotonic() < end, f"{wanted!r} was not shown: {self.shown[since:]}"
            assert self._read() or self.code is None, self.shown
        return since + found.end()

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.screen, keys)

    def resize(self, *, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self) -> list[object]:
        """Return how the terminal is set: whether it echoes, what Ctrl-C does, and the like."""
        return list(termios.tcgetattr(self.screen))[:4]

    def ended(self) -> int:
        """Wait for its end and return its code."""
        end = time.monotonic() + _SECONDS
        while self.code is None:
            assert time.monotonic() < end, self.shown
            self._read()
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                self.code = os.waitstatus_to_exitcode(status)
        self._read()
        return self.code

    def _read(self) -> bool:
        if not select.select([self.screen], [], [], 0.1)[0]:
            return False
        try:
            part = os.read(self.screen, 65536)
        except OSError:  # the other side has ended
            return False
        self.shown += part.decode("utf-8", "replace")
        return bool(part)


@contextmanager
def watching(campaign: Campaign, *, columns: int = 90, rows: int = 40) -> Iterator[Watching]:
    """Watch a campaign at a terminal of that size."""
    process, screen = pty.fork()
    if process == 0:
        time.sleep(0.3)  # until the terminal has its size
        command = [sys.executable, "-m", "repermit", "--config", str(campaign.config)]
        environment = os.environ | {"PYTHONPATH": str(SOURCES), "TERM": "xterm-256color"}
        os.execve(sys.executable, [*command, "status", "--watch"], environment)  # noqa: S606 - ours
    found = Watching(process, screen)
    found.resize(columns=columns, rows=rows)
    try:
        yield found
    finally:
        if found.code is None:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        os.close(screen)


@pytest.mark.parametrize("way", ["q", "ctrl-c", "sigterm"])
def test_it_ends_as_asked_and_leaves_the_terminal_as_it_was(asked: Campaign, way: str) -> None:
    with watching(asked) as screen:
        before = screen.settings()
        screen.until("q ends it")

        if way == "sigterm":
            os.kill(screen.process, signal.SIGTERM)
        else:
            screen.type({"q": b"q", "ctrl-c": b"\x03"}[way])

        assert screen.ended() == 0
        assert screen.settings() == before
    assert screen.shown.count(_ALTERNATE) == screen.shown.count(_BACK) == 1
    assert screen.shown.rindex(_CURSOR) > screen.shown.rindex("q ends it")
    assert "Traceback" not in screen.shown


def test_it_shows_what_changes_while_it_is_watched(asked: Campaign) -> None:
    """What was wrong first, with what to do; nobody who writes waits for it, and no address is
    on the screen."""
    with watching(asked) as screen:
        at = screen.until("q ends it")
        assert "asked, silent" in screen.shown
        assert "measuring" in screen.shown

        asked.here("pause")
        at = screen.until("the campaign is paused", since=at)
        at = screen.until("`repermit resume`", since=at)
        asked.here("suppress", "-", stdin=address(3))
        at = screen.until(r"said no +1\b", since=at)
        asked.here("resume")

        screen.type(b"q")
        assert screen.ended() == 0
    assert "@" not in screen.shown
    assert f"{LISTED:,} have left" in screen.shown


def test_a_ledger_that_is_away_for_a_while_is_looked_for_again(asked: Campaign) -> None:
    aside = asked.ledger.with_name("aside.db")
    with watching(asked) as screen:
        at = screen.until("q ends it")
        asked.ledger.rename(aside)
        at = screen.until("the ledger is gone", since=at)
        screen.until("what to do: put it back", since=at)
        aside.rename(asked.ledger)
        at = screen.until("q ends it", since=screen.until("asked, silent", since=at))
        asked.here("pause")
        screen.until("the campaign is paused", since=at)

        screen.type(b"q")
        assert screen.ended() == 0


def test_a_terminal_may_be_tiny_and_may_change_its_size(asked: Campaign) -> None:
    """No line is wrapped, and none is missing because the screen has rolled."""
    with watching(asked, columns=20, rows=4) as screen:
        at = screen.until("q ends it")
        assert "imported" not in screen.shown
        screen.resize(columns=120, rows=50)
        at = screen.until("root [0-9a-f]{64}", since=at)
        screen.resize(columns=1, rows=1)
        time.sleep(0.5)
        screen.resize(columns=90, rows=40)
        screen.until("imported", since=at)

        screen.type(b"q")
        assert screen.ended() == 0
    assert "Traceback" not in screen.shown


def test_where_there_is_no_terminal_it_is_one_look(asked: Campaign) -> None:
    found = asked.run("status", "--watch")

    assert "\x1b" not in found.out
    assert re.search(rf"imported +{asked.status()['admitted']}\b", found.out)
    assert asked.status()["log"]["root"] in found.out
    assert "no terminal" in found.err


def test_a_screen_and_a_program_do_not_go_together(asked: Campaign, tmp_path: Path) -> None:
    found = asked.run("status", "--watch", "--json", expect=2)

    assert "take one of them" in found.json["error"]


def test_a_campaign_without_a_ledger_says_what_to_do(begun: Campaign) -> None:
    found = begun.run("status", "--watch", expect=1)

    assert "what to do: " in found.err
