"""What comes back has its effect once, whatever crashes: real readers and pipes killed at any
instant."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from repermit.config import load
from repermit.domain.clock import SystemClock
from repermit.domain.envelope import SignedNames
from repermit.inbound.maildir import Maildir
from repermit.runtime import Runtime
from tests.inbound.desks import DOMAIN, a_bounce, a_stranger, put
from tests.relays import Relay
from tests.torture.test_kills import Campaign, a_campaign

pytestmark = pytest.mark.torture

KILLS = max(6, int(os.environ.get("REPERMIT_KILLS", "12")) // 4)
_SECONDS = 1.6  # in which a reader ends by itself, on a machine with nothing else to do
_BOUNCES, _STRANGERS = 20, 4


def _asked(folder: Path, relay: Relay) -> tuple[Campaign, list[bytes]]:
    """Return a campaign whose mails have left, and a bounce of each."""
    relay.seconds_a_reply = 0.0
    campaign = a_campaign(folder, relay, _BOUNCES)
    config = Path(campaign.config)
    told = config.read_text("utf-8")
    domain = f'envelope_domain = "{DOMAIN}"'
    config.write_text(re.sub('#envelope_domain = ".*"', domain, told), "utf-8")
    campaign.send_to_the_end()
    runtime = Runtime.of(Path(campaign.config), SystemClock())
    names = SignedNames(runtime.keys.message, DOMAIN)
    return campaign, [a_bounce(number, names=names) for number in range(1, _BOUNCES + 1)]


def _start(campaign: Campaign, *words: str, message: bytes = b"") -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "repermit", "--config", campaign.config, "inbound", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(message)
    process.stdin.close()
    return process


def _killed(process: subprocess.Popen[bytes], chance: random.Random) -> int:
    """Kill a process at any instant, and return how it ended, which may have been before."""
    time.sleep(chance.uniform(0.0, _SECONDS))
    process.kill()
    return process.wait()


def _check(campaign: Campaign, strangers: int) -> None:
    """Everybody has come back once, and what was not ours is there, each message of it."""
    assert set(campaign.standings().values()) == {"undeliverable"}

    async def counts() -> tuple[int, int, int]:
        async with Runtime.of(Path(campaign.config), SystemClock()).ledger() as ledger:
            read = ledger.read
            bounced = await read(lambda tx: tx.value("SELECT sum(undeliverable) FROM stretch"))
            hours = await read(lambda tx: tx.value("SELECT sum(hard) FROM provider_hour"))
            settled = "SELECT count(*) FROM handled WHERE outcome = 'settled'"
            return bounced, hours, await read(lambda tx: tx.value(settled))

    assert asyncio.run(counts()) == (_BOUNCES, _BOUNCES, _BOUNCES)
    config = load(Path(campaign.config))
    kept = {path.read_bytes() for path in (config.inbound_dir / "quarantine").glob("*.eml")}
    assert len(kept) == strangers, "none is lost"
    spool = Maildir(config.inbound_dir)
    assert not spool.is_there or spool.waiting() == []
    campaign.run("proof", "verify")


def _torture(kills: int, work: Callable[[], Sequence[int]]) -> None:
    ends = [end for _ in range(kills) for end in work()]
    print(f"killed: {sum(end < 0 for end in ends)} of {len(ends)}")
    assert any(end < 0 for end in ends), "no kill hit anything"


def test_after_any_kill_of_a_reader_each_message_has_had_its_effect_once(
    tmp_path: Path, relay: Relay, seed: int
) -> None:
    campaign, bounces = _asked(tmp_path / "campaign", relay)
    chance, box = random.Random(seed), tmp_path / "box"
    strangers = [a_stranger(str(number)) for number in range(_STRANGERS)]
    messages = bounces + strangers
    chance.shuffle(messages)
    put(box, *messages[:5])
    waiting = messages[5:]

    def work() -> Sequence[int]:
        more = waiting[: len(messages) // KILLS]
        del waiting[: len(more)]
        process = _start(campaign, "--maildir", str(box))
        put(box, *more)
        return [_killed(process, chance)]

    _torture(KILLS, work)
    put(box, *waiting)
    campaign.run("inbound", "--maildir", str(box))

    assert Maildir(box).waiting() == []
    _check(campaign, _STRANGERS)


def test_after_any_kill_of_a_pipe_no_message_is_lost(
    tmp_path: Path, relay: Relay, seed: int
) -> None:
    """The MTA keeps a message until the pipe ended with 0, and hands it over again."""
    campaign, bounces = _asked(tmp_path / "campaign", relay)
    chance = random.Random(seed)
    strangers = [a_stranger(str(number)) for number in range(_STRANGERS)]
    queue = bounces + strangers
    chance.shuffle(queue)

    def work() -> Sequence[int]:
        batch = [queue.pop() for _ in range(min(3, len(queue)))]
        pipes = [(each, _start(campaign, "-", message=each)) for each in batch]
        ends = [_killed(pipe, chance) for _, pipe in pipes]
        queue.extend(each for (each, _), end in zip(pipes, ends, strict=True) if end != 0)
        return ends

    _torture(KILLS, work)
    while queue:
        pipes = [_start(campaign, "-", message=queue.pop()) for _ in range(min(4, len(queue)))]
        assert [pipe.wait(120) for pipe in pipes] == [0] * len(pipes)
    campaign.run("inbound")

    _check(campaign, _STRANGERS)
