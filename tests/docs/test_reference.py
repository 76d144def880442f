"""The reference says what the program says."""

from __future__ import annotations

from pathlib import Path

import pytest

from repermit.config.tables import Tables
from tests.docs.reference import ROOT, pages
from tests.docs.reference.config import explained
from tests.docs.shown import PROGRAM

_PAGES = pages()


@pytest.mark.parametrize("page", _PAGES, ids=lambda path: path.name)
def test_no_page_is_stale(page: Path) -> None:
    """`make docs` writes them anew."""
    assert page.read_text("utf-8") == _PAGES[page]


def test_every_command_has_a_section() -> None:
    text = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")

    assert [name for name in PROGRAM.commands if f"\n### repermit {name}\n" not in text] == []


def test_the_example_explains_every_table_of_the_config() -> None:
    told = {each.table.partition(".")[0] for each in explained() if each.comment}

    assert told == set(Tables.model_fields)


def test_every_key_is_explained_in_words() -> None:
    """In the reference each key has a text besides what it expects."""
    text = (ROOT / "docs" / "reference" / "config.md").read_text("utf-8")
    sections = text.split("\n### ")[1:]
    silent = [each.partition("\n")[0] for each in sections if each.count("\n\n") < 2]

    assert silent == []
