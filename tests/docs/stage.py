"""Where a document is played: a folder, a relay, people, and a clock on which days pass.

Commands run as an operator runs them: typed into a shell, each a process of its own, without a
terminal. Only the clock is another one: the play begins on the same day whenever it is played.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.docs.pictures import Pictures
from tests.docs.same import in_order, same
from tests.inbound.desks import put
from tests.journeys.campaign import wait_until
from tests.journeys.relay import Relay, Taken, free_port
from tests.journeys.returned import BOUNCES, Left, bounce, complaint, reply
from tests.journeys.web import fetch, mailbox

SOURCES = Path(__file__).parents[2]
BEGIN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)  # nine in the morning in Brussels
_SECONDS = 120.0
_AT = (  # the product has no way to falsify its clock
    "import sys; from datetime import timedelta; from repermit.cli import main;"
    " from tests.journeys.campaign import Later;"
    " sys.exit(main(sys.argv[2:], clock=Later(timedelta(seconds=float(sys.argv[1])))))"
)
_NAMES = (
    *("an", "bert", "cato", "dirk", "els", "frank", "griet", "hugo", "ines", "jan", "katrien"),
    *("luc", "mieke", "nico", "oda", "piet", "rita", "sofie", "tom", "veerle", "wim", "yana"),
)
_HEADER = "email;relationship;country;language;source;collected"
_ROW = ";signed_up_no_proof;BE;nl;onze tuindagen;2025-03-01"


@dataclass
class Stage:
    """One play. `home` is what the reader's home folder is."""

    home: Path
    relay: Relay
    pictures: Pictures
    web_port: int = field(default_factory=free_port)
    postgres: Callable[[], str] | None = None
    _folder: Path = field(init=False)
    _shift: timedelta = field(init=False)
    _input: str = ""
    _expected: int = 0
    _background: bool = False
    _waiting: tuple[str, ...] = ()  # what the next block is for
    _killed: bool = False
    _database: str = ""
    _running: list[tuple[subprocess.Popen[bytes], Path]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the folder for the program, and let the play begin."""
        self._folder, self._shift = self.home, BEGIN - datetime.now(UTC)
        (self.home / ".bin").mkdir(parents=True)

    # What a note may say: the first word is the name of a method, `-` for `_`.

    def file(self, name: str) -> None:
        """The next block is the content of that file."""
        self._waiting = ("file", name)

    def config(self) -> None:
        """The next block is what is written into config.toml."""
        self._waiting = ("config",)

    def ends(self, code: str) -> None:
        """The last command of the next block ends with that code."""
        self._expected = int(code)

    def types(self, *words: str) -> None:
        """That is on standard input of the next commands; `|` begins a new line."""
        self._input = " ".join(words).replace(" | ", "\n") + "\n"

    def days(self, number: str) -> None:
        """So many days pass."""
        self._shift += timedelta(days=float(number))

    def minutes(self, number: str) -> None:
        """So many minutes pass."""
        self._shift += timedelta(minutes=float(number))

    def background(self) -> None:
        """The next command goes on while the document does."""
        self._background = True

    def stop(self) -> None:
        """What goes on ends, as by Ctrl-C."""
        while self._running:
            running, _ = self._running.pop()
            running.send_signal(signal.SIGTERM)
            running.wait(_SECONDS)

    def presses(self, answer: str, *addresses: str) -> None:
        """These people open their link and press that."""
        for each in addresses:
            shown = mailbox(self._mail(each).content).press(answer)
            assert "<h1" in shown

    def one_click(self, *addresses: str) -> None:
        """These people unsubscribe with the button of their mail program."""
        for each in addresses:
            mailbox(self._mail(each).content).one_click()

    def answers(self, answer: str, address: str, *pictures: str) -> None:
        """Somebody answers in a browser: the mail, the page and the thanks are looked at."""
        self.pictures.answered(self._mail(address).content, answer, dict(enumerate(pictures)))

    def picture(self, name: str, pattern: str) -> None:
        """A file of the campaign is looked at."""
        (found,) = sorted(self._folder.glob(pattern))
        self.pictures.of_file(found, name)

    def comes_back(self, what: str, address: str, *words: str) -> None:
        """A message about that person's mail is put into the maildir."""
        taken = self._mail(address)
        left = Left(taken.sender, address, taken.content)
        made = {
            "bounce": lambda: bounce(left),
            "complaint": lambda: complaint(left),
            "reply": lambda: reply(left, " ".join(words)),
        }[what]()
        put(self._folder / "Maildir", made)

    def refuses(self, *addresses: str) -> None:
        """The relay knows nobody at these addresses, or at as many as the number says."""
        many = int(addresses[0]) if addresses and addresses[0].isdigit() else 0
        refused = set(addresses)
        known = self.relay.to_mailbox

        def to(address: str) -> str:
            if address in refused or (len(refused) < many and not refused.add(address)):  # type: ignore[func-returns-value]
                return "550 5.1.1 no such user here"
            return known(address)

        self.relay.to_mailbox = to

    def takes(self) -> None:
        """The relay takes everything again."""
        self.relay.to_mailbox = lambda _: "250 2.1.5 fine"

    def kills(self, *command: str) -> None:
        """A command is killed while the relay has a mail of its, and has not said a word of it."""
        self._killed = True
        self.relay.hands_on = lambda _: setattr(self.relay, "holds", True)
        self._shell(" ".join(command))

    def adds(self, *addresses: str) -> None:
        """More people come onto the list, and are approved."""
        rows = "".join(f"{each}{_ROW}\n" for each in addresses)
        (self._folder / "more.csv").write_text(f"{_HEADER}\n{rows}", "utf-8")
        self._shell("repermit import more.csv")
        self._shell("repermit approve --by 'An Peeters' --informed 'Jan Claes'")

    def begin(self, stage: str) -> None:
        """A campaign is there: fresh, imported, approved or asked."""
        steps = ("fresh", "imported", "approved", "asked").index(stage)
        self._shell("repermit init garden --yes")
        self._folder = self.home / "garden"
        self._fill_in('[policy]\naccepted_by = "An Peeters"\n')
        self._fill_in('[inbound]\nmaildir = "Maildir"\n')
        self._fill_in(f'[relay]\nenvelope_domain = "{BOUNCES}"\nconnections = 1\n')
        (self._folder / "members.csv").write_text(a_list(), "utf-8")
        shell: list[list[str]] = [
            ["repermit import members.csv"],
            [
                "repermit suppress --none 'nobody ever did'",
                "repermit approve --by 'An Peeters' --informed 'Jan Claes'",
            ],
            ["repermit send"],
        ]
        for command in [each for some in shell[:steps] for each in some]:
            self._shell(command)

    def database(self) -> None:
        """A PostgreSQL server is there."""
        assert self.postgres is not None
        self._database = self.postgres()

    # The blocks.

    def play(self, command: str) -> str:
        """Run one command line and return what it printed, as the documents show it."""
        if self._background:
            self._background = False
            said = self._start(command)
        else:
            said = self._shell(command)
        if re.fullmatch(r"cat \S+\.csv", command):
            said = in_order(said)
        return same(said, *self._known())

    def expect(self, code: int) -> int:
        """Return with which code a command must end, if it is the last of its block."""
        self._expected, code = code, self._expected
        return code

    def take(self, language: str, content: str) -> None:
        """Do with a block what the note before it says."""
        kind, *words = self._waiting or ("",)
        self._waiting = ()
        if kind == "file":
            path = self._folder / words[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        elif kind == "config":
            assert language == "toml"
            self._fill_in(content)

    def end(self) -> None:
        """End what goes on."""
        for running, _ in self._running:
            running.kill()
            running.wait()

    def _shell(self, command: str) -> str:
        if re.fullmatch(r"cd [\w./-]+", command):
            self._folder = (self._folder / command.split()[1]).resolve()
            return ""
        expected, self._expected = self._expected, 0
        given, self._input = self._input, ""
        log = self.home / ".said"
        with log.open("w+") as said:
            running = subprocess.Popen(
                ["sh", "-c", self._real(command)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment(),
                text=True,
                start_new_session=True,
            )
            if self._killed:
                wait_until(lambda: self.relay.holds)
                os.killpg(running.pid, signal.SIGKILL)
                expected = -signal.SIGKILL
            running.communicate(given, timeout=_SECONDS)
            said.seek(0)
            text = said.read()
        if self._killed:
            self._killed = self.relay.holds = False
            self.relay.hands_on = lambda _: None
            text += "Killed\n"
        assert running.returncode == expected, f"{command} ended with {running.returncode}: {text}"
        if command.startswith("repermit init"):
            self._use_real_ports(command)
        return text

    def _start(self, command: str) -> str:
        log = self.home / f".said-{len(self._running)}"
        with log.open("wb") as said:
            running = subprocess.Popen(
                ["sh", "-c", f"exec {self._real(command)}"],
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment(),
            )
        self._running.append((running, log))
        wait_until(lambda: running.poll() is not None or self._is_served())
        assert running.poll() is None, log.read_text("utf-8")
        return log.read_text("utf-8")

    def _is_served(self) -> bool:
        try:
            return fetch(f"http://127.0.0.1:{self.web_port}/healthz").status == 200
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        program = self.home / ".bin" / "repermit"
        shift = self._shift.total_seconds()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{_AT}" {shift} "$@"\n', "utf-8")
        program.chmod(0o755)
        return {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(SOURCES),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.home),
            "USER": "an",
            "LOGNAME": "an",
            "COLUMNS": "100",
            "TERM": "dumb",
            "TZ": "Europe/Brussels",
            "LANG": "C.UTF-8",
        }

    def _known(self) -> Iterator[tuple[str, str]]:
        yield str(self.home), "/home/an"
        yield f"127.0.0.1:{self.web_port}", "127.0.0.1:8080"
        yield f"127.0.0.1:{self.relay.port}", "127.0.0.1:1025"
        yield f"port {self.relay.port}", "port 1025"
        if self._database:
            yield self._database, "postgresql://repermit@db.example/repermit"

    def _real(self, text: str) -> str:
        """Return a command or config with the server of this play in the place of the one shown."""
        shown = "postgresql://repermit@db.example/repermit"
        return text.replace(shown, self._database) if self._database else text

    def _use_real_ports(self, command: str) -> None:
        """Let a new campaign have ports of its own, as other plays go on beside this one."""
        folder = next((w for w in command.split()[2:] if not w.startswith("-")), ".")
        path = self._folder / folder / "config.toml"
        text = path.read_text("utf-8").replace("127.0.0.1:8080", f"127.0.0.1:{self.web_port}")
        path.write_text(text.replace("127.0.0.1:1025", f"127.0.0.1:{self.relay.port}"), "utf-8")

    def _fill_in(self, content: str) -> None:
        """Write `key = value` lines under their [table] into the config, as a person does."""
        path = self._folder / "config.toml"
        text, table = path.read_text("utf-8"), ""
        for line in self._real(content).splitlines():
            if line.startswith("["):
                table = line
            elif line and not line.startswith("#"):
                text = _with(text, table, line)
        path.write_text(text, "utf-8")

    def _mail(self, address: str) -> Taken:
        """Return the mail that somebody got."""
        return next(each for each in reversed(self.relay.taken) if each.mailbox == address)


def a_list(people: int = 40) -> str:
    """Return a list of so many people, as a CSV file."""
    names = (f"{_NAMES[number % len(_NAMES)]}{number + 1}" for number in range(people))
    rows = [_HEADER, *(f"{name}@buren.example{_ROW}" for name in names)]
    return "".join(f"{row}\n" for row in rows)


def _with(text: str, table: str, line: str) -> str:
    """Return a config with *line* in *table*, in the place of what its key had, also as a comment;
    else at the beginning of the table."""
    key = line.partition("=")[0].strip()
    head, found, rest = text.partition(f"\n{table}\n")
    assert found, f"no table {table}"
    inside, border, after = re.split(r"(\n\[|\Z)", rest, maxsplit=1)
    changed, count = re.subn(
        rf"^#?{re.escape(key)} *= .*$", lambda _: line, inside, count=1, flags=re.MULTILINE
    )
    inside = changed if count else f"{line}\n{inside}"
    return f"{head}{found}{inside}{border}{after}"


@contextmanager
def a_stage(
    home: Path, pictures: Path, *, postgres: Callable[[], str] | None = None
) -> Iterator[Stage]:
    """Set a stage in *home*; pictures are written into the folder *pictures*."""
    with ExitStack() as stack:
        relay = stack.enter_context(Relay())
        taking = stack.enter_context(Pictures.taken_into(pictures))
        stage = Stage(home, relay, taking, postgres=postgres)
        stack.callback(stage.end)
        yield stage
    shutil.rmtree(home / ".bin")
