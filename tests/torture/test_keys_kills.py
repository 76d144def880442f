"""Keys that are changed under kills at any instant: real processes, a real SIGKILL.

What is killed is forked from this warm process, so that a kill lands in the change and not in the
start of Python.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import time
from pathlib import Path

import pytest

from repermit.cli import main
from repermit.cli.begin import write_campaign
from repermit.domain.clock import SystemClock
from repermit.domain.token import Scope, Tokens
from repermit.ledger import keys
from repermit.runtime import Runtime
from tests.builders import admit, verified

pytestmark = pytest.mark.torture

# 20 in `make test`; REPERMIT_KILLS=750, as `make torture` sets it, makes it 150.
KILLS = max(20, int(os.environ.get("REPERMIT_KILLS", "0")) // 5)


def forked(config: Path, *words: str) -> int:
    """Start a command in a forked process and return its id."""
    pid = os.fork()
    if not pid:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        os._exit(main(["--config", str(config), *words]))
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def whole_seconds(folder: Path, *words: str) -> float:
    """Return how long a command takes that nobody kills, in a copy of the campaign."""
    copy = shutil.copytree(folder, folder.with_name("copy"))
    started = time.monotonic()
    assert ended(forked(copy / "config.toml", *words)) == 0
    seconds = time.monotonic() - started
    shutil.rmtree(copy)
    return seconds


async def _begun(runtime: Runtime) -> None:
    async with runtime.ledger(create=True) as ledger:
        await admit(ledger, "an@voorbeeld.example")


async def _on_record(runtime: Runtime) -> list[str]:
    """Return the keys that the log says were made; it must verify."""
    sql = "SELECT payload FROM log WHERE kind IN ('rotated', 'revoked') ORDER BY \"index\""
    async with runtime.ledger() as ledger:
        assert (await verified(ledger)).holds
        rows = await ledger.read(lambda tx: tx.rows(sql))
    return [str(json.loads(payload)["new"]) for (payload,) in rows]


@pytest.mark.parametrize("name", ["rotate", "revoke-links"])
def test_no_key_is_lost_and_none_put_on_record_twice_whenever_it_is_killed(
    tmp_path: Path, name: str
) -> None:
    """After a kill the links are those of before the change or of after it, and the next change
    puts it on record: once."""
    write_campaign(tmp_path / "campaign", {})
    config, words = tmp_path / "campaign" / "config.toml", ("keys", name)
    runtime = Runtime.of(config, SystemClock())
    asyncio.run(_begun(runtime))
    assert ended(forked(config, "pause")) == 0
    seconds, seed = whole_seconds(config.parent, *words), secrets.randbits(32)
    instants, cut_off = random.Random(seed), 0

    for _ in range(KILLS):
        before = keys.load(runtime.config.keys_dir).tokens
        link = Tokens(before).issue(Scope.ANSWER, 7)
        pid = forked(config, *words)
        time.sleep(instants.uniform(0, seconds))
        os.kill(pid, signal.SIGKILL)
        cut_off += ended(pid) != 0
        after = keys.load(runtime.config.keys_dir).tokens
        added = len(set(after) - set(before))
        assert added in (0, 1), seed
        if name == "rotate" or not added:
            assert after[: len(before)] == before, seed
            assert Tokens(after).read(Scope.ANSWER, link) == 7
        else:
            assert len(after) == 1, seed

    assert ended(forked(config, *words)) == 0
    now = Tokens(keys.load(runtime.config.keys_dir).tokens).fingerprints
    made = asyncio.run(_on_record(runtime))
    assert len(set(made)) == len(made), seed
    assert made[-1] == now[-1]
    if name == "rotate":
        assert made == list(now[1:]), seed
    assert cut_off
