"""What the documents show was really done: each is played, and prints what stands in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.document import Block, parts
from tests.docs.pictures import LARGEST_BYTES
from tests.docs.play import DOCS, played, played_documents
from tests.docs.same import in_order, same
from tests.docs.stage import a_stage
from tests.postgres import Server

_by_document = pytest.mark.parametrize(
    "doc", played_documents(), ids=lambda path: path.relative_to(DOCS).as_posix()
)


@pytest.mark.journey
@_by_document
def test_it_prints_what_the_document_says(doc: Path, tmp_path: Path, postgres: Server) -> None:
    """`make docs` writes anew what the program says otherwise now, and the pictures."""
    text = doc.read_text("utf-8")
    (tmp_path / "images").mkdir()

    with a_stage(tmp_path / "an", tmp_path / "images", postgres=postgres.schema) as stage:
        assert played(text, stage).splitlines() == text.splitlines()

    for picture in (tmp_path / "images").iterdir():
        shown = DOCS / "images" / picture.name
        assert shown.exists(), "`make docs` takes the pictures"
        assert max(shown.stat().st_size, picture.stat().st_size) <= LARGEST_BYTES


@_by_document
def test_the_parts_of_a_document_are_the_document(doc: Path) -> None:
    text = doc.read_text("utf-8")

    assert "".join(part.text for part in parts(text)) == text


@pytest.mark.parametrize("doc", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_every_shown_run_is_a_played_one(doc: Path) -> None:
    """Nobody has typed by hand what a command prints."""
    text = doc.read_text("utf-8")

    assert "```console" not in text or doc in played_documents()


def test_what_is_typed_is_found_in_a_block() -> None:
    block = Block("console", ("$ a b", "said", "$ c \\", "  d", "said $ e"))

    assert list(block.commands) == ["a b", "c \\\n  d"]


def test_two_runs_say_the_same() -> None:
    one = same("log: 28 entries, root 0123456789abcdef0\n  2026-11-02 09:04  #9   x\n")
    two = same("log: 26 entries, root fedcba98765432100\n  2026-11-02 09:00  #13  x\n")

    assert one == two == "log: 40 entries, root 3f9ac2…\n  2026-11-02 09:00  #12     x\n"
    assert same("12 read = 10 admitted, until 2026-12-03\n") == (
        "12 read = 10 admitted, until 2026-12-03\n"
    )
    assert in_order("head\nb\na\n") == "head\na\nb\n"


def test_pictures_are_small_and_every_one_is_shown() -> None:
    shown = {
        Path(each).name
        for doc in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]
        for each in re.findall(r'[("]([^("\s]*images/[^)"\s]+)', doc.read_text("utf-8"))
    }
    there = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}

    assert shown == set(there)
    assert max(there.values()) <= LARGEST_BYTES
