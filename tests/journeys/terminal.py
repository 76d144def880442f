"""A person at a terminal: types what a command asks for."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parents[2]
_SECONDS = 60.0
_LATER = (  # the product has no way to falsify its clock
    "import sys; from datetime import timedelta; from repermit.cli import main;"
    " from tests.journeys.campaign import Later;"
    " sys.exit(main(sys.argv[2:], clock=Later(timedelta(days=int(sys.argv[1])))))"
)


def typed(
    words: Sequence[str | Path],
    answers: Sequence[tuple[str, str]],
    *,
    cwd: Path,
    code: int = 0,
    days: int = 0,
) -> str:
    """Run `repermit` with *words* at a terminal and return what it showed; it must end with *code*.
    It runs so many *days* later.

    *answers* are what the screen must show, in that order, and what is then typed.
    """
    process, screen = pty.fork()
    if process == 0:
        os.chdir(cwd)
        program = ["-c", _LATER, str(days)] if days else ["-m", "repermit"]
        command = [sys.executable, *program, *map(str, words)]
        os.execve(sys.executable, command, os.environ | {"PYTHONPATH": str(SOURCES)})  # noqa: S606 - ours
    shown, seen = "", 0
    try:
        for wanted, answer in answers:
            shown = _shown_until(screen, shown, seen, wanted)
            seen = shown.index(wanted, seen) + len(wanted)
            os.write(screen, f"{answer}\n".encode())
        shown = _shown_until(screen, shown, seen, None)
    finally:
        os.close(screen)
        _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == code, shown
    return shown.replace("\r\n", "\n")


def _shown_until(screen: int, shown: str, seen: int, wanted: str | None) -> str:
    """Return what the screen shows once *wanted* is on it, or at the end."""
    end = time.monotonic() + _SECONDS
    while wanted is None or wanted not in shown[seen:]:
        assert time.monotonic() < end, f"{wanted!r} was not asked: {shown}"
        if not select.select([screen], [], [], 1.0)[0]:
            continue
        try:
            part = os.read(screen, 65536)
        except OSError:  # the other side has ended
            part = b""
        if not part:
            assert wanted is None, f"{wanted!r} was not asked: {shown}"
            return shown
        shown += part.decode("utf-8", "replace")
    return shown
