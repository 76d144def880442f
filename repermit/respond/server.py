"""Puts the answer pages on a socket: uvicorn, with the patience that it does not have itself.

A connection that sends nothing, or drips, or does not take what it asked for, is ended; when
there are too many, the one that has been silent for longest goes first, so that nobody who
answers is kept out by those who only hold the line.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from asyncio import TimerHandle, Transport
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from repermit.errors import ServeRefused

_CLOSE_SECONDS = 10  # for what is being answered when the server is told to stop
_MOST_CONNECTIONS = 2_000
_OTHER_FILES = 64  # descriptors for the ledger, the keys and the listening socket
_LONGEST_HEADERS = 16_384  # bytes
_BACKLOG = 256


@dataclass(frozen=True)
class Patience:
    """How long a connection may take, in seconds, and how many there may be."""

    request: float = 20.0  # until a request is here whole, from the connection or the last answer
    idle: int = 10  # between an answer and the next request
    answer: float = 90.0  # until an answer is out; the ledger's writer gives up after 30
    connections: int = field(default_factory=lambda: room())


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises: ServeRefused when the port is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, because only then does asyncio switch off Nagle's delay of 40 ms an answer
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as failure:
        listening.close()
        raise ServeRefused(
            f"port {port} on {host} cannot be used ({failure.strerror})",
            hint="stop what uses it, or set web.bind in the config",
        ) from failure
    return listening


async def serve_until(
    app: ASGIApp,
    listening: socket.socket,
    stop: asyncio.Event,
    *,
    patience: Patience | None = None,
) -> None:
    """Serve *app* until *stop* is set, and finish what is being answered."""
    server = _Server(_config(app, patience or Patience()))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopped.cancel()
    await serving


class _Server(uvicorn.Server):
    """Leaves the signals to the command."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: ASGIApp, patience: Patience) -> uvicorn.Config:
    connection = partial(_Connection, patience=patience, waiting={})
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(_WORDLESS)
    for name in ("uvicorn.error", "python_multipart"):
        logging.getLogger(name).setLevel(logging.ERROR)  # not a line for each bad request
    return uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], connection),
        ws="none",
        loop="asyncio",
        lifespan="off",
        access_log=False,  # a link is a key to somebody's answer
        log_config=None,
        proxy_headers=False,  # whom to believe about addresses stands in our own config
        server_header=False,
        date_header=True,
        timeout_keep_alive=patience.idle,
        timeout_graceful_shutdown=_CLOSE_SECONDS,
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=_LONGEST_HEADERS,
    )


class _Connection(H11Protocol):
    """One connection, which is ended when it takes too long."""

    def __init__(
        self,
        *args: Any,
        patience: Patience,
        waiting: dict[_Connection, None],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._patience, self._waiting = patience, waiting  # without a whole request, oldest first
        self._since = self.loop.time()  # the connection, or the last answer
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        """Begin to wait for a request, and end another's wait when there are too many."""
        super().connection_made(transport)
        self._waiting[self] = None
        if len(self.connections) > self._patience.connections:
            self._longest_held().transport.abort()
        self._timer = self.loop.call_later(self._patience.request, self._check)

    def _longest_held(self) -> _Connection:
        """Return the connection that has been silent for longest; when all the others are being
        answered, the one that has not taken its answer for longest."""
        silent = next(iter(self._waiting))  # this one, the newest, if there is no other
        if silent is not self:
            del self._waiting[silent]
            return silent
        held = cast(set[_Connection], self.connections - {self})
        return min(held, key=lambda each: each._since)

    def data_received(self, data: bytes) -> None:
        """Take what came, and note when a request is whole."""
        super().data_received(data)
        if not self._is_waiting():
            self._waiting.pop(self, None)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request; who is still sending the last one is not heard."""
        self._since = self.loop.time()
        if self.conn.their_state is h11.SEND_BODY:
            self.transport.close()
        super().on_response_complete()
        if self._is_waiting() and not self.transport.is_closing():
            self._waiting.pop(self, None)
            self._waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _is_waiting(self) -> bool:
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _check(self) -> None:
        """End the connection when its time is up; else look again when it will be."""
        allowed = self._patience.request if self._is_waiting() else self._patience.answer
        left = self._since + allowed - self.loop.time()
        if left <= 0:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(min(left, self._patience.request), self._check)


class _Wordless(logging.Filter):
    """Lets of a failure only its kind and its place through: its words may hold an address."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the words out of *record*."""
        if record.exc_info and (failure := record.exc_info[1]):
            trace = failure.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else "?"
            record.msg, record.args = "%s in %s", (type(failure).__name__, where)
            record.exc_info = record.exc_text = None
        return True


_WORDLESS = _Wordless()


def room() -> int:
    """Return how many connections there may be: as many as there are descriptors, up to a limit.

    The soft limit on descriptors, often 1,024, is raised to the hard one first.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_CONNECTIONS + _OTHER_FILES
    wanted = most if hard == resource.RLIM_INFINITY else min(hard, most)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(16, wanted - _OTHER_FILES)
