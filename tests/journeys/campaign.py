"""One campaign folder, and the commands run on it as an operator runs them: as processes, of which
those that run to their end are forked from one that has loaded their code.

A command runs inside the test's process only where time must pass (the product has no other way
to falsify it), and for steps beside the point of a test.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Self

from repermit.cli import main
from repermit.cli.status import status_content
from repermit.domain.clock import Clock, SystemClock
from repermit.ledger.store import campaign as campaign_store
from repermit.runtime import Runtime
from tests.journeys.relay import Relay, Taken, free_port
from tests.journeys.web import fetch
from tests.nursery import Nursery

SOURCES = Path(__file__).parents[2]
LISTED, WITHHELD, EXEMPT = 24, 2, 2
ADMITTED = LISTED + WITHHELD + EXEMPT
CONNECTIONS = 4
DOMAIN = "ontvangers.example"
_PERSONAL = re.compile(rf"lid-\d|(?<!•••@){re.escape(DOMAIN)}", re.IGNORECASE)  # unless masked
_LINK = re.compile(r"/(?:yes|no|u)/\w")
_SECONDS = 120.0
_HEADER = ("email", "relatie", "land", "taal", "bron", "ingeschreven op", "bewijs")


def address(number: int) -> str:
    """Return the address of the person with that number."""
    return f"lid-{number:05}@{DOMAIN}"


def row(number: int, relationship: str = "signed_up_no_proof", **known: str) -> tuple[str, ...]:
    """Return one row of a list; someone who is asked unless it says otherwise."""
    language = ("nl", "fr", "de", "en")[number % 4]
    cells = {"email": address(number), "relatie": relationship, "land": "BE", "taal": language}
    cells |= {"bron": "tuindagen", "ingeschreven op": "2025-03-01"} | known
    return tuple(cells.get(name, "") for name in _HEADER)


def write_list(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """Write *rows* under their header to *path* and return it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([_HEADER, *rows])
    return path


def everybody() -> list[tuple[str, ...]]:
    """Return the list of the templates: who is asked, who is withheld, who is exempt."""
    asked = [row(number) for number in range(LISTED)]
    withheld = [row(number, "bought_or_unknown") for number in range(900, 900 + WITHHELD)]
    exempt = [
        row(number, "signed_up_with_proof", bewijs=f"formulier {number}")
        for number in range(950, 950 + EXEMPT)
    ]
    return [*asked, *withheld, *exempt]


# For a purge where a test is not about whether people could answer: nobody looked at the page.
ACCEPTED = ("--accept-outage", "this is a test, in which nobody looks at the answer page")

# A yes that nobody pressed, of one who was asked.
ONE_BY_HAND = (
    "UPDATE recipient SET standing = 'opted_in'"
    " WHERE id = (SELECT min(id) FROM recipient WHERE standing = 'asked')"
)


class Later:
    """The machine's clock, so much later (or earlier)."""

    def __init__(self, by: timedelta = timedelta()) -> None:
        self.by = by

    def now(self) -> datetime:
        """Return the shifted moment."""
        return datetime.now(UTC) + self.by


@dataclass(frozen=True)
class Result:
    """How a command ended and what it said."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Return the one object on standard output; fails when there is anything else."""
        content = json.loads(self.out)
        assert isinstance(content, dict)
        return content


