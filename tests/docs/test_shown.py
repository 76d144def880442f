"""What the documents tell to type exists, and where they point to is something."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from repermit.cli.status import read_figures, status_content
from repermit.runtime import Runtime
from tests.builders import FakeClock
from tests.docs.reference.config import keys
from tests.docs.shown import ALL, ROOT, Shown, anchors, commands, dangling, settings, wrong
from tests.respond.builders import write_config

_OPERATIONS = ROOT / "docs" / "operations.md"
_FOUND_IN_STATUS = {"inbound.quarantined", "inbound.waiting_replies", "inbound.last"}
_FOUND_IN_STATUS |= {"inbound.check", "purge.size"}

_by_file = pytest.mark.parametrize("doc", ALL, ids=lambda path: path.relative_to(ROOT).as_posix())


@_by_file
def test_every_command_that_is_shown_exists_with_its_options(doc: Path) -> None:
    shown = list(commands(doc.read_text("utf-8")))

    said = {each.text: wrong(each) for each in shown}
    assert {text: why for text, why in said.items() if why} == {}


def test_the_documents_show_hundreds_of_commands() -> None:
    """A pattern that finds nothing would find nothing wrong either."""
    found = [each for doc in ALL for each in commands(doc.read_text("utf-8"))]

    assert len(found) > 350
    assert sum(each.is_whole for each in found) > 100


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        ("send --plan", ""),
        ("send --fast", "send: No such option: --fast"),
        ("send --limit N", ""),
        ("send --limit", "send: Option '--limit' requires an argument"),
        ("inbound review --done 13", ""),
        ("doubt restored --all N", ""),
        ("sent", "there is no command sent"),
        ("doubt forget", "there is no command doubt forget"),
        ("--config FILE inbound -", ""),
        ("purge --due; repermit nothing", ""),
        ("export --format excel --out FILE", "export: Invalid value for '--format'"),
        ("close", "close: Missing option '--by'"),
        ("pause now", "pause: Got unexpected extra argument"),
    ],
)
def test_a_command_that_does_not_exist_would_be_found(shown: str, what: str) -> None:
    said = wrong(Shown(shown, is_whole=True))

    assert said.startswith(what)
    assert bool(said) == bool(what)


def test_between_backticks_what_must_be_given_may_be_left_out() -> None:
    assert wrong(Shown("close", is_whole=False)) == ""
    assert wrong(Shown("close --fast", is_whole=False)) != ""


@_by_file
def test_every_link_leads_somewhere(doc: Path) -> None:
    assert dangling(doc) == set()


def test_a_link_to_no_heading_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# One `thing`\n\n## More, or less\n\n## More, or less\n")
    doc = tmp_path / "doc.md"
    doc.write_text(
        "[a](other.md#one-thing) [b](other.md#two) [c](no.md) [d](#here)\n"
        '<img src="no.png" alt="">\n\n## Here\n'
    )

    assert anchors((tmp_path / "other.md").read_text()) == {
        *("one-thing", "more-or-less", "more-or-less-1")
    }
    assert dangling(doc) == {"other.md#two", "no.md", "no.png"}


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        doc = waiting.pop()
        if doc in seen or not doc.exists():
            continue
        seen.add(doc)
        waiting += [
            (doc.parent / each).resolve()
            for each in re.findall(r"\]\(([^)\s:#]+\.md)(?:#[^)]*)?\)", doc.read_text("utf-8"))
        ]

    assert {doc for doc in ALL if doc.is_relative_to(ROOT / "docs")} <= seen


@_by_file
def test_every_key_of_the_config_that_is_named_exists(doc: Path) -> None:
    if doc.name in ("templates.md", "json.md"):
        return  # these name the parts of other things
    known = keys()
    named = settings(doc.read_text("utf-8"), {each.partition(".")[0] for each in known})

    assert named - known - _FOUND_IN_STATUS == set()


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
