"""Runs whole commands and says how long they took and how much memory they needed."""

from __future__ import annotations

import os
import signal
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


# Runs a command from a process that is small: what the kernel counts as the most memory of a
# process begins with that of whoever started it.
_SMALL = """
import os, sys, time
started = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - started
cost = (seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
os.write(int(sys.argv[1]), " ".join(map(repr, cost)).encode())
sys.exit(os.waitstatus_to_exitcode(status) & 255)
"""


def run(command: Sequence[str | Path], *, cwd: Path, said: str = "") -> Ran:
    """Run a command that hears *said* to its end, and return what it cost.

    Raises: RuntimeError when it fails.
    """
    with (
        tempfile.TemporaryFile() as heard,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        tempfile.TemporaryFile() as cost,
    ):
        heard.write(said.encode())
        heard.seek(0)
        words = [sys.executable, "-I", "-S", "-c", _SMALL, str(cost.fileno()), *map(str, command)]
        process = subprocess.Popen(
            words,
            cwd=cwd,
            stdin=heard,
            stdout=out,
            stderr=err,
            pass_fds=[cost.fileno()],
            start_new_session=True,
        )
        try:
            process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # nothing that was started stays behind
            process.wait()
            raise
        for each in (out, err, cost):
            each.seek(0)
        if process.returncode:
            told = (out.read() + err.read()).decode()
            raise RuntimeError(f"{command} ended {process.returncode}: {told}")
        seconds, cpu, peak = map(float, cost.read().split())
        return Ran(seconds, cpu, int(peak) * _rss_unit(), out.read().decode())


def python(*words: str | Path, cwd: Path, said: str = "") -> Ran:
    """Run this Python with *words*."""
    return run([sys.executable, *words], cwd=cwd, said=said)


def cpu_seconds(pid: int) -> float:
    """Return the CPU, user and system, that a running process has used. Source: proc(5), stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int) -> int:
    """Return the most memory that a running process has needed. Source: proc(5), status."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


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


def _rss_unit() -> int:
    return 1 if sys.platform == "darwin" else 1024
