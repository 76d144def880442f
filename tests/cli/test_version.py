"""`repermit --version`, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from repermit import __version__
from repermit.cli import main
from tests.journeys.campaign import SOURCES

_LOADED = (
    "import sys; from repermit.__main__ import main; sys.argv[1:] = ['--version']; main();"
    " sys.exit('typer' in sys.modules)"
)


@pytest.mark.parametrize("words", [("-m", "repermit", "--version"), ("-c", _LOADED)])
def test_the_release_is_told_at_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (ended.stdout, ended.stderr) == (f"repermit {__version__}\n", "")


def test_it_is_an_option_as_others_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", "nowhere.toml", "--version"]) == 0
    assert capsys.readouterr().out == f"repermit {__version__}\n"
