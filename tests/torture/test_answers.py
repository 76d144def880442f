"""Whoever is thanked is on file: a real server, killed at any instant while people answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from repermit.cli import main
from repermit.cli.begin import write_campaign
from repermit.domain.clock import SystemClock
from repermit.domain.token import Scope
from repermit.runtime import Runtime
from tests.builders import asked, standings
from tests.journeys.relay import free_port

pytestmark = pytest.mark.torture

KILLS = max(3, int(os.environ.get("REPERMIT_KILLS", "30")) // 10)
PEOPLE_A_KILL, AT_ONCE = 400, 8
FILES = 128
_SECONDS = 30
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Pages:
    """A campaign on disk whose pages are served by a process of their own."""

    config: Path
    port: int
    ids: list[int]
    thanked: set[int] = field(default_factory=set)

    @contextlib.contextmanager
    def served(self, *, files: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Serve the pages, with so many file descriptors; the process is killed at the end."""

        def limit() -> None:
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        command = [sys.executable, "-m", "repermit", "--config", str(self.config), "serve"]
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=limit,
        ) as process:
            try:
                self._wait(process)
                yield process
            finally:
                process.kill()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _SECONDS
        while True:
            assert process.poll() is None
            assert time.monotonic() < end, "the pages never came up"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.05)

    def press(self, recipient_id: int, connection: HTTPConnection) -> bool:
        """Say no, and return whether that was thanked for, to the last byte."""
        token = Runtime.of(self.config, SystemClock()).tokens.issue(Scope.UNSUBSCRIBE, recipient_id)
        connection.request("POST", f"/u/{token}", "List-Unsubscribe=One-Click", _FORM)
        response = connection.getresponse()
        return response.status == 200 and b"</html>" in response.read()

    def standings(self) -> dict[int, str]:
        """Return where everybody stands."""

        async def read() -> dict[int, str]:
            async with Runtime.of(self.config, SystemClock()).ledger() as ledger:
                return await standings(ledger)

        return asyncio.run(read())


def some_pages(folder: Path, people: int) -> Pages:
    """Make a campaign whose people all have their mail."""
    port = free_port()
    write_campaign(folder, {"policy.accepted_by": "An Peeters"})
    config = folder / "config.toml"
    text = config.read_text("utf-8").replace(
        'bind = "127.0.0.1:8080"', f'bind = "127.0.0.1:{port}"'
    )
    config.write_text(text, "utf-8")

    async def fill() -> list[int]:
        async with Runtime.of(config, SystemClock()).ledger(create=True) as ledger:
            ids: list[int] = []
            while len(ids) < people:
                part = range(len(ids), min(people, len(ids) + 1_000))
                ids += await asked(ledger, *(f"person{one}@list.example" for one in part))
            return ids

    return Pages(config, port, asyncio.run(fill()))


def answer_until_it_dies(pages: Pages, tokens: list[tuple[int, str]], lock: threading.Lock) -> None:
    """Press one link after another, and note who was thanked; end with the server."""
    connection = HTTPConnection("127.0.0.1", pages.port, timeout=_SECONDS)
    with contextlib.suppress(OSError, HTTPException), contextlib.closing(connection):
        while tokens:
            with lock:
                recipient_id, token = tokens.pop()
            connection.request("POST", f"/u/{token}", "List-Unsubscribe=One-Click", _FORM)
            response = connection.getresponse()
            if response.status == 200 and b"</html>" in response.read():
                with lock:
                    pages.thanked.add(recipient_id)


def test_after_any_kill_whoever_was_thanked_is_on_file(tmp_path: Path) -> None:
    seed = int(os.environ.get("REPERMIT_SEED", secrets.randbits(32)))
    print(f"REPERMIT_SEED={seed}")
    chance, lock = random.Random(seed), threading.Lock()
    pages = some_pages(tmp_path, KILLS * PEOPLE_A_KILL)
    issue = Runtime.of(pages.config, SystemClock()).tokens.issue
    killed_among = 0

    for number in range(KILLS):
        mine = pages.ids[number * PEOPLE_A_KILL : (number + 1) * PEOPLE_A_KILL]
        tokens = [(one, issue(Scope.UNSUBSCRIBE, one)) for one in mine]
        before = len(pages.thanked)
        with pages.served() as server:
            people = [
                threading.Thread(target=answer_until_it_dies, args=(pages, tokens, lock))
                for _ in range(AT_ONCE)
            ]
            for one in people:
                one.start()
            while len(pages.thanked) == before:
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, 0.3))
            server.send_signal(signal.SIGKILL)
            server.wait()
            for one in people:
                one.join()
        killed_among += bool(tokens)
        stands = pages.standings()
        assert {stands[one] for one in pages.thanked} == {"opted_out"}
        on_file = sum(standing == "opted_out" for standing in stands.values())
        assert on_file <= len(pages.thanked) + AT_ONCE * (number + 1)

    assert killed_among > 0, "no kill came while people answered"
    assert main(["--config", str(pages.config), "proof", "verify"]) == 0


def test_when_the_descriptors_run_out_people_can_still_answer(tmp_path: Path) -> None:
    """Three times as many connections as the process may have files, none of which says a word."""
    pages = some_pages(tmp_path, 2)

    with pages.served(files=FILES), contextlib.ExitStack() as held:
        for _ in range(3 * FILES):
            with contextlib.suppress(OSError):
                silent = socket.create_connection(("127.0.0.1", pages.port), timeout=_SECONDS)
                held.enter_context(silent)
        with contextlib.closing(HTTPConnection("127.0.0.1", pages.port, timeout=_SECONDS)) as one:
            assert pages.press(pages.ids[0], one)
        held.close()
        with contextlib.closing(HTTPConnection("127.0.0.1", pages.port, timeout=_SECONDS)) as one:
            assert pages.press(pages.ids[1], one)

    assert set(pages.standings().values()) == {"opted_out"}
