"""The purge: how long it takes beside a bare DELETE and VACUUM of the same file, how long an answer
waits meanwhile, and the memory."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from bench.campaign import HERE, made_once
from bench.figures import Record
from bench.measure import python
from bench.proofs import answer
from repermit.domain.clock import SystemClock
from repermit.domain.due import BY_DATE
from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.store import snapshots
from repermit.ledger.store.due import Terms
from repermit.ledger.transaction import Transaction
from repermit.purge.guard import Watch
from repermit.purge.plan import Order
from repermit.purge.run import purge
from repermit.runtime import Runtime

_AT_ONCE = 5_000  # presses of a transaction
_BETWEEN_SECONDS = 0.02
_YESES = 5  # one in so many said yes, and stays


def run(folder: Path, record: Record, people: int) -> None:
    """Note the figures of a purge of four fifths of *people*."""
    campaign = made_once(folder.parent, people).copied(folder / "purge")
    config = campaign.folder / "config.toml"
    # In a process of its own: what is run later would count our memory as its own.
    python("-m", "bench.purges", "asked", config, str(people), cwd=HERE)
    copy = campaign.folder / "bare.db"
    shutil.copy(campaign.folder / "repermit.db", copy)
    least = python("-m", "bench.least", "erased", copy, cwd=HERE)
    copy.unlink()
    pressing = [sys.executable, "-m", "bench.purges", "press", str(config)]
    with subprocess.Popen(
        pressing, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as presser:
        try:
            done = python("-m", "bench.purges", "purge", config, cwd=HERE)
            waits = json.loads(presser.communicate()[0])
        finally:
            presser.kill()
    told = json.loads(done.out)
    print(
        f"purge, {told['purged']:,} of {people:,}: {done.seconds:.1f} s,"
        f" {done.peak_bytes / 1e6:.0f} MB; bare DELETE + VACUUM: {least.seconds:.1f} s;"
        f" ratio {done.seconds / least.seconds:.1f}; of {waits['presses']:,} answers meanwhile the"
        f" longest waited {waits['longest']:.2f} s",
        flush=True,
    )
    beside = f"{done.seconds:.1f} s against {least.seconds:.1f}"
    record.note("purge", done.seconds / least.seconds, f"of {people:,}, {beside}")
    record.note("wait", waits["longest"], f"of {waits['presses']:,} answers")
    record.note("memory purge", done.peak_bytes / 1e6, f"{people:,} people")
    phases = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in told["phases"])
    print(f"  {phases}", flush=True)


def asked(config: str, people: str) -> None:
    """Let everybody have had their mail, the last day of everybody be over, and a fifth say yes."""
    asyncio.run(_ask_all(Runtime.of(Path(config), SystemClock()), int(people)))


async def _ask_all(runtime: Runtime, people: int) -> None:
    async with runtime.ledger() as ledger:
        await ledger.write(_ask, people)
        for first in range(1, people + 1, _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, people + 1), _YESES)
            await ledger.write(answer, some)
        await ledger.checkpoint()


def _ask(tx: Transaction, people: int) -> None:
    mail = snapshots.keep_snapshot(tx, "mail", "nl", "the mail")
    due = tx.now.replace(microsecond=0) - timedelta(days=1)
    tx.run(
        "UPDATE recipient SET standing = 'asked', due_at = ?, mail = ?, intent_at = ?",
        *(to_micros(due), mail, to_micros(due - timedelta(days=31))),
    )
    tx.log.moved(range(1, people + 1), Standing.ASKED, due=due, mail=mail)


def press(config: str) -> None:
    """Answer every 20 ms until standard input ends; print how many, and the longest wait."""
    print(json.dumps(asyncio.run(_press(Runtime.of(Path(config), SystemClock())))))


async def _press(runtime: Runtime) -> dict[str, float]:
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    presses, longest, person = 0, 0.0, 1
    async with runtime.ledger() as ledger:
        while not ended.done():
            started = time.perf_counter()
            await ledger.write(answer, range(person, person + 1))
            longest = max(longest, time.perf_counter() - started)
            presses, person = presses + 1, person + _YESES
            await asyncio.sleep(_BETWEEN_SECONDS)
    return {"presses": presses, "longest": longest}


def erase(config: str) -> None:
    """Purge, and print how many, and how long each phase took."""
    print(json.dumps(asyncio.run(_erase(Runtime.of(Path(config), SystemClock())))))


async def _erase(runtime: Runtime) -> dict[str, object]:
    marks: list[tuple[str, float]] = [("guard", time.perf_counter())]
    terms = Terms(
        runtime.clock.now(), BY_DATE, window=timedelta(days=31), proof=timedelta(days=1095)
    )
    order = Order(terms, by="bench", at_most=None, accepted_outage="nobody probes a benchmark")
    async with runtime.ledger() as ledger:
        done = await purge(
            ledger,
            order,
            Watch(),
            sign=runtime.signing.sign,
            tell=lambda line: marks.append((line, time.perf_counter())),
        )
    ends = [*marks[1:], ("", time.perf_counter())]
    phases = [(name, end - begun) for (name, begun), (_, end) in zip(marks, ends, strict=True)]
    return {"purged": done.purged, "phases": phases}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["asked", config, people]:
            asked(config, people)
        case ["press", config]:
            press(config)
        case ["purge", config]:
            erase(config)
