"""The connection to a mail server, of which no more is read than it may say.

A server that says too much, or too slowly, is left; imaplib and imap-tools have no limit of their
own but for the length of a line and the wait for the next octet.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
import time
from typing import Any

from imap_tools import BaseMailBox

from repermit.inbound.tree import MOST_BYTES

_ANSWER_WAITS = 4  # waits of the server's time that one answer takes at the most: two minutes
_LOOK_WAITS = 120  # and a whole look: an hour; the next one goes on
_LONGEST_LINE = 1_000_000  # bytes, as imaplib has it: the numbers of 125,000 messages
_LONGEST_ANSWER = MOST_BYTES + 2 * _LONGEST_LINE  # bytes
_LINE_BYTES = 64  # what a line takes, at the least, to be kept
_PIECE = 64 * 1024  # bytes


class _Client(imaplib.IMAP4):
    """A connection that ends when the server says too much, or takes too long: `allow` begins
    anew. Its reading raises imaplib's abort, or TimeoutError."""

    _of: socket.socket | None

    def __init__(self, host: str, port: int, *, timeout: float, **more: Any) -> None:
        self._wait, self._end = timeout, time.monotonic() + _LOOK_WAITS * timeout
        self._pending, self._of = bytearray(), None
        self.allow()
        super().__init__(host, port, timeout=timeout, **more)

    def allow(self) -> None:
        """Let the server answer one more request; what it said before is forgotten."""
        until = time.monotonic() + _ANSWER_WAITS * self._wait
        self._left, self._until = _LONGEST_ANSWER, min(until, self._end)
        self.untagged_responses = {}

    def read(self, size: int) -> bytes:
        """Return so many octets."""
        if size - len(self._unread) > self._left:
            raise self.abort("it says too much")
        while len(self._unread) < size:
            self._more()
        return self._taken(size)

    def readline(self) -> bytes:
        """Return a line, with its end."""
        while (end := self._unread.find(b"\n")) < 0 and len(self._unread) <= _LONGEST_LINE:
            self._more()
        if end < 0 or end > _LONGEST_LINE:
            raise self.abort("its line is too long")
        self._left -= _LINE_BYTES
        return self._taken(end + 1)

    @property
    def _unread(self) -> bytearray:
        """What was received and not read yet. What came before TLS was begun is none of it."""
        if self._of is not self.sock:
            self._pending, self._of = bytearray(), self.sock
        return self._pending

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def _more(self) -> None:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        self.sock.settimeout(min(self._wait, seconds))
        piece = self.sock.recv(_PIECE)
        if not piece:
            raise self.abort("it hung up")
        self._left -= len(piece)
        if self._left < 0:
            raise self.abort("it says too much")
        self._pending += piece


class _TlsClient(_Client, imaplib.IMAP4_SSL):
    """The same, within TLS from the first octet."""


class Box(BaseMailBox):
    """imap-tools' mailbox on such a connection."""

    client: _Client

    def __init__(self, client: _Client) -> None:
        self._given = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._given


def connected(host: str, port: int, tls: str, timeout: float) -> Box:
    """Return a mailbox that nobody logged in to yet; *tls* is none, starttls or tls, and *timeout*,
    in seconds, is for each wait. Raises: what imaplib, TLS and the network do."""
    if tls == "tls":
        return Box(_TlsClient(host, port, timeout=timeout, ssl_context=_context()))
    client = _Client(host, port, timeout=timeout)
    if tls == "starttls":
        client.starttls(_context())
    return Box(client)


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
