"""The commands as a whole: their names, their help, and the demonstration."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from repermit.cli import app, main
from tests.journeys.campaign import SOURCES, Campaign


def commands(of: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with the words that call it."""
    for name, command in getattr(of, "commands", {}).items():
        yield (*before, name), command
        yield from commands(command, (*before, name))


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_no_command_is_a_coroutine(words: tuple[str, ...]) -> None:
    """Typer would call it and never await it: it would do nothing, and end with 0."""
    callback = ALL[words].callback

    assert not inspect.iscoroutinefunction(callback and inspect.unwrap(callback))


@pytest.mark.parametrize("words", [(), *ALL], ids=" ".join)
def test_help_ends_well_and_needs_no_campaign(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([*words, "--help"]) == 0

    said = capsys.readouterr()
    assert "Usage:" in said.out
    assert said.err == ""
    assert list(tmp_path.iterdir()) == []


def test_every_command_says_what_it_does() -> None:
    silent = [words for words, command in ALL.items() if not command.get_short_help_str()]

    assert silent == []


@pytest.mark.journey
def test_the_demonstration_plays_to_its_end(begun: Campaign) -> None:
    """In a folder that it keeps; it names the next command and leaves a campaign that holds."""
    place = begun.outside / "demonstration"

    said = begun.run("demo", "--folder", place).out

    assert "the log has the same root before and after" in said
    assert "traces left: 0" in said
    assert "repermit init my-campaign" in said
    campaign = Campaign(place, begun.outside, begun.web_port)
    assert campaign.status()["purged"] > 0
    assert (place / "opted-in.csv").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_printed_is_one_line_why_and_one_line_what_to_do() -> None:
    """The disk that standard output goes to is full."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "repermit", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "repermit: the result could not be printed (No space left on device)",
        "  what to do: make room, then run it again",
    ]
