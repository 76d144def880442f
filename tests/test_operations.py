"""What the docs tell to type exists, and where they point to is something."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from repermit.cli import app
from repermit.cli.status import read_figures, status_content
from repermit.runtime import Runtime
from tests.builders import FakeClock
from tests.respond.builders import write_config

_ROOT = Path(__file__).parents[1]
_DOCS = sorted([*_ROOT.glob("docs/*.md"), _ROOT / "README.md", _ROOT / "deploy/README.md"])
_OPERATIONS = _ROOT / "docs" / "operations.md"
_CALL = r"(?:repermit|compose run --rm --no-deps machine1) (?=[a-z]|--)"
_PROGRAM: Any = typer.main.get_command(app)

_by_file = pytest.mark.parametrize("doc", _DOCS, ids=lambda path: path.name)


def _shown(text: str) -> Iterator[str]:
    """Yield each command that *text* shows: on an indented line, or between backticks."""
    text = re.sub(r"\\\n\s*", "", text)
    for line in re.findall(r"^(?: {4}|\t)(.*)$", text, re.MULTILINE):
        yield from re.findall(rf"(?:^|(?<=[\s/(\"])){_CALL}(.+)", line)
    for span in re.findall(r"`([^`]+)`", text):
        words = " ".join(span.split())
        if found := re.fullmatch(rf"(?:.*[\s/\"])?{_CALL}(.+)", words):
            yield found[1]
        elif words.split()[0] in _PROGRAM.commands and " --" in words:
            yield words


def _parts(shown: str) -> list[str]:
    """Return the words of a command, up to what is left out or the shell does with it."""
    shown = re.split(r"\s#|[;|…]|&&", shown)[0]
    try:
        words = shlex.split(shown)
    except ValueError:
        words = shown.split()
    return [word.strip("[]().,:\"'") for word in words]


def _wrong(shown: str) -> str:
    """Return what is wrong with a command; empty when it exists with all its options."""
    command, called = _PROGRAM, []
    known = {"--help"} | {option for each in _PROGRAM.params for option in each.opts}
    for word in _parts(shown):
        below = getattr(command, "commands", {})
        if word in below:
            command = below[word]
            called.append(word)
            known |= {option for each in command.params for option in each.opts}
        elif word.startswith("--") and word not in known:
            return f"{' '.join(called)} has no {word}"
        elif below and re.fullmatch(r"[a-z][a-z-]*", word):
            return f"there is no command {' '.join([*called, word])}"
    return ""


@_by_file
def test_every_command_that_is_shown_exists_with_its_options(doc: Path) -> None:
    shown = list(_shown(doc.read_text("utf-8")))

    wrong = {each: _wrong(each) for each in shown if _wrong(each)}
    assert wrong == {}
    assert shown or doc.name in {"README.md", "concepts.md", "flow.md"}


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        ("send --plan", ""),
        ("send --fast", "send has no --fast"),
        ("inbound review --done 13", ""),
        ("doubt restored --all N", ""),
        ("sent", "there is no command sent"),
        ("doubt forget", "there is no command doubt forget"),
        ("doubt … --outbox", ""),
        ("--config FILE inbound -", ""),
        ("purge --due; repermit nothing", ""),
    ],
)
def test_a_command_that_does_not_exist_would_be_found(shown: str, what: str) -> None:
    assert _wrong(shown) == what


@_by_file
def test_every_link_leads_somewhere(doc: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", doc.read_text("utf-8"))
    inside = [each for each in targets if not re.match(r"[a-z]+:", each)]

    missing = {each for each in inside if not (doc.parent / each.partition("#")[0]).exists()}
    assert missing == set()
    assert all("#" not in each for each in inside)  # nobody looks whether such a heading stays


def test_every_doc_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [_ROOT / "README.md"]
    while waiting:
        doc = waiting.pop()
        if doc in seen or not doc.exists():
            continue
        seen.add(doc)
        waiting += [
            (doc.parent / each).resolve()
            for each in re.findall(r"\]\(([^)\s:]+\.md)\)", doc.read_text("utf-8"))
        ]

    assert set(_DOCS) <= seen


def test_every_figure_to_watch_is_one_that_status_tells(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """The keys in the table of what to look at, in an empty campaign."""
    runtime = Runtime.of(write_config(campaign_folder), a_clock)
    told = status_content(asyncio.run(read_figures(runtime)))
    table = _OPERATIONS.read_text("utf-8").partition("| key | wants a person when |")[2]
    rows = table.partition("\n\n")[0]
    keys = [
        key
        for row in rows.splitlines()[2:]
        for key in re.findall(r"`([a-z_.]+)`", row[: row.index("|", 1)])
    ]

    assert len(keys) > 12
    assert [key for key in keys if not _has(told, key.split("."))] == []


def _has(told: Any, names: list[str]) -> bool:
    """Return whether *told* has a value under those names; below null anything may be."""
    for name in names:
        if told is None or (name == "quarantined" and "read" in told):
            return True  # what only a campaign has in which that happened, or the command adds
        if name not in told:
            return False
        told = told[name]
    return True
