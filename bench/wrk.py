"""wrk, which loads a web server: on PATH, under the folder that REPERMIT_WRK names (an unpacked
package will do), or in Debian's package, which is then unpacked into a folder and not installed.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import run
from bench.ports import LOOPBACK

_PACKAGES = ("wrk", "libluajit-5.1-2")
_LIBRARY = "libluajit-5.1.so.2"
_SCRIPT = Path(__file__).with_name("wrk.lua")


class WrkMissing(Exception):
    """wrk is not on this machine and cannot be had."""


@dataclass(frozen=True)
class Request:
    """One request of a load; a body makes it a POST of a form."""

    path: str
    body: str = ""


@dataclass(frozen=True)
class Load:
    """What wrk saw: requests a second, milliseconds, and how many were answered how."""

    per_second: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    answered: int
    ok: int
    busy: int  # 503
    failed: int  # any other status, and connections that broke or waited for too long


@dataclass(frozen=True)
class Wrk:
    """Where the program is, and the folder of its library when it is not the system's."""

    program: Path
    libraries: Path | None = None

    def load(
        self,
        port: int,
        requests: Sequence[Request],
        *,
        seconds: int,
        connections: int,
        per_second: float = 0,
    ) -> Load:
        """Load the server at *port* with *requests*, over and over; at *per_second*, in chance
        intervals, or as fast as it answers when that is 0."""
        with tempfile.TemporaryDirectory(prefix="repermit-wrk-") as folder:
            listed = Path(folder) / "requests"
            listed.write_text("".join(f"{one.path}\t{one.body}\n" for one in requests), "utf-8")
            pause_ms = 1000 * connections / per_second if per_second else 0
            words = [*self._command(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=30s"]
            words += ["-s", str(_SCRIPT), f"http://{LOOPBACK}:{port}", "--"]
            out = run([*words, listed, str(pause_ms)], cwd=Path(folder)).out
        return Load(**json.loads(out.strip().splitlines()[-1]))

    def _command(self) -> list[str]:
        """Return a command line; `env` sets the library path for this program only."""
        setting = [f"LD_LIBRARY_PATH={self.libraries}"] if self.libraries else []
        return ["env", *setting, str(self.program)]


def wrk(folder: Path) -> Wrk:
    """Return wrk; a package that has to be fetched goes into *folder*.

    Raises: WrkMissing, which says what is missing.
    """
    if named := os.environ.get("REPERMIT_WRK"):
        return _under(Path(named))
    if program := shutil.which("wrk"):
        return Wrk(Path(program))
    return _under(_unpacked(folder))


def _under(folder: Path) -> Wrk:
    program, library = _first(folder, "wrk"), _first(folder, _LIBRARY)
    if program is None:
        raise WrkMissing("no wrk under the folder of REPERMIT_WRK")
    return Wrk(program, library.parent if library else None)


def _first(folder: Path, name: str) -> Path | None:
    return next((path.absolute() for path in folder.rglob(name) if path.is_file()), None)


def _unpacked(folder: Path) -> Path:
    """Return where Debian's packages of wrk and its library are unpacked."""
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise WrkMissing("no wrk on PATH, none named by REPERMIT_WRK, and no apt-get")
    inside = folder / "wrk"
    inside.mkdir()
    try:
        run(["apt-get", "--quiet", "download", *_PACKAGES], cwd=inside)
        for package in inside.glob("*.deb"):
            run(["dpkg", "-x", package, inside], cwd=inside)
    except RuntimeError as failure:
        raise WrkMissing(
            "no wrk on PATH, none named by REPERMIT_WRK, and `apt-get download wrk` failed"
        ) from failure
    return inside
