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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from repermit.cli import main
from repermit.cli.begin import write_campaign
from repermit.domain.clock import SystemClock
from repermit.domain.standing import Answer, Way
from repermit.domain.token import Scope, Tokens
from repermit.ledger.store.answering import Press, file_answer
from repermit.ledger.store.origin import Origin, keep_origin, origins
from repermit.ledger.transaction import Transaction
from repermit.runtime import Runtime
from tests.builders import FakeClock, asked, standings
from tests.journeys.relay import free_port
from tests.respond.builders import Page, served

pytestmark = pytest.mark.torture

KILLS = max(3, int(os.environ.get("REPERMIT_KILLS", "12")) // 10)
PEOPLE_A_KILL, AT_ONCE = 400, 8
FILES, FORGED = 128, 100_000
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

    def link(self, recipient_id: int) -> str:
        """Return the path of somebody's Yes link."""
        tokens = Runtime.of(self.config, SystemClock()).tokens
        return f"/yes/{tokens.issue(Scope.ANSWER, recipient_id)}"

    def exchange(self, path: str, fields: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Open *path*, or send a form to it, over a connection of its own; return what is said."""
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)) as one:
            if fields is None:
                one.request("GET", path)
            else:
                one.request("POST", path, urlencode(fields), _FORM)
            response = one.getresponse()
            return response.status, response.read().decode()

    def beside(self) -> Pages:
        """Return the pages of the same campaign on a port of their own."""
        port, config = free_port(), self.config.with_name("beside.toml")
        text = self.config.read_text("utf-8")
        config.write_text(text.replace(f"127.0.0.1:{self.port}", f"127.0.0.1:{port}"), "utf-8")
        return Pages(config, port, self.ids)

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


def yes_on(page: str) -> dict[str, str]:
    """Return what the Yes button of *page* sends."""
    return {**Page(page).hidden, "answer": "yes"}


def test_promise_6_a_page_of_one_server_is_answered_at_another_and_after_a_restart(
    tmp_path: Path,
) -> None:
    """Two processes over one ledger; nothing but the form goes with the press, no cookie."""
    one = some_pages(tmp_path, 2)
    other = one.beside()
    an, jan = one.link(one.ids[0]), one.link(one.ids[1])

    with one.served(), other.served():
        opened = [one.exchange(an)[1], one.exchange(jan)[1]]
        assert other.exchange(an, yes_on(opened[0]))[0] == 200
    with one.served():
        assert one.exchange(jan, yes_on(opened[0]))[0] == 200  # the page of somebody else
        assert one.standings()[one.ids[1]] == "asked"
        assert one.exchange(jan, yes_on(opened[1]))[0] == 200

    assert set(one.standings().values()) == {"opted_in"}


def test_where_a_yes_came_from_goes_by_itself_when_its_time_is_over(tmp_path: Path) -> None:
    """The server does it, from its start on."""
    pages = some_pages(tmp_path, 2)

    def said_yes(tx: Transaction, until: timedelta) -> None:
        for one in pages.ids:
            press = Press(Answer.YES, Way.FORM, "Ja", "nl", ("newsletter",), None, "0.1.0")
            file_answer(tx, one, press)
            keep_origin(tx, one, Origin("198.51.100.0/24", "Mozilla/5.0", tx.now + until))
            until = -until

    async def with_ledger(part: Callable[..., Any], *args: Any) -> Any:
        async with Runtime.of(pages.config, SystemClock()).ledger() as ledger:
            return await ledger.write(part, *args)

    def kept(tx: Transaction) -> list[int]:
        return [one for one in pages.ids if origins(tx, one)]

    asyncio.run(with_ledger(said_yes, timedelta(days=1)))
    assert asyncio.run(with_ledger(kept)) == pages.ids
    with pages.served():
        end = time.monotonic() + _SECONDS
        while asyncio.run(with_ledger(kept)) != pages.ids[:1]:
            assert time.monotonic() < end, "it is still there"


async def test_a_hundred_thousand_forged_links_are_rejected_without_a_look_at_the_ledger(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """The ledger is away, which every look at it would show; half of them are presses."""
    tokens = Tokens([b"x" * 32])
    statuses: Counter[int] = Counter()

    async def receive() -> Any:
        pytest.fail("the form of a forged link was read")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses[message["status"]] += 1

    async with served(campaign_folder, a_clock) as site:
        app = site.client._transport.app  # type: ignore[attr-defined]  # our own app
        site.ledger.path.rename(away := site.ledger.path.with_name("away.db"))
        for number in range(1, FORGED + 1):
            path = f"/yes/{tokens.issue(Scope.ANSWER, number)}"
            method = "POST" if number % 2 else "GET"
            client = (f"198.51.{number % 200}.1", 1)
            scope = {"type": "http", "method": method, "path": path, "headers": []}
            await app({**scope, "client": client}, receive, send)
        away.rename(site.ledger.path)

    assert set(statuses) == {404, 429}
    assert statuses.total() == FORGED