@dataclass
class Running:
    """A command that is still running."""

    words: tuple[str, ...]
    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self, seconds: float = _SECONDS) -> Result:
        """Wait for its end and return it, checked as every command is."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        out, err = self.out.read_text("utf-8"), self.err.read_text("utf-8")
        return _checked(Result(self.words, code, out, err))

    def command_line(self) -> str:
        """Return what every user of this machine can read of it."""
        return Path(f"/proc/{self.process.pid}/cmdline").read_text("utf-8")


@dataclass
class Campaign:
    """A folder with a config, keys and perhaps a ledger; everything else lies in `outside`."""

    folder: Path
    outside: Path
    web_port: int
    mails: Sequence[Taken] = ()  # what the relay took before this campaign was copied
    environment: dict[str, str] = field(default_factory=dict)
    _started: list[Running] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)  # of its commands

    @property
    def config(self) -> Path:
        """Return the path of the config."""
        return self.folder / "config.toml"

    @property
    def ledger(self) -> Path:
        """Return the path of the ledger."""
        return self.folder / "repermit.db"

    def copied(self, folder: Path) -> Self:
        """Return a copy of this campaign inside *folder*."""
        (folder / "outside").mkdir(parents=True)
        shutil.copytree(self.folder, folder / "campaign")
        return type(self)(folder / "campaign", folder / "outside", self.web_port, self.mails)

    def edit(self, pattern: str, replacement: str) -> None:
        """Replace the one line of the config that matches *pattern*."""
        line = re.compile(f"^{pattern}$", re.MULTILINE)
        text, count = line.subn(lambda _: replacement, self.config.read_text("utf-8"))
        assert count == 1, f"{count} lines match {pattern}"
        self.config.write_text(text, "utf-8")

    def use(self, relay_port: int, *, user: str = "") -> None:
        """Let mails go to the relay on that port of this machine."""
        who = f"{user}@" if user else ""
        self.edit('url = "smtp:.*"', f'url = "smtp://{who}127.0.0.1:{relay_port}"')

    def change_ledger(self, statement: str) -> None:
        """Change the ledger by hand, as no command can yet, or ever."""
        with contextlib.closing(sqlite3.connect(self.ledger, isolation_level=None)) as ledger:
            ledger.execute(statement)

    def run(self, *words: str | Path, stdin: str = "", expect: int = 0) -> Result:
        """Run a command as a process to its end; it must end with *expect*."""
        said, files = self._files(words, stdin)
        environment = _environment(self.outside) | self.environment
        code = _nursery().run(
            ["--config", str(self.config), *said],
            files,
            cwd=self.outside,
            environment=environment,
            seconds=_SECONDS,
        )
        out, err = (path.read_text("utf-8") for path in files[1:])
        return self._as_expected(_checked(Result(said, code, out, err)), expect)

    def start(self, *words: str | Path, stdin: str | int = "") -> Running:
        """Start a command as a process; *stdin* is a text, or a descriptor to read from."""
        said, files = self._files(words, stdin if isinstance(stdin, str) else "")
        given, running_out, running_err = files
        with given.open("rb") as file, running_out.open("wb") as out, running_err.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "repermit", "--config", str(self.config), *said],
                stdin=file if isinstance(stdin, str) else stdin,
                stdout=out,
                stderr=err,
                cwd=self.outside,
                env=_environment(self.outside) | self.environment,
            )
        running = Running(said, process, running_out, running_err)
        self._started.append(running)
        return running

    def _files(self, words: Sequence[str | Path], stdin: str) -> tuple[tuple[str, ...], list[Path]]:
        """Return *words* as text, with the files of a command: what it reads, prints and tells."""
        said = tuple(map(str, words))
        assert not _PERSONAL.search(" ".join(said)), "a test must not name anybody there either"
        number = next(self._numbers)
        files = [self.outside / f"{number}.{name}" for name in ("stdin", "out", "err")]
        files[0].write_text(stdin, "utf-8")
        return said, files

    def here(self, *words: str | Path, stdin: str = "", expect: int = 0) -> Result:
        """Run a command inside this process, which saves a second: for steps that are not what
        a test is about, or that it has seen run as a process already."""
        return self.at(SystemClock(), *words, stdin=stdin, expect=expect)

    def at(self, clock: Clock, *words: str | Path, stdin: str = "", expect: int = 0) -> Result:
        """Run a command inside this process, at the time that *clock* tells."""
        said, out, err = tuple(map(str, words)), io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _standard_input(stdin),
        ):
            code = main(["--config", str(self.config), *said], clock=clock)
        result = _checked(Result(said, code, out.getvalue(), err.getvalue()))
        return self._as_expected(result, expect)

    def status(self) -> dict[str, Any]:
        """Return what `status --json` tells (inside this process: it is asked at every step), but
        for when the page was last seen, which a server changes by itself; it must add up."""

        async def read() -> dict[str, Any]:
            async with Runtime.of(self.config, SystemClock()).ledger() as ledger:
                return status_content(await ledger.read(campaign_store.figures))

        content = asyncio.run(read())
        assert_adds_up(content)
        return {name: value for name, value in content.items() if name != "page"}

    def standings(self) -> dict[str, int]:
        """Return how many stand where, without the standings that nobody has."""
        return {name: count for name, count in self.status()["standings"].items() if count}

    @contextlib.contextmanager
    def serving(self) -> Iterator[Running]:
        """Run `serve` for the length of a block; it must end well and name nobody."""
        running = self.start("serve")
        try:
            wait_until(lambda: running.process.poll() is not None or self._answers())
            yield running
            assert not _PERSONAL.search(running.command_line())
        finally:
            running.signal(signal.SIGTERM)
            ended = running.ended()
        assert ended.code == 0, ended
        assert "every answer that was thanked for is on file" in ended.err
        assert not _LINK.search(ended.out + ended.err), "a link is a key to somebody's answer"

    def end(self) -> None:
        """End what a failed test left running, and look that no file names anybody."""
        for running in self._started:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()
        if self.folder.exists():
            assert_names_nobody(self.folder)

    def _as_expected(self, result: Result, code: int) -> Result:
        """After a command that did what it says, the figures add up."""
        assert result.code == code, result
        if code == 0 and self.ledger.exists():
            self.status()
        return result

    def _answers(self) -> bool:
        """Return whether `serve` speaks; without the keys of now it says that it is not well."""
        try:
            return fetch(f"http://127.0.0.1:{self.web_port}/healthz").status in (200, 503)
        except OSError:
            return False


def assert_adds_up(status: dict[str, Any]) -> None:
    """The standings, purged and erased add up to admitted."""
    counted = sum(status["standings"].values()) + status["purged"] + status["erased"]
    assert counted == status["admitted"], status


def assert_names_nobody(folder: Path) -> None:
    """No file in *folder* has an address in its name or, in clear, in its content."""
    for path in folder.rglob("*"):
        assert not _PERSONAL.search(str(path.relative_to(folder))), path
        if path.is_file():
            assert not _PERSONAL.search(path.read_bytes().decode("latin-1")), path


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until *holds* does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.02)


@dataclass(frozen=True)
class Templates:
    """Campaigns to copy: begun (config and keys), imported and approved (24 listed), asked (24
    mailed)."""

    begun: Campaign
    imported: Campaign
    approved: Campaign
    asked: Campaign


@cache
def make_templates(folder: Path) -> Templates:
    """Make the templates in *folder*, once, by the commands themselves."""
    begun = _begun(folder / "begun")
    imported = begun.copied(folder / "imported")
    everyone = write_list(imported.outside / "list.csv", everybody())
    imported.run("import", everyone)
    imported.run("suppress", "--none", "we never mailed them before")
    approved = imported.copied(folder / "approved")
    approved.run("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    asked = approved.copied(folder / "asked")
    with Relay() as relay:
        asked.use(relay.port)
        asked.run("send")
    asked.mails = tuple(relay.taken)
    return Templates(begun, imported, approved, asked)


def _begun(folder: Path) -> Campaign:
    port = free_port()
    campaign = Campaign(folder / "campaign", folder / "outside", port)
    campaign.outside.mkdir(parents=True)
    campaign.run("init", campaign.folder, "--yes")
    campaign.edit('accepted_by = ""', 'accepted_by = "An Peeters"')
    campaign.edit("connections = 10", f"connections = {CONNECTIONS}")
    campaign.edit("per_second = 50", "per_second = 1000")
    campaign.edit('public_url = ".*"', f'public_url = "http://127.0.0.1:{port}"')
    campaign.edit('bind = ".*"', f'bind = "127.0.0.1:{port}"')
    return campaign


def _checked(result: Result) -> Result:
    """What holds of every command: no traceback, and nobody is named but by `person`."""
    said = result.out + result.err
    assert "Traceback" not in said, result
    assert result.words[:1] == ("person",) or not _PERSONAL.search(said), result
    return result


@contextlib.contextmanager
def _standard_input(text: str) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before


@cache
def _nursery() -> Nursery:
    """Return what runs commands, one for all campaigns."""
    nursery = Nursery(_environment(SOURCES))
    atexit.register(nursery.close)
    return nursery


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), "HOME": str(home)}
