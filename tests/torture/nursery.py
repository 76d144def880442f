"""Senders that start in no time: forked from a process that has loaded all their code.

A sender that Python itself has to start needs more than a second before it opens the ledger, so
that hardly any kill would land where it matters. What is forked here is a process like any other:
it opens its own ledger, locks and connections.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

_LOADED = (
    *("repermit.cli.assembly", "repermit.cli.changes", "repermit.cli.live"),
    *("repermit.dispatch.run", "repermit.ledger.store.approval", "repermit.ledger.tables"),
)


class Nursery:
    """Starts senders of the campaign that *config* describes, one at a time."""

    def __init__(self, config: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.nursery", config],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            pass  # without more orders it ends

    def sender(self) -> int:
        """Start a sender and return its process id."""
        return self._ask()

    def killed(self, pid: int) -> int:
        """Kill that sender and return how it ended, which may have been before."""
        os.kill(pid, signal.SIGKILL)
        return self._ask()

    def _ask(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def _serve(config: str) -> None:
    """Fork a sender when a line comes in and tell its process id; at the next line, its end."""
    for name in _LOADED:
        importlib.import_module(name)
    while sys.stdin.buffer.readline():
        pid = os.fork()
        if not pid:
            _send(config)
        print(pid, flush=True)
        sys.stdin.buffer.readline()  # until then it can be killed: its id is nobody else's
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _send(config: str) -> None:
    from repermit.cli import main

    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os._exit(main(["--config", config, "send", "--json"]))


if __name__ == "__main__":
    _serve(sys.argv[1])
