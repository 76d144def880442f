"""`make bench`: every benchmark, one after the other. It talks to this machine only, and ends."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from bench import table
from bench.figures import ROWS, Record
from bench.measure import sync_seconds

_NAMES = tuple(dict.fromkeys(row.benchmark for row in ROWS))  # in the order of the table


@dataclass(frozen=True)
class Sizes:
    """How much is measured; `recipients` are sent to once, for the memory, in `send` only."""

    rows: int = 1_000_000  # of the list that is imported
    mails: int = 20_000  # of a run of send
    people: int = 20_000  # who answer
    entries: int = 200_000  # of a log
    opt_ins: int = 50_000  # of a bundle
    large: int = 1_000_000  # people of the campaign of `commands` and `purge`
    messages: int = 2_000  # that come back
    shared: int = 2_000  # mails of a run of `machines`, and people who answer there
    starts: int = 20
    seconds: int = 5  # of a load of pages
    runs: int = 3  # of which the median is told
    recipients: int = 0


_SMALL = Sizes(
    rows=2_000,
    mails=400,
    people=600,
    entries=500,
    opt_ins=200,
    large=1_000,
    messages=100,
    shared=400,
    starts=2,
    seconds=1,
    runs=1,
)


def main() -> int:
    """Run the benchmarks, each in a process of its own, and return the exit code."""
    given = _given()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with _place(given.folder) as folder:
        out = given.out or folder
        if len(given.names) == 1:
            _measure(given.names[0], folder, out, _sizes(given), given.bounces)
        else:
            out.mkdir(parents=True, exist_ok=True)
            if not given.names:
                (out / "figures.json").unlink(missing_ok=True)
            failed = [name for name in given.names or _NAMES if _ended(name, folder, out)]
            if failed:
                print(f"these ended early: {', '.join(failed)}", flush=True)
                return 1
    return 0


def _measure(name: str, folder: Path, out: Path, sizes: Sizes, bounces: str) -> None:
    """Run one benchmark and keep its figures in *out*; what it has when it ends early stays."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    out.mkdir(parents=True, exist_ok=True)
    record = Record.read(out / "figures.json")
    record.sync_ms = sync_seconds(place) * 1e3
    print(f"{name}: one fsync {record.sync_ms:.2f} ms", flush=True)
    started = time.perf_counter()
    try:
        _run(name, place, record, sizes, bounces)
    finally:
        record.took(name, time.perf_counter() - started)
        table.write(record, out)
        shutil.rmtree(place, ignore_errors=True)


def _run(name: str, place: Path, record: Record, sizes: Sizes, bounces: str) -> None:
    """Run one benchmark; only what it needs is loaded."""
    match name:
        case "send" | "distance":
            from bench import dispatch

            dispatch.run(
                *(place, record, (name,)),
                mails=sizes.mails,
                runs=sizes.runs,
                recipients=sizes.recipients,
            )
        case "import":
            from bench import imports

            imports.run(place, record, sizes.rows)
        case "pages":
            from bench import pages

            pages.run(place, record, people=sizes.people, runs=sizes.runs, seconds=sizes.seconds)
        case "purge":
            from bench import purges

            purges.run(place, record, sizes.large)
        case "help":
            from bench import starts

            starts.run(record, times=sizes.starts)
        case "commands":
            from bench import commands

            commands.run(place, record, sizes.large)
        case "proof":
            from bench import proofs

            proofs.run(place, record, entries=sizes.entries, opt_ins=sizes.opt_ins)
        case "inbound":
            from bench import inbound

            inbound.run(place, record, messages=sizes.messages, runs=sizes.runs, bounces=bounces)
        case "machines":
            from bench import machines

            machines.run(
                *(place, record),
                mails=sizes.shared,
                people=sizes.shared,
                runs=1,
                seconds=sizes.seconds,
            )


def _ended(name: str, folder: Path, out: Path) -> int:
    """Run one benchmark as another of us, and return how it ended."""
    words = [name, *_options(sys.argv[1:]), "--folder", str(folder), "--out", str(out)]
    with subprocess.Popen([sys.executable, "-m", "bench", *words]) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()  # it ends what it has started
            process.wait()
            raise


def _options(words: Sequence[str]) -> Iterator[str]:
    """Yield what was said but for the names."""
    return (word for word in words if word not in _NAMES)


@contextmanager
def _place(given: Path | None) -> Iterator[Path]:
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="repermit-bench-") as folder:
        yield Path(folder)


def _sizes(given: argparse.Namespace) -> Sizes:
    base = _SMALL if given.small else Sizes()
    said = {each.name: getattr(given, each.name) for each in fields(Sizes)}
    kept = {name: getattr(base, name) if value is None else value for name, value in said.items()}
    return Sizes(**kept)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(_NAMES)} (all of them)")
    add("--out", type=Path, metavar="DIR", help="write README.md, chart.svg and figures.json there")
    add("--small", action="store_true", help="try whether it works; the figures say nothing")
    for each in fields(Sizes):
        option = f"--{each.name.replace('_', '-')}"
        add(option, type=int, metavar="N", help=f"{each.default:,} unless said")
    add(
        "--bounces",
        default=os.environ.get("REPERMIT_BOUNCES", ""),
        metavar="DIR",
        help="your own, in hard/ and temporary/ (REPERMIT_BOUNCES)",
    )
    add("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.names) - set(_NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    return given


if __name__ == "__main__":
    sys.exit(main())
