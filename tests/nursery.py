"""Commands that start in no time: forked from a process that has loaded all their code.

What is forked here is a process like any other, with its own descriptors, folder and environment:
it opens its own ledger, locks and connections.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from pkgutil import walk_packages

_ROOT = Path(__file__).parents[1]


class Nursery:
    """Starts commands, one at a time, and runs each to its end."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env=dict(environment),
        )

    def run(
        self,
        words: Sequence[str],
        files: Sequence[Path],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        seconds: float,
    ) -> int:
        """Run a command to its end and return how it ended; *files* are its input, which is there,
        its output and its errors. Raises: TimeoutError, the command killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = [list(words), list(map(str, files)), str(cwd), dict(environment)]
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        pid = self._told()
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            os.kill(pid, signal.SIGKILL)
            self._told()
            raise TimeoutError(f"{words} took longer than {seconds:g} seconds")
        return self._told()

    def close(self) -> None:
        """End it."""
        with self._process:
            pass  # without more orders it ends

    def _told(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def _serve() -> None:
    """Run each command that a line describes; tell its process id, then how it ended."""
    with os.fdopen(os.dup(0), "rb") as orders, os.fdopen(os.dup(1), "wb", 0) as told:
        import repermit

        for found in walk_packages(repermit.__path__, "repermit."):
            if not found.name.endswith(("__main__", ".env")) and "versions" not in found.name:
                importlib.import_module(found.name)
        for line in orders:
            pid = os.fork()
            if not pid:
                orders.close()
                _become(*json.loads(line))
            told.write(b"%d\n" % pid)
            told.write(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _become(words: list[str], files: list[str], cwd: str, environment: dict[str, str]) -> None:
    """Be that command, to its end."""
    from repermit.cli import main

    flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_TRUNC] * 2)
    for number, (name, flag) in enumerate(zip(files, flags, strict=True)):
        os.dup2(os.open(name, flag, 0o600), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    code = main(words)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
