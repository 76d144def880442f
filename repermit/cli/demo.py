"""The whole path on this machine in about a minute: real parts, loopback only.

Only waiting is shortened: the commands are handed a clock on which the days pass at once. No
switch, variable or config key could do that.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession

from repermit.cli.answers import answer_app
from repermit.cli.begin import write_campaign
from repermit.cli.demo_list import write_list, write_suppression
from repermit.cli.demo_people import Inbox, Mailbox
from repermit.cli.session import Session, show
from repermit.domain.clock import SystemClock
from repermit.errors import RepermitError
from repermit.respond.server import bound, serve_until

_WAIT_SECONDS = 20
_ACCEPTED = (
    "--accept-outage",
    "a demonstration: no time has passed but on its own clock, and nobody real was asked",
)


class PassingClock:
    """The machine's clock, on which days can be let pass."""

    def __init__(self) -> None:
        self._passed, self._system = timedelta(), SystemClock()

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return self._system.now() + self._passed

    def let_pass(self, span: timedelta) -> None:
        """Move the clock on."""
        self._passed += span


class _Catcher:
    """Takes every mail and delivers none."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: SmtpSession, envelope: Envelope
    ) -> str:
        """Keep one mail."""
        content = envelope.content
        self._inbox.take(content if isinstance(content, bytes) else str(content).encode())
        return "250 2.0.0 caught"


def play(folder: Path | None) -> None:
    """Play the demonstration in *folder*, which is kept.

    Raises: RepermitError when a step does not do what it says.
    """
    clock, inbox = PassingClock(), Inbox()
    place = folder or Path(f"demo-{clock.now():%Y%m%d-%H%M%S}")
    relay_port, web_port = _free_port(), _free_port()
    _tell(f"A campaign in a minute, in the folder {place}; it stays there for you to look at.")
    write_campaign(
        place,
        {
            "policy.accepted_by": "An Peeters",
            "relay.url": f"smtp://127.0.0.1:{relay_port}",
            "web.public_url": f"http://127.0.0.1:{web_port}",
            "web.bind": f"127.0.0.1:{web_port}",
        },
    )
    catcher = Controller(_Catcher(inbox), hostname="127.0.0.1", port=relay_port)
    catcher.start()
    try:
        _Demo(place, clock, inbox).play()
    finally:
        catcher.stop()


class _Demo:
    """The steps, each a command as an operator would type it."""

    def __init__(self, place: Path, clock: PassingClock, inbox: Inbox) -> None:
        self._place, self._clock, self._inbox = place, clock, inbox
        self._config = str(place / "config.toml")

    def play(self) -> None:
        """Play every step."""
        write_list(self._place / "ledenlijst.csv")
        write_suppression(self._place / "uitschrijvingen.txt")
        _tell("1. An old list: 500 rows from Excel, Windows-1252, semicolons, nobody knows who")
        _tell("   agreed to what. repermit reads it, judges each address and screens each person.")
        self._run("import", self._place / "ledenlijst.csv")
        _tell("2. Who ever said stop? They are never mailed, by no command.")
        self._run("suppress", self._place / "uitschrijvingen.txt")
        _tell("3. See it first, then two people answer for exactly this.")
        self._run("preview", "--out", self._place / "preview")
        self._run("approve", "--by", "An Peeters", "--informed", "Jan Claes")
        with self._served():
            self._ask_and_answer()
        _tell("   In Belgium a person's first no is confirmed: one plain mail, once it has stood.")
        self._clock.let_pass(timedelta(minutes=1))
        self._run("send")
        _tell("7. Thirty-two days later (this demonstration hands the commands its own clock):")
        self._clock.let_pass(timedelta(days=32))
        _tell("   Its pages were up while people answered, and nobody looked in the days between;")
        _tell("   a purge wants to know, so the operator says why it may go on all the same.")
        self._run("purge", "--dry-run", *_ACCEPTED)
        self._run("purge", "--at-most", str(self._due()), "--by", "An Peeters", *_ACCEPTED)
        _tell("8. What remains is who said yes, with proof, and who needs no question.")
        self._run("export", "--out", self._place / "opted-in.csv")
        self._run("proof", "verify")
        self._run("status")
        self._goodbye()

    def _ask_and_answer(self) -> None:
        _tell("4. One mail each, the intent on disk before the relay hears of it.")
        self._run("send")
        mailboxes = self._inbox.mailboxes()
        _require(len(mailboxes) == len(self._inbox), "somebody got two mails")
        _tell(f"   {len(mailboxes)} mails caught on this machine, one a person.")
        _tell("5. A link scanner opens every link of every mail, three ways, and changes nothing:")
        before = self._status()
        requests = sum(mailbox.scan() for mailbox in mailboxes)
        _require(before == self._status(), "a scanner changed something")
        _tell(f"   {requests:,} requests; the log has the same root before and after.")
        _tell("6. People answer: they open the page and press. Some use their mail program's")
        _tell("   own unsubscribe button; one machine presses both buttons at once.")
        for number, mailbox in enumerate(mailboxes):
            _answer(number, mailbox)
        self._run("status")

    def _goodbye(self) -> None:
        _tell(f"Everything is in {self._place}: the ledger, the keys, the preview, the approval.")
        _tell("For a list of your own, type:")
        show(f"  {_program()} init my-campaign")

    def _run(self, *words: str | Path) -> None:
        from repermit.cli import main

        show(f"\n  $ repermit {' '.join(_typed(str(word)) for word in words)}")
        sys.stdout.flush()
        code = main(["--config", self._config, *map(str, words)], clock=self._clock)
        _require(code == 0, f"`repermit {words[0]}` ended with {code}")
        show("")

    def _status(self) -> dict[str, Any]:
        from repermit.cli.status import read_figures, status_content

        runtime = Session(self._clock, Path(self._config)).runtime()
        return status_content(asyncio.run(read_figures(runtime)))

    def _due(self) -> int:
        from repermit.cli.purging import Wish, planned_purge

        runtime = Session(self._clock, Path(self._config)).runtime()
        return int(asyncio.run(planned_purge(runtime, Wish("", None, _ACCEPTED[1])))["due"])

    @contextlib.contextmanager
    def _served(self) -> Iterator[None]:
        """Serve the answer pages, as `repermit serve` does, for the length of a block."""
        runtime = Session(self._clock, Path(self._config)).runtime()
        started, ended = threading.Event(), threading.Event()

        async def serve() -> None:
            stop, web = asyncio.Event(), runtime.config.web
            async with runtime.ledger() as ledger:
                with bound(web.bind_host, web.bind_port) as listening:
                    serving = asyncio.create_task(
                        serve_until(answer_app(runtime, ledger), listening, stop)
                    )
                    started.set()
                    await asyncio.to_thread(ended.wait)
                    stop.set()
                    await serving

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        _require(started.wait(_WAIT_SECONDS), "the answer server did not start")
        try:
            yield
        finally:
            ended.set()
            thread.join(_WAIT_SECONDS)


def _answer(number: int, mailbox: Mailbox) -> None:
    """Let one person answer: four in ten say yes, two no, one by one click, the rest nothing."""
    match number % 10:
        case 0 | 2 | 4 | 6:
            mailbox.press("yes")
        case 1 | 5:
            mailbox.press("no")
        case 3:
            mailbox.one_click()
        case 9 if number == 9:
            mailbox.press("yes")
            mailbox.press("no")


def _typed(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RepermitError(otherwise, hint="this is a defect: please report it")


def _tell(text: str) -> None:
    show(text)
    sys.stdout.flush()
    time.sleep(0.2)  # so that a reader can follow


def _program() -> str:
    """Return what to type for repermit here: its name, or where it is when that is not enough."""
    found = shutil.which("repermit")
    return "repermit" if found or Path(sys.argv[0]).name != "repermit" else sys.argv[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
