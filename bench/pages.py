"""Answer pages: requests a second beside a bare Starlette page, and what too many of them do."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.campaign import HERE, Campaign, ask_all, made
from bench.figures import Record
from bench.measure import Spread, cpu_seconds
from bench.ports import LOOPBACK, free_port, wait_for
from bench.wrk import Load, Request, Wrk, WrkMissing, wrk
from repermit.cli.assembly import pages
from repermit.domain.clock import SystemClock
from repermit.domain.token import Scope, Tokens
from repermit.respond.pages import View
from repermit.runtime import Runtime

_CONNECTIONS = 32
_WARM = 200  # of the people, who press before anybody counts
_MANY = 512  # connections, paced beyond what is carried: each waits for its answer


@dataclass(frozen=True)
class Cost:
    """What a load cost the server: requests a second, and milliseconds of its CPU a request."""

    per_second: float
    cpu_ms: float


@dataclass(frozen=True)
class Bench:
    """What the figures of one run of the benchmarks share."""

    folder: Path
    record: Record
    wrk: Wrk
    campaign: Campaign
    people: int
    runs: int
    seconds: int

    def print(self) -> None:
        """Print every figure of the pages."""
        gets, posts = self._gets(), self._posts()
        for name, requests in (("GET", gets), ("durable POST", posts)):
            pairs = []
            for _ in range(self.runs):
                with self._bare(gets[0]) as (port, pid):
                    _, beside = self._cost(port, pid, requests)
                with self._served() as (port, pid, copy):
                    seen, ours = self._cost(port, pid, requests)
                    if name != "GET":
                        _check_on_file(copy, seen, self.people - _WARM)
                pairs.append((ours, beside))
            self._print_pairs(name, pairs)
            carried = Spread.of([one.per_second for one, _ in pairs]).median
            self._print_loads(name, requests, carried)

    def _print_pairs(self, name: str, pairs: list[tuple[Cost, Cost]]) -> None:
        ours = Spread.of([one.per_second for one, _ in pairs])
        theirs = Spread.of([other.per_second for _, other in pairs])
        ratio = Spread.of([one.per_second / other.per_second for one, other in pairs])
        of_cpu = Spread.of([other.cpu_ms / one.cpu_ms for one, other in pairs])
        print(
            f"pages, {name}, {_CONNECTIONS} connections:"
            f" {ours:,.0f}/s,"
            f" {Spread.of([one.cpu_ms for one, _ in pairs]):.2f} ms of CPU each;"
            f" bare Starlette: {theirs:,.0f}/s,"
            f" {Spread.of([other.cpu_ms for _, other in pairs]):.2f} ms;"
            f" ratio {ratio:.2f}, by CPU {of_cpu:.2f}",
            flush=True,
        )
        self.record.note(
            "get" if name == "GET" else "post",
            ratio.median,
            f"{ours.median:,.0f}/s against {theirs.median:,.0f}; {of_cpu.median:.2f} by CPU",
        )

    def _print_loads(self, name: str, requests: Sequence[Request], carried: float) -> None:
        for words, share, connections in (
            ("half the load", 0.5, 64),
            (f"{_MANY} connections", 2, _MANY),
        ):
            with self._served() as (port, _, copy):
                seen = self.wrk.load(
                    port,
                    requests,
                    seconds=self.seconds,
                    connections=connections,
                    per_second=carried * share,
                )
                if name != "GET":
                    _check_on_file(copy, seen, self.people)
            print(
                f"pages, {name}, {words}: {seen.per_second:,.0f}/s,"
                f" median {seen.p50_ms:.1f} ms, p99 {seen.p99_ms:.1f} ms,"
                f" longest {seen.longest_ms:,.0f} ms; {seen.ok:,} answered, {seen.busy:,} told to"
                f" try again, {seen.failed:,} failed",
                flush=True,
            )

    def _cost(self, port: int, pid: int, requests: Sequence[Request]) -> tuple[Load, Cost]:
        self.wrk.load(port, requests[-_WARM:], seconds=1, connections=_CONNECTIONS)  # warm
        before = cpu_seconds(pid)
        seen = self.wrk.load(
            port, requests[:-_WARM], seconds=self.seconds, connections=_CONNECTIONS
        )
        if seen.failed or seen.busy:
            raise RuntimeError(f"not every request was answered: {seen}")
        return seen, Cost(seen.per_second, (cpu_seconds(pid) - before) * 1e3 / seen.answered)

    def _gets(self) -> list[Request]:
        return [
            Request(f"/yes/{token}") for token in _tokens(self.campaign, Scope.ANSWER, self.people)
        ]

    def _posts(self) -> list[Request]:
        return answers(self.campaign, self.people)

    @contextmanager
    def _served(self) -> Iterator[tuple[int, int, Campaign]]:
        """Serve a fresh copy of the campaign; yield its port, its process, and the copy."""
        port, folder = free_port(), self.folder / "served"
        shutil.copytree(self.campaign.folder, folder)
        copy = Campaign(folder)
        copy.set("web", bind=f'"{LOOPBACK}:{port}"')
        os.sync()
        try:
            with running("repermit", "--config", folder / "config.toml", "serve", port=port) as pid:
                _page(port, self._gets()[0])  # once before anybody counts
                yield port, pid, copy
        finally:
            shutil.rmtree(folder)

    @contextmanager
    def _bare(self, one: Request) -> Iterator[tuple[int, int]]:
        """Serve the very page of *one* as a bare Starlette server would; yield its port and its
        process."""
        template = self.folder / "bare.html"
        nonce = _runtime(self.campaign).tokens.issue(Scope.FORM, 1)
        with self._served() as (port, _, _):
            page = _page(port, one)
        template.write_text(page.replace(nonce, "{{ nonce }}"), "utf-8")
        bare = free_port()
        with running("bench.bare", str(bare), template, port=bare) as pid:
            yield bare, pid


def answers(campaign: Campaign, people: int) -> list[Request]:
    """Return a yes of everybody, each as the page of their own link sends it."""
    made, codes = pages(_runtime(campaign)), {}
    for language in ("nl", "fr"):
        view = View("question", language, "signed_up_no_proof")
        codes[language] = made.shown(view).code(view)
    with closing(sqlite3.connect(campaign.folder / "repermit.db")) as ledger:
        rows = ledger.execute("SELECT language FROM recipient ORDER BY id").fetchall()
    every = zip(
        _tokens(campaign, Scope.ANSWER, people),
        _tokens(campaign, Scope.FORM, people),
        rows,
        strict=True,
    )
    return [
        Request(f"/yes/{token}", f"nonce={nonce}&page={codes[language]}&answer=yes")
        for token, nonce, (language,) in every
    ]


def _tokens(campaign: Campaign, scope: Scope, people: int) -> list[str]:
    tokens: Tokens = _runtime(campaign).tokens
    return [tokens.issue(scope, number) for number in range(1, people + 1)]


def _runtime(campaign: Campaign) -> Runtime:
    return Runtime.of(campaign.folder / "config.toml", SystemClock())


def _page(port: int, one: Request) -> str:
    with urlopen(f"http://{LOOPBACK}:{port}{one.path}") as response:
        return bytes(response.read()).decode()


@contextmanager
def running(*words: str | Path, port: int) -> Iterator[int]:
    """Run a module of this Python that serves *port*, for the length of a block; yield the id of
    its process."""
    with subprocess.Popen(
        [sys.executable, "-m", *map(str, words)], cwd=HERE, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port)
            yield server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def _check_on_file(campaign: Campaign, seen: Load, people: int) -> None:
    """Raise RuntimeError unless everybody who was thanked, of so many, is on file."""
    thanked, opted_in = min(seen.ok, people), campaign.standings()["opted_in"]
    if opted_in < thanked:
        raise RuntimeError(f"{thanked} people were thanked, {opted_in} are on file")


def run(folder: Path, record: Record, *, people: int, runs: int, seconds: int) -> None:
    """Note the figures of the answer pages; say so when they cannot be had."""
    try:
        program = wrk(folder)
    except WrkMissing as missing:
        print(f"pages: left out, {missing}")
        return
    campaign = made(folder / "pages", people)
    ask_all(campaign, people)
    Bench(folder, record, program, campaign, people, runs, seconds).print()
