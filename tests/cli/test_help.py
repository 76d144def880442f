"""The help: in the order in which one needs the commands, quick, with examples that work; and the
completion of the shell."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import typer

import repermit.cli
from repermit.cli import app, main
from repermit.cli.commands import GROUPS, family
from repermit.cli.examples import EXAMPLES
from tests.cli.test_commands import ALL
from tests.journeys.campaign import SOURCES
from tests.typed import require_typable

_ORDER = ["Prepare", "Ask", "Answers", "Finish", "Proof", "Operate"]
_SLOW = (
    *("sqlalchemy", "sqlmodel", "alembic", "pydantic", "jinja2", "babel", "cryptography"),
    *("starlette", "uvicorn", "aiosmtplib", "dns", "rich", "markdown_it", "email_validator"),
    *("asyncpg", "itsdangerous", "python_calamine", "h11"),
)
_LINES = [(words, line) for words, lines in EXAMPLES.items() for line in lines]


def program(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python` with *words* in *folder*, as a process of its own."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("REPERMIT")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**known, "PYTHONPATH": str(SOURCES), "HOME": str(folder), **environment},
        timeout=120,
        check=False,
    )


def test_the_groups_stand_in_the_order_in_which_one_needs_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--help"]) == 0

    said = capsys.readouterr().out
    assert re.findall(r"^(\w+):$", said, re.MULTILINE)[1:] == _ORDER
    shown = re.findall(r"^  ([a-z][a-z-]+)  ", said, re.MULTILINE)
    assert shown == [name for group in GROUPS.values() for name in group]


def registered() -> Iterator[tuple[str, str, str]]:
    """Yield (command, module, group) of everything that a module of the commands registers."""
    for found in iter_modules(repermit.cli.__path__):
        module: Any = import_module(f"repermit.cli.{found.name}")
        if not hasattr(module, "register") or found.name == "review":  # a command in `inbound`
            continue
        for name, command in family(found.name).items():
            yield name, found.name, command.rich_help_panel


def test_no_command_is_missing_in_the_overview_and_each_stands_in_its_group() -> None:
    listed = {
        (name, module, group)
        for group, commands in GROUPS.items()
        for name, (module, _) in commands.items()
    }

    assert set(registered()) == listed


def test_every_command_has_an_example() -> None:
    assert {" ".join(words) for words in ALL} == set(EXAMPLES)


@pytest.mark.parametrize(("words", "line"), _LINES, ids=[line for _, line in _LINES])
def test_an_example_can_be_typed(words: str, line: str) -> None:
    typed = shlex.split(line)

    assert typed[1 : 1 + len(words.split())] == words.split()
    require_typable(typed)


def test_the_help_of_a_command_ends_with_its_examples(capsys: pytest.CaptureFixture[str]) -> None:
    main(["purge", "--help"])

    assert capsys.readouterr().out.rstrip().endswith("repermit purge --at-most 412")


_WHAT_IS_LOADED = (
    "import sys; from repermit.cli import main; code = main(sys.argv[1:]);"
    f"print('LOADED', *(name for name in {_SLOW!r} if name in sys.modules), file=sys.stderr)"
)


def test_the_help_of_the_program_loads_nothing_slow(tmp_path: Path) -> None:
    ended = program("-c", _WHAT_IS_LOADED, "--help", folder=tmp_path)

    assert ended.stderr.strip() == "LOADED"
    assert ended.returncode == 0


@pytest.mark.parametrize("words", [["send", "--help"], ["status", "--help"], []])
def test_what_only_tells_loads_nothing_slow_of_ours(words: list[str], tmp_path: Path) -> None:
    """Typer takes pydantic to read the options; where no campaign is, nothing else is needed."""
    ended = program("-c", _WHAT_IS_LOADED, *words, folder=tmp_path)

    assert ended.stderr.split() in (["LOADED"], ["LOADED", "pydantic"])
    assert ended.returncode == 0


def test_the_help_loads_no_command(tmp_path: Path) -> None:
    names = [f"repermit.cli.{name}" for group in GROUPS.values() for name, _ in group.values()]
    script = (
        "import sys; from repermit.cli import main; main(['--help']);"
        f"print([name for name in {names!r} if name in sys.modules], file=sys.stderr)"
    )

    assert program("-c", script, folder=tmp_path).stderr.strip() == "[]"


def test_registering_every_command_loads_nothing_slow(tmp_path: Path) -> None:
    script = (
        "import sys, typer; from repermit.cli import app;"
        "print(len(list(typer.main.get_command(app).commands.items())));"
        f"print('LOADED', *(name for name in {_SLOW!r} if name in sys.modules), file=sys.stderr)"
    )
    ended = program("-c", script, folder=tmp_path)

    assert ended.stderr.strip() == "LOADED"
    assert int(ended.stdout) == len({words[0] for words in ALL})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["sned"], "send"), (["imprt", "list.csv"], "import"), (["doubt", "lst"], "list")],
)
def test_a_wrong_name_gets_the_right_one(
    typed: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(typed) == 2

    said = capsys.readouterr().err
    assert f"Did you mean '{meant}'?" in said
    assert "what to do: " in said


def test_json_before_a_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "status"]) == 2
    assert "--json goes behind status" in capsys.readouterr().out


def completed(shell: str, line: str, folder: Path) -> str:
    """Return what the completion of *shell* offers for the last word of *line*."""
    words = line.split(" ")
    given = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    environment = {"_REPERMIT_COMPLETE": f"complete_{shell}", **given}
    ended = program("-m", "repermit", folder=folder, **environment)
    assert ended.returncode == 0, ended
    return ended.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("repermit exp", "export"),
        ("repermit doubt re", "resend"),
        ("repermit purge --dry", "--dry-run"),
        ("repermit export --format list", "listmonk"),
        ("repermit import list.csv --relationship signed", "signed_up_no_proof"),
        ("repermit --config other", "other.toml"),
    ],
)
def test_the_shell_completes_commands_options_and_values(
    shell: str, line: str, offered: str, tmp_path: Path
) -> None:
    """Without a look at the config, which is no config here, and without a ledger."""
    (tmp_path / "config.toml").write_text("this is not TOML")
    (tmp_path / "other.toml").write_text("nor is this")
    before = sorted(tmp_path.iterdir())

    assert offered in completed(shell, line, tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_the_script_for_the_shell_is_shown_and_installed(tmp_path: Path) -> None:
    """As typed in a bash, whose name is found by itself."""
    command = f"{shlex.quote(sys.executable)} -m repermit"
    shown = subprocess.run(
        ["bash", "-c", f"{command} --show-completion && {command} --install-completion; true"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES), "HOME": str(tmp_path)},
        timeout=120,
        check=False,
    )

    assert "complete -o default -F _repermit_completion repermit" in shown.stdout, shown
    assert (tmp_path / ".bash_completions" / "repermit.sh").exists()
    assert not (tmp_path / "config.toml").exists()


def test_the_program_is_what_typer_makes_of_it() -> None:
    """Whoever walks over all commands finds every one, loaded or not."""
    made: Any = typer.main.get_command(app)

    assert list(made.commands) == [name for group in GROUPS.values() for name in group]
    assert "nothing" not in made.commands
    assert len(made.commands) == len(list(made.commands.items()))
