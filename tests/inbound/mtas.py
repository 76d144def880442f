"""Private instances of Postfix and Exim, as Debian packs them: unpacked, not installed.

They are looked for under REPERMIT_POSTFIX and REPERMIT_EXIM, and where the Makefile unpacks them.
Each runs in a folder of its own, takes mails on a port of this machine, and delivers what comes
back into a maildir. They need root, which they give up for the users that every system has.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

BOUNCES = "bounces.tuinvrienden.example"  # what comes back to it is kept
LOCAL = "lokaal.example"  # whose mailboxes are here
_CONFIGS = Path(__file__).with_name("mtas")
_SECONDS = 60.0
_USER = "nobody"
_QUEUES = (
    *("incoming", "active", "deferred", "bounce", "defer", "trace", "corrupt", "hold"),
    *("private", "public", "maildrop", "flush", "saved"),
)
_BUILT_FOR = b"Debian-exim\0"


@dataclass(frozen=True)
class Mta:
    """A mail server that runs: the port where it takes mails, the maildir of what comes back, and
    its log."""

    port: int
    maildir: Path
    log: Path

    def came_back(self, least: int) -> list[bytes]:
        """Return what came back, once there are *least* messages. Raises: AssertionError."""
        end = time.monotonic() + _SECONDS
        while len(found := sorted((self.maildir / "new").glob("*"))) < least:
            if time.monotonic() > end:
                log = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
                raise AssertionError(f"{len(found)} of {least} messages came back\n{log}")
            time.sleep(0.1)
        return [path.read_bytes() for path in found]


@contextmanager
def postfix() -> Iterator[Mta]:
    """Run Postfix for the length of a block."""
    package = _package("postfix", "libpostfix-global.so")
    with _folder() as folder:
        programs = Path(shutil.copytree(package.parent, folder / "lib"))
        shutil.copy(next(package.parents[1].parent.rglob("smtp-source")), folder)
        port = _free_port()
        etc = _written("postfix", folder, PORT=port, USER=_USER, PYTHON=sys.executable)
        _mailboxes(folder)
        (folder / "queue").mkdir()
        (folder / "queue" / "pid").mkdir()
        _owned(folder / "data", "mail")
        for name in _QUEUES:
            _owned(folder / "queue" / name, "mail")
        (etc / "answers").chmod(0o755)
        env = {"LD_LIBRARY_PATH": str(programs), "PATH": os.defpath}
        with _running([programs / "sbin" / "master", "-d", "-c", etc], port, env, folder / "log"):
            yield Mta(port, folder / "inbound", folder / "log")


@contextmanager
def exim() -> Iterator[Mta]:
    """Run Exim for the length of a block.

    Debian builds it for a user of its own; in our copy that is one whom every system has.
    """
    package = _package("exim", "exim4")
    with _folder() as folder:
        program = folder / "exim"
        built = package.read_bytes()
        program.write_bytes(built.replace(_BUILT_FOR, _USER.encode().ljust(len(_BUILT_FOR), b"\0")))
        program.chmod(0o755)
        (folder / "lib").mkdir()
        for library in package.parents[2].rglob("libidn.so*"):
            shutil.copy(library, folder / "lib")
        port = _free_port()
        etc = _written("exim", folder, PORT=port, USER=_USER)
        _mailboxes(folder)
        _owned(folder / "spool", _USER)
        env = {"LD_LIBRARY_PATH": str(folder / "lib"), "PATH": os.defpath}
        command = [program, "-C", etc / "exim.conf", "-bdf", "-q1s", "-oX", f"127.0.0.1:{port}"]
        with _running(command, port, env, folder / "spool" / "mainlog"):
            yield Mta(port, folder / "inbound", folder / "spool" / "mainlog")


def _package(name: str, file: str) -> Path:
    """Return where *file* of a package lies; skip the test, or fail under CI, when it does not."""
    named = os.environ.get(f"REPERMIT_{name.upper()}")
    folder = Path(named) if named else Path(sys.prefix) / "mtas" / name
    found = next((path for path in folder.rglob(file) if path.is_file()), None)
    reason = f"{name} is not there: what it sends back was NOT read (REPERMIT_{name.upper()})"
    if found and os.geteuid() != 0:
        reason = f"only root can run {name}: what it sends back was NOT read"
    elif found:
        return found.absolute()
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that other users may enter, unlike those of pytest."""
    with TemporaryDirectory(prefix="repermit-mta-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def _written(name: str, folder: Path, **places: object) -> Path:
    """Return the folder of the config, whose places are filled."""
    etc = folder / "etc"
    etc.mkdir()
    for path in (_CONFIGS / name).iterdir():
        text = path.read_text("utf-8")
        for place, value in {
            "FOLDER": folder,
            "BOUNCES": BOUNCES,
            "LOCAL": LOCAL,
            **places,
        }.items():
            text = text.replace(f"@{place}@", str(value))
        (etc / path.name).write_text(text, "utf-8")
    return etc


def _mailboxes(folder: Path) -> None:
    """Make the maildirs, and a mailbox that is as full as it may be."""
    for name in ("inbound", "een", "twee"):
        _owned(folder / name, _USER)
    full = _owned(folder / "full", _USER) / "vol"
    full.write_bytes(b"From a@b.example Fri Nov 20 09:31:04 2026\n\n" + b"x\n" * 149_000)
    shutil.chown(full, _USER)


def _owned(folder: Path, user: str) -> Path:
    folder.mkdir()
    shutil.chown(folder, user)
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def _running(
    command: Sequence[str | Path], port: int, env: dict[str, str], log: Path
) -> Iterator[None]:
    """Run a server in a session of its own; at the end it and all that it started are ended."""
    with subprocess.Popen(
        list(map(str, command)),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as server:
        try:
            _wait_for(port, server, log)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(10)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                server.kill()
                assert server.stdout is not None
                said = server.stdout.read().decode("utf-8", "replace")
                kept = log.read_text("utf-8", "replace") if log.exists() else ""
                raise AssertionError(f"it does not run: {said}{kept}") from None
            time.sleep(0.1)
