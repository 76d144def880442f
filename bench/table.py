"""The figures as one table, between two marks of a file, and the words around it."""

from __future__ import annotations

from pathlib import Path

from bench.chart import drawn
from bench.figures import ROWS, Record, Row

_FROM, _TO = "<!-- figures: written by `make bench` -->", "<!-- end of figures -->"
_HEAD = """\
| work | measure | limit | measured | one fsync | holds? |
|---|---|---|---|---|---|
"""


def write(record: Record, folder: Path) -> None:
    """Write the table into the README of *folder*, in place of the one that is there, and the
    chart beside it."""
    readme = folder / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else f"{_FROM}\n{_TO}\n"
    before, _, rest = text.partition(_FROM)
    _, _, after = rest.partition(_TO)
    readme.write_text(f"{before}{_FROM}\n{rendered(record)}{_TO}{after}", "utf-8")
    (folder / "chart.svg").write_text(drawn(record), "utf-8")


def rendered(record: Record) -> str:
    """Return the circumstances and the table, in Markdown."""
    lines = "".join(_line(row, record) for row in ROWS)
    return f"{_around(record)}\n{_HEAD}{lines}"


def _around(record: Record) -> str:
    results = list(record.results.values())
    if not results:
        return "Nothing was measured yet.\n"
    machines = sorted({result.machine for result in results})
    days = sorted({result.day for result in results})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    took = ", ".join(f"{name} {seconds:,.0f} s" for name, seconds in record.seconds.items())
    whole = sum(record.seconds.values()) / 60
    return (
        f"Measured {when} on: {'; '.join(machines)}. It took {whole:.0f} minutes: {took}.\n\n"
        "![Each figure beside its limit; the same as in the table](chart.svg)\n"
    )


def _line(row: Row, record: Record) -> str:
    limit = "" if row.limit is None else f"{'≤' if row.at_most else '≥'} {_number(row.limit, row)}"
    result = record.results.get(row.name)
    if result is None:
        return f"| {row.work} | {row.measure} | {limit} | not run | | |\n"
    said = f": {result.said}" if result.said else ""
    holds = {None: "", True: "yes", False: "**no**"}[row.holds(result.value)]
    return (
        f"| {row.work} | {row.measure} | {limit} | **{_number(result.value, row)}**{said}"
        f" | {result.sync_ms:.2f} ms | {holds} |\n"
    )


def _number(value: float, row: Row) -> str:
    """Return *value* with its unit, to three digits."""
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {row.unit}".rstrip()
