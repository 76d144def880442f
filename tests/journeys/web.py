"""What recipients, mail programs and scanners do over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import email
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from repermit.cli.answers import answer_app
from repermit.cli.demo_people import Inbox, Mailbox
from repermit.domain.clock import Clock
from repermit.respond.server import bound, serve_until
from repermit.runtime import Runtime

_SECONDS = 20
_URL = re.compile(r"""https?://[^\s"'<>]+""")


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    text: str


def fetch(
    link: str, method: str = "GET", body: bytes | None = None, content_type: str | None = None
) -> Page:
    """Return what the server says to one request."""
    where = urlsplit(link)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=_SECONDS)
    headers = {"Content-Type": content_type} if content_type else {}
    try:
        connection.request(method, where.path or "/", body=body, headers=headers)
        response = connection.getresponse()
        return Page(response.status, response.read().decode("utf-8"))
    finally:
        connection.close()


def message(content: bytes) -> EmailMessage:
    """Return a mail as a mail program reads it."""
    return email.message_from_bytes(content, policy=SMTP)


def text_of(content: bytes) -> str:
    """Return the plain text of a mail."""
    body = message(content).get_body(("plain",))
    return str(body.get_content()) if body else ""


def mailbox(content: bytes) -> Mailbox:
    """Return the links of a mail, for the person who got it."""
    inbox = Inbox()
    inbox.take(content)
    return inbox.mailboxes()[0]


def links(content: bytes) -> set[str]:
    """Return every link of a mail: of its headers and of each part of its body."""
    read = message(content)
    texts = [str(value) for value in read.values()]
    texts += [part.get_content() for part in read.walk() if not part.is_multipart()]
    return {link.rstrip(".,;)") for text in texts for link in _URL.findall(text)}


@contextlib.contextmanager
def served_at(config: Path, clock: Clock) -> Iterator[None]:
    """Serve the answer pages at the time that *clock* tells, for the length of a block."""
    runtime = Runtime.of(config, clock)
    started, ended = threading.Event(), threading.Event()

    async def serve() -> None:
        stop, web = asyncio.Event(), runtime.config.web
        async with runtime.ledger() as ledger:
            with bound(web.bind_host, web.bind_port) as listening:
                app = answer_app(runtime, ledger)
                serving = asyncio.create_task(serve_until(app, listening, stop))
                started.set()
                await asyncio.to_thread(ended.wait)
                stop.set()
                await serving

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(_SECONDS)
        yield
    finally:
        ended.set()
        thread.join(_SECONDS)
