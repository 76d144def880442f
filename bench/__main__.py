"""`make bench`: every benchmark, one line a figure. It talks to this machine only, and ends."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench import imports
from bench.measure import sync_seconds


def main() -> None:
    """Run the benchmarks and print their figures."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the list (1,000,000)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repermit-bench-") as folder:
        path = Path(folder)
        print(f"one fsync: {sync_seconds(path) * 1e3:.2f} ms")
        imports.run(path, given.rows)


if __name__ == "__main__":
    main()
