"""The benchmarks run, and what they find is written where it can be read. No figure is held to a
limit here: this machine does other things meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import chart, table
from bench.figures import ROWS, Record, Result

SOURCES = Path(__file__).parents[2]


def _bench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, words)],
        cwd=SOURCES,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _a_record(folder: Path, **values: float) -> Record:
    results = {
        name: Result(value, "said", 0.2, "2 cores", "2026-11-22") for name, value in values.items()
    }
    return Record(folder / "figures.json", results, {"help": 1.0})


@pytest.mark.journey
def test_one_after_the_other_they_fill_one_table_and_the_rest_is_not_run(tmp_path: Path) -> None:
    """The two smallest, for real, each in a process of its own."""
    ended = _bench("help", "import", "--small", "--rows", "300", "--out", tmp_path)

    assert ended.returncode == 0, ended.stderr
    lines = (tmp_path / "README.md").read_text("utf-8").splitlines()
    measured = [line for line in lines if "≤" in line or "≥" in line]
    assert [line for line in measured if "`repermit --help`" in line and "not run" not in line]
    assert [line for line in measured if "bare csv" in line and "not run" not in line]
    assert [line for line in measured if "durable POST" in line and "not run" in line]
    assert "not run" in (tmp_path / "chart.svg").read_text("utf-8")
    assert set(Record.read(tmp_path / "figures.json").seconds) == {"help", "import"}


@pytest.mark.journey
def test_what_ends_early_is_named_and_loses_nothing_of_the_others(tmp_path: Path) -> None:
    """A list of no rows cannot be imported."""
    ended = _bench("import", "help", "--small", "--rows", "0", "--out", tmp_path)

    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == "these ended early: import"
    assert set(Record.read(tmp_path / "figures.json").results) == {"help"}


@pytest.mark.journey
def test_a_benchmark_that_is_not_there_is_said_at_once() -> None:
    ended = _bench("sned")

    assert ended.returncode == 2
    assert "no benchmark is called sned" in ended.stderr


def test_a_row_that_has_its_limit_says_whether_it_holds(tmp_path: Path) -> None:
    shown = table.rendered(
        _a_record(tmp_path, send=0.13, get=0.69, purge=7.4, help=1.2, verify=0.3)
    )

    holds = {line.split(" | ")[0].strip("| "): line.split(" | ")[-1] for line in shown.splitlines()}
    assert holds["send, 10 connections"] == "**no** |"
    assert holds["answer page, GET"] == "yes |"
    assert holds["purge of four fifths"] == "**no** |"
    assert holds["`repermit --help`"] == "yes |"
    assert holds["proof verify"].strip() == "|"
    assert shown.count("not run") == len(ROWS) - 5


def test_the_table_takes_the_place_of_the_one_before_and_the_words_stay(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text((SOURCES / "bench" / "README.md").read_text("utf-8"), "utf-8")
    table.write(_a_record(tmp_path, send=0.5), tmp_path)
    first = readme.read_text("utf-8")

    table.write(_a_record(tmp_path, send=0.4), tmp_path)

    second = readme.read_text("utf-8")
    assert second == first.replace("**0.5**", "**0.4**").replace(
        "0.20 ms | yes |", "0.20 ms | **no** |"
    )
    assert second.startswith("# What repermit costs")


def test_the_chart_says_in_words_what_its_bars_show(tmp_path: Path) -> None:
    """Nobody needs colour, or eyes: each bar has a word, and the whole a title and a sentence."""
    drawn = chart.drawn(_a_record(tmp_path, send=0.25, wait=0.1, purge=0.0))

    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    words = " ".join("".join(each.itertext()) for each in root)
    assert root.get("role") == "img"
    assert "2 of 3 figures hold their limit" in words
    assert "short, 0.5×" in words
    assert "holds, 5×" in words
    assert "not run" in words
    assert "url(#short)" in drawn


def test_every_row_of_the_design_has_a_limit() -> None:
    limits = {row.name: (row.limit, row.at_most) for row in ROWS if row.limit is not None}

    assert limits["send"] == (0.5, False)
    assert limits["away"] == (1.8, False)
    assert (limits["import"], limits["import rate"]) == ((0.1, False), (40_000, False))
    assert (limits["get"], limits["post"]) == ((0.4, False), (0.25, False))
    assert (limits["purge"], limits["wait"]) == ((6, True), (0.5, True))
    assert limits["help"] == (1.5, True)
    assert {limits[name] for name in limits if name.startswith("memory ")} == {(200, True)}
