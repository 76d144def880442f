"""Proof: how long the replay of a log takes, and the evidence of a campaign, beside the least."""

from __future__ import annotations

import asyncio
import json
import sys
import zipfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from bench.campaign import HERE, Campaign, made
from bench.figures import Record
from bench.measure import python
from repermit.domain.clock import SystemClock
from repermit.domain.standing import Answer, Standing, Way
from repermit.ledger.instants import to_micros
from repermit.ledger.store import answering, snapshots
from repermit.ledger.store.answering import Press
from repermit.ledger.transaction import Transaction
from repermit.runtime import Runtime

_AT_ONCE = 5_000  # presses of a transaction


def run(folder: Path, record: Record, *, entries: int, opt_ins: int) -> None:
    """Note the figures of a log of *entries* yeses, and of a bundle of *opt_ins*."""
    _verify(folder / "verify", record, entries)
    _bundle(folder / "bundle", record, opt_ins)


def _verify(folder: Path, record: Record, entries: int) -> None:
    campaign = _answered(folder, entries)
    done = campaign.run("proof", "verify", "--json")
    size = json.loads(done.out)["size"]
    least = python("-m", "bench.least", "replayed", folder / "repermit.db", cwd=HERE)
    print(
        f"proof verify, {size:,} entries: {done.seconds:.1f} s,"
        f" {done.seconds / size * 1e6:.0f} us an entry, {done.peak_bytes / 1e6:.0f} MB;"
        f" bare sqlite3 + hashlib + json: {least.seconds:.1f} s;"
        f" ratio {least.seconds / done.seconds:.2f}",
        flush=True,
    )
    said = f"{size:,} entries, {done.seconds:.1f} s against {least.seconds:.1f}"
    record.note("verify", least.seconds / done.seconds, said)


def _bundle(folder: Path, record: Record, opt_ins: int) -> None:
    campaign, out = _answered(folder, opt_ins), folder / "evidence.zip"
    done = campaign.run("proof", "bundle", "--out", out)
    with zipfile.ZipFile(out) as bundle:
        verifier = Path(bundle.extract("verify.py", folder))
    checked = python(verifier, out, cwd=folder)
    least = python("-m", "bench.least", "packed", out, folder / "packed.zip", cwd=HERE)
    print(
        f"proof bundle, {opt_ins:,} opt-ins: {done.seconds:.1f} s, {done.peak_bytes / 1e6:.0f} MB,"
        f" a file of {out.stat().st_size / 1e6:.0f} MB; bare zipfile: {least.seconds:.1f} s;"
        f" ratio {least.seconds / done.seconds:.2f}; its verify.py: {checked.seconds:.1f} s,"
        f" {checked.peak_bytes / 1e6:.0f} MB",
        flush=True,
    )
    record.note(
        "bundle",
        least.seconds / done.seconds,
        f"{opt_ins:,} opt-ins, {done.seconds:.1f} s against {least.seconds:.1f},"
        f" {done.peak_bytes / 1e6:.0f} MB; its `verify.py` {checked.seconds:.1f} s",
    )


def _answered(folder: Path, people: int) -> Campaign:
    """Return a campaign in which everybody has said yes, each in an entry of their own."""
    campaign = made(folder, people)
    # In a process of its own: what is run later would count our memory as its own.
    python("-m", "bench.proofs", "answered", folder / "config.toml", str(people), cwd=HERE)
    return campaign


def answered(config: str, people: str) -> None:
    """Let everybody of the campaign say yes."""
    asyncio.run(_answer_all(Runtime.of(Path(config), SystemClock()), int(people)))


async def _answer_all(runtime: Runtime, people: int) -> None:
    async with runtime.ledger() as ledger:
        await ledger.write(_ask, people)
        for first in range(1, people + 1, _AT_ONCE):
            await ledger.write(answer, range(first, min(first + _AT_ONCE, people + 1)))


def asked(config: str, people: str) -> None:
    """Note that everybody of the campaign had their mail."""
    asyncio.run(_ask_all(Runtime.of(Path(config), SystemClock()), int(people)))


async def _ask_all(runtime: Runtime, people: int) -> None:
    async with runtime.ledger() as ledger:
        await ledger.write(_ask, people)


def _ask(tx: Transaction, people: int) -> None:
    """Note that everybody had their mail, without sending it."""
    mail = snapshots.keep_snapshot(tx, "mail", "nl", "the mail")
    due = tx.now.replace(microsecond=0) + timedelta(days=31)
    tx.run(
        "UPDATE recipient SET standing = 'asked', due_at = ?, mail = ?, intent_at = ?",
        *(to_micros(due), mail, to_micros(tx.now)),
    )
    tx.log.moved(range(1, people + 1), Standing.ASKED, due=due, mail=mail)


def answer(tx: Transaction, numbers: Iterable[int]) -> None:
    """Let those people say yes."""
    page = snapshots.keep_snapshot(tx, "page", "nl", "the page")
    for number in numbers:
        press = Press(
            answer=Answer.YES,
            way=Way.FORM,
            button="Ja, hou mij op de hoogte",
            language="nl",
            purposes=("newsletter",),
            page=page,
            release="bench",
        )
        answering.file_answer(tx, number, press)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["asked", config, people]:
            asked(config, people)
        case ["answered", config, people]:
            answered(config, people)
