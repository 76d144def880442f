"""The way to a PostgreSQL server, which a test can cut."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

COMMIT = b"COMMIT\x00"


@dataclass
class Cut:
    """Where to cut: at what the client says that holds *said*; `after` the server has done it,
    whose word of it is lost; or before it comes there. The server does not notice as long as it is
    `held`. It happens once; *then* is where to cut next."""

    said: bytes
    after: bool = False
    held: bool = False
    then: Cut | None = None
    was: bool = False


@dataclass
class Way:
    """A proxy in front of the server of *url*."""

    url: str
    cut: Cut | None = None
    closed: bool = False  # for who comes now
    _open: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    _held: list[socket.socket] = field(default_factory=list)
    _silent: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        parts = urlsplit(self.url)
        asked = parse_qs(parts.query)
        self._place = _place(asked.pop("host", [""])[0], parts.hostname, parts.port)
        user = f"{parts.username or 'postgres'}:{parts.password or ''}"
        query = urlencode({**asked, "sslmode": "disable"}, doseq=True)
        database = parts.path.strip("/") or "postgres"
        self.through = f"postgresql://{user}@127.0.0.1:{port}/{database}?{query}"
        threading.Thread(target=self._serve, daemon=True).start()

    def cut_all(self) -> None:
        """Cut every connection that is there."""
        for pair in self._open:
            _end(*pair)
        self._open.clear()

    def silence(self) -> None:
        """Let nothing through any more, either way, without a word."""
        self._silent.set()

    def let_go(self) -> None:
        """Let the server notice what was held."""
        _end(*self._held)
        self._held.clear()

    def end(self) -> None:
        """Leave nothing open."""
        _end(self._listening)
        self.cut_all()
        self.let_go()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.closed:
                _end(client)
                continue
            server = _connected(self._place)
            self._open.append((client, server))
            lost = threading.Event()
            threading.Thread(target=self._forth, args=(client, server, lost), daemon=True).start()
            threading.Thread(target=self._back, args=(client, server, lost), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                if self._silent.is_set():
                    continue
                cut = self.cut
                if cut is None or cut.was or cut.said not in data:
                    server.sendall(data)
                    continue
                cut.was, self.cut = True, cut.then or cut
                if cut.after:
                    lost.set()
                    server.sendall(data)
                    continue
                if cut.held:
                    self._held.append(server)
                    self._open.remove((client, server))
                    _end(client)
                    return
                break
        if not lost.is_set():
            _end(client, server)

    def _back(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if self._silent.is_set():
                    continue
                if lost.is_set():
                    break
                client.sendall(data)
        if server not in self._held:
            _end(client, server)


def _place(folder: str, host: str | None, port: int | None) -> str | tuple[str, int]:
    if re.match("/", folder):
        return f"{folder}/.s.PGSQL.{port or 5432}"
    return (folder or host or "127.0.0.1", port or 5432)


def _connected(place: str | tuple[str, int]) -> socket.socket:
    if isinstance(place, tuple):
        return socket.create_connection(place)
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(place)
    return connected


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
