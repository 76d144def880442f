"""`make bench`: every benchmark, one line a figure. It talks to this machine only, and ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench import dispatch, imports, inbound, machines, pages, proofs, purges
from bench.measure import sync_seconds

_NAMES = ("import", "send", "distance", "pages", "proof", "purge", "inbound", "machines")


def main() -> None:
    """Run the benchmarks and print their figures."""
    given = _given()
    names = given.names or _NAMES
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="repermit-bench-") as folder:
        path = Path(folder)
        print(f"one fsync: {sync_seconds(path) * 1e3:.2f} ms", flush=True)
        if "import" in names:
            imports.run(path, given.rows)
        if {"send", "distance"} & set(names):
            dispatch.run(
                path,
                names,
                mails=given.mails,
                runs=given.runs,
                recipients=given.recipients,
            )
        if "pages" in names:
            pages.run(path, people=given.people, runs=given.runs)
        if "proof" in names:
            proofs.run(path, entries=given.entries, opt_ins=given.opt_ins)
        if "purge" in names:
            purges.run(path, given.purged_of)
        if "inbound" in names:
            inbound.run(path, messages=given.messages, runs=given.runs, bounces=given.bounces)
        if "machines" in names:
            machines.run(path, mails=given.mails, people=given.people, runs=given.runs)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(_NAMES)} (all of them)"
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the list (1,000,000)")
    parser.add_argument("--mails", type=int, default=20_000, help="of a run of send (20,000)")
    parser.add_argument("--people", type=int, default=20_000, help="who answer (20,000)")
    parser.add_argument("--entries", type=int, default=1_000_000, help="of a log (1,000,000)")
    parser.add_argument("--opt-ins", type=int, default=100_000, help="of a bundle (100,000)")
    parser.add_argument(
        "--purged-of", type=int, default=1_000_000, help="a purge erases four fifths (1,000,000)"
    )
    parser.add_argument("--messages", type=int, default=2_000, help="that come back (2,000)")
    parser.add_argument(
        "--bounces",
        default=os.environ.get("REPERMIT_BOUNCES", ""),
        metavar="DIR",
        help="your own, in hard/ and temporary/ (REPERMIT_BOUNCES)",
    )
    parser.add_argument("--runs", type=int, default=3, help="of which the median is told (3)")
    parser.add_argument(
        "--recipients", type=int, default=0, help="send to so many, once, for the memory (none)"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(_NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    return given


if __name__ == "__main__":
    main()
