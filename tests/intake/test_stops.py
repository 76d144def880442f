"""Columns that say who left, where no header says so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from repermit.intake import stops
from repermit.intake.evidence import Defaults, evidence_of
from repermit.intake.listfile import Reading, open_lists


def stopped(path: Path, content: str, encoding: str = "utf-8") -> list[str]:
    """Return the addresses of those who said stop, as a list is read."""
    path.write_bytes(content.encode(encoding))
    found = []
    for source in open_lists(path, Reading()):
        with source:
            found += [
                row.address
                for row in source.rows()
                if evidence_of(source.fields, row.said, Defaults()).stop is not None
            ]
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("word", ["Unsubscribed", "uitgeschreven", "Désinscrit", "abgemeldet"])
def test_one_word_at_the_end_of_a_long_column_counts(
    tmp_path: Path, word: str, encoding: str
) -> None:
    """The list is sorted by a column "Status" that says "active" of the first thousand."""
    active = "".join(f"p{number}@x.be;actief\n" for number in range(1000))
    content = f"email;Status\n{active}stop@x.be;{word}\n"

    assert stopped(tmp_path / "list.csv", content, encoding) == ["stop@x.be"]


def test_no_header_is_needed(tmp_path: Path) -> None:
    content = "an@x.be;An;lid\nbo@x.be;Bo;unsubscribed\n"

    assert stopped(tmp_path / "list.csv", content) == ["bo@x.be"]


def test_of_a_column_that_says_more_only_those_words_count(tmp_path: Path) -> None:
    content = "email;Soort\nan@x.be;Lid\nbo@x.be;Uitgeschreven\ncas@x.be;Klant\n"

    assert stopped(tmp_path / "list.csv", content) == ["bo@x.be"]


def test_a_row_of_another_width_is_not_trusted_about_stops(tmp_path: Path) -> None:
    """A comma without quotes, or a cell too few, has moved the cell that says no."""
    content = "email,naam,stad,nieuwsbrief\nan@x.be,Peeters, An,Gent,nee\nbo@x.be,Bo,nee\n"

    assert stopped(tmp_path / "list.csv", content) == ["an@x.be", "bo@x.be"]


def test_most_lists_need_no_further_look() -> None:
    assert not stops.may_hold_any(io.BytesIO(b"email;land\nan@x.be;BE\n"))
    assert stops.may_hold_any(io.BytesIO(b"email;x\nan@x.be;UNSUBSCRIBED\n"))
    assert stops.may_hold_any(io.BytesIO("email".encode("utf-16")))
    across = b"x" * ((1 << 20) - 5) + b"\n" + b"unsubscribed\n"
    assert stops.may_hold_any(io.BytesIO(across))
