"""Ports of this machine for what a benchmark starts."""

from __future__ import annotations

import socket
import time

LOOPBACK = "127.0.0.1"
_STARTING_SECONDS = 60.0


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        return int(taken.getsockname()[1])


def wait_for(port: int) -> None:
    """Return once something listens on *port*. Raises: TimeoutError."""
    until = time.monotonic() + _STARTING_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")
