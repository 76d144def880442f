"""Several machines: senders and answer servers that share one ledger, on both databases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.campaign import HERE, Campaign, ask_all, made
from bench.figures import Record
from bench.measure import Spread
from bench.pages import answers, running
from bench.ports import LOOPBACK, free_port
from bench.postfix import Postfix, PostfixMissing, postfix
from bench.postgres import Server, serving
from bench.wrk import Request, Wrk, WrkMissing, wrk
from repermit.ledger import transfer
from repermit.ledger.postgres.engine import PostgreSQL

_SENDERS, _SERVERS = (1, 2, 4), (1, 2)
_CONNECTIONS = 10  # of all senders together
_LOADED = 32


@dataclass(frozen=True)
class Bench:
    """What the figures share; `server` is None where the ledger is a SQLite file."""

    folder: Path
    server: Server | None
    runs: int
    seconds: int  # that the servers are loaded

    @property
    def database(self) -> str:
        """Return what the ledger is in."""
        return "PostgreSQL" if self.server else "SQLite"

    def send(self, program: Postfix, campaign: Campaign, mails: int) -> dict[int, float]:
        """Return how many mails a second so many sender processes send together."""
        alone, seen = 0.0, {}
        for senders in _SENDERS:
            found = [self._sent(program, campaign, senders, mails) for _ in range(self.runs)]
            spread = Spread.of(found)
            alone, seen[senders] = alone or spread.median, spread.median
            print(
                f"machines, send, {self.database}, {senders} sender processes,"
                f" {mails:,} mails over {_CONNECTIONS} connections: {spread:,.0f} mails/s;"
                f" ratio to one {spread.median / alone:.2f}",
                flush=True,
            )
        return seen

    def answer(self, program: Wrk, campaign: Campaign, people: int) -> dict[int, float]:
        """Return how many answers a second so many servers take together."""
        requests, alone, told = answers(campaign, people), 0.0, {}
        for servers in _SERVERS:
            found = [self._answered(program, campaign, servers, requests) for _ in range(self.runs)]
            spread = Spread.of(found)
            alone, told[servers] = alone or spread.median, spread.median
            print(
                f"machines, durable POST, {self.database}, {servers} servers, {_LOADED}"
                f" connections: {spread:,.0f}/s; ratio to one {spread.median / alone:.2f}",
                flush=True,
            )
        return told

    def _sent(self, program: Postfix, campaign: Campaign, senders: int, mails: int) -> float:
        """Send a fresh copy by so many processes, and return mails a second, without what one
        process takes that finds nothing to send."""
        with program.sinking() as port, self._copy(campaign, port, _CONNECTIONS // senders) as copy:
            seconds = _together(copy, senders)
            if (asked := copy.standings()["asked"]) != mails:
                raise RuntimeError(f"{asked} of {mails} mails left")
            idle = _together(copy, senders)
        return mails / (seconds - idle)

    def _answered(
        self, program: Wrk, campaign: Campaign, servers: int, requests: Sequence[Request]
    ) -> float:
        """Return answers a second over all servers; each that was thanked for is on file."""
        share = len(requests) // servers
        with self._copy(campaign, 1, 1) as copy, ExitStack() as stack:
            ports = [free_port() for _ in range(servers)]
            for port in ports:
                config = copy.folder / f"config-{port}.toml"
                copy.set("web", bind=f'"{LOOPBACK}:{port}"')
                shutil.copy(copy.folder / "config.toml", config)
                stack.enter_context(running("repermit", "--config", config, "serve", port=port))

            def load(at: int) -> tuple[float, int]:
                mine = requests[at * share : (at + 1) * share]
                seen = program.load(
                    ports[at], mine, seconds=self.seconds, connections=_LOADED // servers
                )
                if seen.failed or seen.busy:
                    raise RuntimeError(f"not every request was answered: {seen}")
                return seen.per_second, min(seen.ok, share)

            with ThreadPoolExecutor(servers) as pool:
                seen = list(pool.map(load, range(servers)))
            thanked, on_file = sum(each[1] for each in seen), copy.standings()["opted_in"]
            if on_file < thanked:
                raise RuntimeError(f"{thanked} people were thanked, {on_file} are on file")
        return sum(each[0] for each in seen)

    @contextmanager
    def _copy(self, campaign: Campaign, port: int, connections: int) -> Iterator[Campaign]:
        """Yield a fresh copy of *campaign*, its ledger in this database."""
        copy = campaign.sending(self.folder / "copy", port=port, connections=max(connections, 1))
        try:
            if self.server:
                ledger, url = copy.folder / "repermit.db", self.server.schema()
                transfer.to_postgres(ledger, PostgreSQL(url, ledger))
                ledger.unlink()
                copy.set("database", url=json.dumps(url))
            os.sync()
            yield copy
        finally:
            shutil.rmtree(copy.folder)
            if self.server:
                self.server.drop()


def _together(campaign: Campaign, senders: int) -> float:
    """Run so many `send` at once and return how long it takes until the last has ended."""
    words = ("-m", "repermit", "--config", str(campaign.folder / "config.toml"), "send", "--json")
    with tempfile.TemporaryFile() as told:
        started = time.perf_counter()
        processes = [
            subprocess.Popen([sys.executable, *words], cwd=HERE, stdout=told, stderr=told)
            for _ in range(senders)
        ]
        codes = [process.wait() for process in processes]
        seconds = time.perf_counter() - started
        if any(codes):
            told.seek(0)
            raise RuntimeError(f"senders ended {codes}: {told.read().decode()}")
    return seconds


def run(folder: Path, record: Record, *, mails: int, people: int, runs: int, seconds: int) -> None:
    """Note the figures of several machines; say so when some cannot be had."""
    try:
        sender, loader = postfix(folder), wrk(folder)
    except (PostfixMissing, WrkMissing) as missing:
        print(f"machines: left out, {missing}")
        return
    with serving() as server:
        sent, asked = made(folder / "machines", mails), made(folder / "asked", people)
        ask_all(asked, people)
        here, there = Bench(folder, None, runs, seconds), Bench(folder, server, runs, seconds)
        file = here.send(sender, sent, mails), here.answer(loader, asked, people)
        _note(record, "senders", file[0][2], file[0][1], "mails/s")
        _note(record, "servers", file[1][2], file[1][1], "answers/s")
        shared = there.send(sender, sent, mails), there.answer(loader, asked, people)
        _note(record, "pg senders", shared[0][2], shared[0][1], "mails/s")
        _note(record, "pg servers", shared[1][2], shared[1][1], "answers/s")
        _note(record, "pg send", shared[0][1], file[0][1], "mails/s")
        _note(record, "pg answers", shared[1][1], file[1][1], "answers/s")


def _note(record: Record, name: str, ours: float, beside: float, unit: str) -> None:
    record.note(name, ours / beside, f"{ours:,.0f} {unit} against {beside:,.0f}")
