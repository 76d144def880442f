"""Starting: how long `repermit --help` takes beside importing what its command line is made of."""

from __future__ import annotations

from bench.campaign import HERE
from bench.figures import Record
from bench.measure import Spread, python


def run(record: Record, *, times: int) -> None:
    """Note the figure of so many starts of each, in turns."""
    pairs = []
    for _ in range(times):
        ours = python("-m", "repermit", "--help", cwd=HERE).seconds
        pairs.append((ours, python("-c", "import typer", cwd=HERE).seconds))
    ratio = Spread.of([ours / least for ours, least in pairs])
    ours_ms = Spread.of([ours * 1e3 for ours, _ in pairs]).median
    least_ms = Spread.of([least * 1e3 for _, least in pairs]).median
    print(
        f"repermit --help: {ours_ms:.0f} ms; import typer: {least_ms:.0f} ms; ratio {ratio:.2f}",
        flush=True,
    )
    record.note("help", ratio.median, f"{ours_ms:.0f} ms against {least_ms:.0f}")
