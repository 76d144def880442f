"""Relays on this machine: one that takes mails as it is told to, and two that are no relay."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

T = TypeVar("T")
_OK = "250 2.0.0 fine"


def free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Taken:
    """A mail whose last byte the relay has received."""

    mailbox: str
    content: bytes
    sender: str = ""


def always(reply: T) -> Callable[[object], T]:
    """Return what replies the same to everybody."""
    return lambda _: reply


class Relay:
    """An SMTP server that records every mail; what it says to whom can be changed any time."""

    def __init__(self, *, password: str | None = None) -> None:
        self.port = free_port()
        self.taken: list[Taken] = []
        self.to_sender: Callable[[str], str] = always(_OK)
        self.to_mailbox: Callable[[str], str] = always(_OK)
        self.seconds = 0.0  # from the last byte of a mail to the reply
        self.holds = False  # while it does, a mail that was received gets no reply
        self.hands_on: Callable[[Taken], object] = always(None)  # what it does with each mail
        login: dict[str, Any] = {}
        if password is not None:
            login["auth_require_tls"] = False
            login["authenticator"] = lambda *given: AuthResult(
                success=given[-1].password == password.encode(), handled=False
            )
        self._controller = Controller(
            _Handler(self), hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True, **login
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.holds = False
        self._controller.stop()

    @property
    def mailboxes(self) -> list[str]:
        """Return to whom mails were sent, one for each mail, in order."""
        return sorted(taken.mailbox for taken in self.taken)


class _Handler:
    """What aiosmtpd asks at each step; the names are its own."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Answer MAIL FROM."""
        envelope.mail_from = address
        return self._relay.to_sender(address)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Answer RCPT TO."""
        reply = self._relay.to_mailbox(address)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Record a mail, then answer."""
        mail = Taken(envelope.rcpt_tos[0], envelope.content, envelope.mail_from)
        self._relay.taken.append(mail)
        self._relay.hands_on(mail)
        await asyncio.sleep(self._relay.seconds)
        while self._relay.holds:  # noqa: ASYNC110 - set by the test, in another thread
            await asyncio.sleep(0.02)
        return _OK


@contextlib.contextmanager
def babbling(greeting: bytes) -> Iterator[int]:
    """Say *greeting* to everyone who connects, then close; yields the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    ended = threading.Event()

    def babble() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                connected, _ = listening.accept()
                with connected:
                    connected.sendall(greeting)

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        port: int = listening.getsockname()[1]
        yield port
    finally:
        ended.set()
        thread.join()
        listening.close()
