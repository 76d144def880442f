"""Runs whole commands and says how long they took and how much memory they needed."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SYNCS = 50


@dataclass(frozen=True)
class Ran:
    """One command that ended well: seconds by the clock and of CPU (user and system), the most
    memory of one of its processes, and what it printed."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    out: str


@dataclass(frozen=True)
class Spread:
    """The median of a few runs, with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Return how *figures* lie."""
        return cls(statistics.median(figures), min(figures), max(figures))

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} ({self.least:{spec}} to {self.most:{spec}})"


def run(command: Sequence[str | Path], *, cwd: Path) -> Ran:
    """Run a command to its end and return what it cost. Raises: RuntimeError when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), cwd=cwd, stdout=out, stderr=err, stdin=subprocess.DEVNULL
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()  # nothing that was started stays behind
            raise
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            said = (out.read() + err.read()).decode()
            raise RuntimeError(f"{command} ended {process.returncode}: {said}")
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return Ran(seconds, cpu_seconds, usage.ru_maxrss * _rss_unit(), out.read().decode())


def python(*words: str | Path, cwd: Path) -> Ran:
    """Run this Python with *words*."""
    return run([sys.executable, *words], cwd=cwd)


def cpu_seconds(pid: int) -> float:
    """Return the CPU, user and system, that a running process has used. Source: proc(5), stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sync_seconds(folder: Path) -> float:
    """Return what one fsync of a small file costs on the disk of *folder*."""
    path = folder / "sync"
    with path.open("wb") as file:
        started = time.perf_counter()
        for _ in range(_SYNCS):
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - started) / _SYNCS


def own_peak_bytes() -> int:
    """Return the most memory that this process has needed."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _rss_unit()


def _rss_unit() -> int:
    return 1 if sys.platform == "darwin" else 1024
