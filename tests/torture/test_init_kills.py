"""An `init` that is killed at any instant: a real SIGKILL, several at once.

What is killed is forked from this warm process, so that a kill lands in the writing and not in the
start of Python.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from pathlib import Path

import pytest

from repermit.cli import main
from repermit.config import load
from repermit.ledger import keys

pytestmark = pytest.mark.torture

# 10 in `make test`; REPERMIT_KILLS=750, as `make torture` sets it, makes it 150.
ROUNDS = max(10, int(os.environ.get("REPERMIT_KILLS", "0")) // 5)
AT_ONCE = 4


def begun(folder: Path) -> int:
    """Start `init` in a forked process and return its id."""
    pid = os.fork()
    if not pid:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        os._exit(main(["init", str(folder), "--yes"]))
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def whole_seconds(folder: Path) -> float:
    """Return how long an `init` takes that nobody kills."""
    started = time.monotonic()
    assert ended(begun(folder)) == 0
    return time.monotonic() - started


def test_wherever_init_is_killed_the_next_one_begins_the_campaign(tmp_path: Path) -> None:
    """No key folder is ever there in part, and nothing hidden stays."""
    ended(begun(tmp_path / "warm"))
    seconds, seed = whole_seconds(tmp_path / "whole"), secrets.randbits(32)
    instants, cut_off = random.Random(seed), 0

    for number in range(ROUNDS):
        folders = [tmp_path / f"{number}-{each}" for each in range(AT_ONCE)]
        pids = [begun(folder) for folder in folders]
        time.sleep(instants.uniform(0, AT_ONCE * seconds))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            ended(pid)
        for folder in folders:
            if (folder / "keys").exists():
                assert keys.load(folder / "keys").campaign, seed
            if not (folder / "config.toml").exists():
                cut_off += 1
                assert ended(begun(folder)) == 0, seed
            assert load(folder / "config.toml").keys_dir == folder / "keys"
            assert keys.is_unused(folder / "keys"), seed
            assert {each.name for each in folder.iterdir()} == {"config.toml", "keys"}, seed
    assert cut_off
