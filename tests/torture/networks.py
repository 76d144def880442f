"""Machines in network namespaces, each with a way of its own to the database, which can be cut
without a word: what is sent arrives nowhere, as when a cable is pulled far away."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

NETWORK = "10.213.0.0/16"  # of all namespaces of these tests
_NOWHERE = "02:00:00:00:00:01"  # the hardware address of nobody


@dataclass(frozen=True)
class Network:
    """The namespace of one machine. `relay` and `database` are where it finds them."""

    name: str
    number: int

    @property
    def within(self) -> list[str]:
        """Return the words that a command begins with in it."""
        return ["ip", "netns", "exec", self.name]

    @property
    def relay(self) -> str:
        """Return the address of this machine on the way to the relay."""
        return f"10.213.{2 * self.number}.1"

    @property
    def database(self) -> str:
        """Return the address of this machine on the way to the database."""
        return f"10.213.{2 * self.number + 1}.1"

    def make(self) -> None:
        """Make the namespace and both ways."""
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        for way, address in (("r", self.relay), ("d", self.database)):
            here, there = f"{self.name}{way}", f"{self.name}{way}p"
            _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name)
            _ip("addr", "add", f"{address}/30", "dev", here)
            _ip("link", "set", here, "up")
            other = f"{address.rpartition('.')[0]}.2"
            _ip("-n", self.name, "addr", "add", f"{other}/30", "dev", there)
            _ip("-n", self.name, "link", "set", there, "up")

    def cut(self) -> None:
        """Let nothing arrive any more between the machine and the database."""
        neighbour = ("lladdr", _NOWHERE, "nud", "permanent")
        far = f"{self.database.rpartition('.')[0]}.2"
        _ip("neigh", "replace", far, *neighbour, "dev", f"{self.name}d")
        _ip("-n", self.name, "neigh", "replace", self.database, *neighbour, "dev", f"{self.name}dp")

    def heal(self) -> None:
        """Let it arrive again."""
        far = f"{self.database.rpartition('.')[0]}.2"
        _ip("neigh", "del", far, "dev", f"{self.name}d")
        _ip("-n", self.name, "neigh", "del", self.database, "dev", f"{self.name}dp")

    def end(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self.name)


@contextlib.contextmanager
def networks(count: int) -> Iterator[list[Network]]:
    """Make so many namespaces, for the length of a block; where none can be made the test says
    that it did not run, and fails under CI."""
    made = [Network(f"rp{os.getpid() % 100_000}n{number}", number) for number in range(count)]
    try:
        _require()
        for each in made:
            each.make()
        yield made
    finally:
        for each in made:
            each.end()


def _require() -> None:
    name = f"rp{os.getpid() % 100_000}try"
    try:
        if shutil.which("ip") is None:
            raise FileNotFoundError("ip")
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except (FileNotFoundError, subprocess.CalledProcessError):
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("NOT RUN: network namespaces need root and iproute2")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
