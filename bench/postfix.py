"""Postfix's own test programs: smtp-sink takes mails and forgets them, smtp-source sends them.

They are found on PATH, or under the folder that REPERMIT_POSTFIX names (an unpacked package will
do), or in Debian's package, which is then unpacked into a folder and not installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import run
from bench.ports import LOOPBACK, free_port, wait_for

_BACKLOG = "100"
_LIBRARY = "libpostfix-global.so"


class PostfixMissing(Exception):
    """The test programs are not on this machine and cannot be had."""


@dataclass(frozen=True)
class Postfix:
    """Where the two programs are, and the folder of their libraries when it is not the system's."""

    sink: Path
    source: Path
    libraries: Path | None = None

    @contextmanager
    def sinking(self) -> Iterator[int]:
        """Run a sink; yield its port."""
        port = free_port()
        user = ("-u", "nobody") if os.geteuid() == 0 else ()
        with subprocess.Popen(
            self.command(self.sink, *user, f"{LOOPBACK}:{port}", _BACKLOG),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as sink:
            try:
                wait_for(port)
                yield port
            finally:
                sink.kill()

    def source_seconds(self, port: int, content: Path, *, mails: int, connections: int) -> float:
        """Return how long smtp-source takes for so many times *content*."""
        words = ("-d", "-s", str(connections), "-m", str(mails), "-F", str(content))
        command = self.command(self.source, *words, f"{LOOPBACK}:{port}")
        return run(command, cwd=content.parent).seconds

    def command(self, program: Path, *words: str) -> list[str]:
        """Return a command line; `env` sets the library path for this program only."""
        setting = [f"LD_LIBRARY_PATH={self.libraries}"] if self.libraries else []
        return ["env", *setting, str(program), *words]


def postfix(folder: Path) -> Postfix:
    """Return Postfix's test programs; a package that has to be fetched goes into *folder*.

    Raises: PostfixMissing, which says what is missing.
    """
    if named := os.environ.get("REPERMIT_POSTFIX"):
        return _checked(_under(Path(named)))
    sink, source = shutil.which("smtp-sink"), shutil.which("smtp-source")
    if sink and source:
        return _checked(Postfix(Path(sink), Path(source)))
    return _checked(_under(_unpacked(folder)))


def _under(folder: Path) -> Postfix:
    """Return the programs that are somewhere under *folder*."""
    sink, source = _first(folder, "smtp-sink"), _first(folder, "smtp-source")
    if sink is None or source is None:
        raise PostfixMissing("no smtp-sink and smtp-source under the folder of REPERMIT_POSTFIX")
    library = _first(folder, _LIBRARY)
    return Postfix(sink, source, library.parent if library else None)


def _first(folder: Path, name: str) -> Path | None:
    return next((path.absolute() for path in folder.rglob(name) if path.is_file()), None)


def _unpacked(folder: Path) -> Path:
    """Return where Debian's package of Postfix is unpacked."""
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise PostfixMissing("no smtp-sink on PATH, none named by REPERMIT_POSTFIX, and no apt-get")
    inside = folder / "postfix"
    inside.mkdir()
    try:
        run(["apt-get", "--quiet", "download", "postfix"], cwd=inside)
        run(["dpkg", "-x", next(inside.glob("*.deb")), inside], cwd=inside)
    except (RuntimeError, StopIteration) as failure:
        raise PostfixMissing(
            "no smtp-sink on PATH, none named by REPERMIT_POSTFIX, and `apt-get download postfix`"
            " failed"
        ) from failure
    return inside


def _checked(found: Postfix) -> Postfix:
    """Return *found*. Raises: PostfixMissing when the system lacks a library that it needs."""
    if shutil.which("ldd"):
        told = run(found.command(Path("ldd"), str(found.source)), cwd=Path.cwd()).out
        if lacks := [line.split()[0] for line in told.splitlines() if "not found" in line]:
            raise PostfixMissing(f"smtp-source lacks {', '.join(lacks)}")
    return found
